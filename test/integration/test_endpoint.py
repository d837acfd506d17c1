"""The operator's port is open to every pod: clients that ask for all and read nothing must not stop it."""

import contextlib
import http.client
import json
import multiprocessing
import re
import socket
import statistics
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
    is_quiet,
    listening_port,
    operator_kubeconfig,
    reader_token,
    stack,
)

pytestmark = pytest.mark.alone

HEALTH = "127.0.0.2"
SYSTEM = "inference-autoscaler-system"
AUTOSCALERS = 1000
CLIENTS = 300  # half of which never read
ROOM_MIB = 8
ANSWER_S, LATE_S = 0.1, 1  # on a machine with nothing else to do, and where others build or test
FLOOD_S = 20
LIMIT_MIB = 128  # of the chart


def request(path, token=None):
    shown = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{shown}\r\n".encode()


@pytest.fixture(scope="module")
def crowd(cluster, stack, operator_kubeconfig, tmp_path_factory):
    """A leader with a thousand autoscalers, each with a target of its own that does not exist."""
    namespace = "crowd"
    cluster.core.create_namespace({"metadata": {"name": namespace}})
    names = [f"crowd-{i:04}" for i in range(AUTOSCALERS)]
    cluster.apply(*(
        smallest(name, namespace, scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": name})
        for name in names
    ))
    running = Operator(operator_kubeconfig, tmp_path_factory.mktemp("crowd") / "operator.log", "--leader-elect",
                       "--lease-namespace", SYSTEM, "--lease-name", "inference-autoscaler",
                       "--health-listen", f"{HEALTH}:0")
    code = 0
    try:
        eventually(running.synced, timeout=60)
        running.port = int(listening_port(running.process.pid))
        running.health = int(listening_port(running.process.pid, HEALTH))
        running.token = reader_token(cluster)
        running.namespace = namespace
        eventually(lambda: read(running, "/metrics").count(',link="Ready"} 0\n') == AUTOSCALERS, timeout=120, interval=1)
        yield running
    finally:
        if running.process.poll() is None:
            code = running.stop()
        cluster.core.delete_namespace(namespace)
    assert code == 0, running.log()
    assert "Sanitizer" not in running.log(), running.log()


def read_from(running, address, path, texts):
    """As somebody at another address, who gets what is asked for although a flood comes from this one."""
    client = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60, source_address=(address, 0))
    client.request("GET", path, headers={"Authorization": f"Bearer {running.token}"})
    texts.append(client.getresponse().read().decode())
    client.close()


def read(running, path):
    request = urllib.request.Request(f"http://127.0.0.1:{running.port}{path}",
                                     headers={"Authorization": f"Bearer {running.token}"})
    return urllib.request.urlopen(request, timeout=30).read().decode()


def resident_mib(running, line="VmRSS"):
    status = open(f"/proc/{running.process.pid}/status").read()
    return int(re.search(rf"{line}:\s+(\d+)", status)[1]) / 1024


