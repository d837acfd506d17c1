"""The operator's port is open to every pod: clients that ask for all and read nothing must not stop it."""

import json
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

from conftest import eventually, smallest
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    OPERATOR,
    Operator,
    listening_port,
    operator_kubeconfig,
    stack,
)

SYSTEM = "inference-autoscaler-system"
AUTOSCALERS = 300
MUTE = 300
FLOOD_S = 20
PROBE_S = 1  # a kubelet's probe waits for so long
LIMIT_MIB = 128  # of the chart


def request(path):
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()


@pytest.fixture(scope="module")
def crowd(cluster, stack, operator_kubeconfig, tmp_path_factory):
    """A leader with 300 autoscalers, each with a target of its own that does not exist."""
    namespace = "crowd"
    cluster.core.create_namespace({"metadata": {"name": namespace}})
    names = [f"crowd-{i:03}" for i in range(AUTOSCALERS)]
    cluster.apply(*(
        smallest(name, namespace, scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": name})
        for name in names
    ))
    running = Operator(operator_kubeconfig, tmp_path_factory.mktemp("crowd") / "operator.log", "--leader-elect",
                       "--lease-namespace", SYSTEM, "--lease-name", "inference-autoscaler")
    code = 0
    try:
        eventually(running.synced, timeout=60)
        running.port = int(listening_port(running.process.pid))
        running.namespace = namespace
        told = f'autoscaler="crowd-{AUTOSCALERS - 1}",link="Ready"'
        eventually(lambda: told in read(running, "/metrics"), timeout=120, interval=1)
        yield running
    finally:
        if running.process.poll() is None:
            code = running.stop()
        cluster.core.delete_namespace(namespace)
    assert code == 0, running.log()
    assert "Sanitizer" not in running.log(), running.log()


def read(running, path):
    return urllib.request.urlopen(f"http://127.0.0.1:{running.port}{path}", timeout=30).read().decode()


def peak_mib(running):
    status = open(f"/proc/{running.process.pid}/status").read()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


def ask_and_never_read(port, until, held):
    for _ in range(MUTE):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(5)
        held.append(client)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(request("/explain"))
        except OSError:
            pass
    time.sleep(max(0, until - time.monotonic()))


def ask_again_and_again(port, path, until):
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(request(path))
                while client.recv(1 << 20):
                    pass
        except OSError:
            pass


def probe(port):
    """How long /healthz takes, as the kubelet asks it: on a connection of its own."""
    start, answer = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(request("/healthz"))
        while piece := client.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return time.monotonic() - start


def test_a_flood_stops_nothing(cluster, crowd):
    until, held = time.monotonic() + FLOOD_S, []
    threads = [threading.Thread(target=ask_and_never_read, args=(crowd.port, until, held))]
    threads += [threading.Thread(target=ask_again_and_again, args=(crowd.port, path, until))
                for path in ("/explain", "/explain.txt", "/metrics") for _ in range(2)]
    for thread in threads:
        thread.start()
    took = []
    try:
        while time.monotonic() < until:
            took.append(probe(crowd.port))
            time.sleep(0.1)
    finally:
        for thread in threads:
            thread.join()
        for client in held:
            client.close()
    assert crowd.process.poll() is None, crowd.log()
    assert "leadership lost" not in crowd.log() and "the Lease was lost" not in crowd.log()
    assert len(took) > FLOOD_S and max(took) < PROBE_S, sorted(took)[-5:]
    if "asan" not in OPERATOR:  # which keeps what was freed
        assert peak_mib(crowd) < LIMIT_MIB


def test_a_page_has_a_length_and_each_one_can_be_asked_for(crowd):
    ns, everywhere = crowd.namespace, json.loads(read(crowd, "/explain"))
    count = len(everywhere["items"])
    assert 0 < count <= AUTOSCALERS
    if count < AUTOSCALERS:
        assert f"the first {count} of {AUTOSCALERS} InferenceAutoscalers" in everywhere["message"]
    one = json.loads(read(crowd, f"/explain/{ns}/crowd-{AUTOSCALERS - 1}"))
    assert (one["namespace"], one["name"], one["reason"]) == (ns, f"crowd-{AUTOSCALERS - 1}", "TargetNotFound")
    assert read(crowd, f"/explain.txt/{ns}/crowd-007").startswith(f"{ns}/crowd-007 scales Deployment crowd-007")
    with pytest.raises(urllib.error.HTTPError) as none:
        read(crowd, f"/explain/{ns}/nobody")
    assert (none.value.code, none.value.read().decode()) == (404, f"there is no InferenceAutoscaler '{ns}/nobody'\n")
    metrics = read(crowd, "/metrics")
    assert metrics.count(',link="Ready"} 0\n') == AUTOSCALERS
    assert "inference_autoscaler_left_out 0\n" in metrics


def test_the_command_asks_for_each(cluster, crowd):
    """As many questions as autoscalers, and one that no operator answers is only a warning."""
    done = subprocess.run(
        [OPERATOR, "explain", "-n", crowd.namespace, "--values", "--kubeconfig", str(cluster.kubeconfig)],
        capture_output=True, text=True, timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout.count(" scales Deployment crowd-") == AUTOSCALERS
    assert done.stdout.count("! the values at each hop are not known: no pod with the label ") == AUTOSCALERS