def ask_and_never_read(port, token, until):
    held = []
    for _ in range(CLIENTS // 2):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(5)
        held.append(client)
        try:
            client.connect(("127.0.0.1", port))
            client.sendall(request("/explain", token))
        except OSError:
            pass
    time.sleep(max(0, until - time.monotonic()))


def ask_again_and_again(port, path, token, until):
    while time.monotonic() < until:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                client.sendall(request(path, token))
                while client.recv(1 << 20):
                    pass
        except OSError:
            pass


def all_ask(port, path, token, until):
    """Half of the clients, which read what they get, and ask again."""
    threads = [threading.Thread(target=ask_again_and_again, args=(port, path, token, until)) for _ in range(CLIENTS // 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def flood(running, until):
    """In processes of their own: who measures meanwhile is not to wait for them."""
    port, token = running.port, running.token
    jobs = [(ask_and_never_read, (port, token, until)), (all_ask, (port, "/explain", token, until))]
    jobs += [(ask_again_and_again, (port, path, token, until)) for path in ("/explain.txt", "/metrics")]
    jobs += [(ask_again_and_again, (port, "/explain", "forged", until)), (ask_again_and_again, (port, "/explain", None, until))]
    processes = [multiprocessing.Process(target=job, args=args, daemon=True) for job, args in jobs]
    for process in processes:
        process.start()
    yield
    for process in processes:
        process.join(30)


def probe(port):
    """How long /healthz takes, as the kubelet asks it: on a connection of its own."""
    start, answer = time.monotonic(), b""
    with socket.create_connection((HEALTH, port), timeout=10) as client:
        client.sendall(request("/healthz"))
        while piece := client.recv(4096):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    return time.monotonic() - start


def test_a_flood_stops_nothing(cluster, crowd):
    until, took, most, texts = time.monotonic() + FLOOD_S, [], 0, []
    before, patience = resident_mib(crowd), ANSWER_S if is_quiet() else LATE_S
    other = threading.Thread(target=read_from, args=(crowd, "127.0.0.9", "/explain", texts))
    with flood(crowd, until):
        other.start()
        while time.monotonic() < until:
            took.append(probe(crowd.health))
            most = max(most, resident_mib(crowd))
            time.sleep(0.1)
    other.join(60)
    assert crowd.process.poll() is None, crowd.log()
    assert len(json.loads(texts[0])["items"]) == AUTOSCALERS
    assert "leadership lost" not in crowd.log() and "the Lease was lost" not in crowd.log()
    print(f"/healthz took {statistics.median(took):.3f} s, {max(took):.3f} s at most, of {len(took)}; "
          f"{before:.1f} MiB before, {most:.1f} MiB at most, {resident_mib(crowd, 'VmHWM'):.1f} MiB ever")
    # Three late ones in a row, and the kubelet would restart it.
    assert all(min(took[i:i + 3]) < patience for i in range(len(took) - 2)), took
    if "asan" not in OPERATOR:  # which keeps what was freed
        assert resident_mib(crowd, "VmHWM") < LIMIT_MIB
        assert most - before <= ROOM_MIB


def test_a_list_has_all_and_each_one_can_be_asked_for(crowd):
    ns, everywhere = crowd.namespace, json.loads(read(crowd, "/explain"))
    assert [item["name"] for item in everywhere["items"]] == [f"crowd-{i:04}" for i in range(AUTOSCALERS)]
    assert read(crowd, "/explain.txt").count(" scales Deployment crowd-") == AUTOSCALERS
    one = json.loads(read(crowd, f"/explain/{ns}/crowd-{AUTOSCALERS - 1:04}"))
    assert (one["namespace"], one["name"], one["reason"]) == (ns, f"crowd-{AUTOSCALERS - 1:04}", "TargetNotFound")
    assert read(crowd, f"/explain.txt/{ns}/crowd-0007").startswith(f"{ns}/crowd-0007 scales Deployment crowd-0007")
    with pytest.raises(urllib.error.HTTPError) as none:
        read(crowd, f"/explain/{ns}/nobody")
    assert (none.value.code, none.value.read().decode()) == (404, f"there is no InferenceAutoscaler '{ns}/nobody'\n")
    metrics = read(crowd, "/metrics")
    assert metrics.count(',link="Ready"} 0\n') == AUTOSCALERS
    assert metrics.endswith("\n") and "# TYPE inference_autoscaler_advice gauge\n" in metrics
    for measure in ("seconds", "cpu_seconds"):
        assert float(re.search(rf"^inference_autoscaler_loop_turn_{measure}_sum (\S+)$", metrics, re.M)[1]) > 0


def test_the_command_asks_for_each(cluster, crowd):
    """As many questions as autoscalers, and what cannot be read is only a warning."""
    done = subprocess.run(
        [OPERATOR, "explain", "-n", crowd.namespace, "--values", "--kubeconfig", str(cluster.kubeconfig)],
        capture_output=True, text=True, timeout=120,
    )
    assert done.stderr == ""
    assert done.stdout.count(" scales Deployment crowd-") == AUTOSCALERS
