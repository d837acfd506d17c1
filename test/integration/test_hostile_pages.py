"""Pods of tenants that serve the worst pages they can, many at once: the operator answers, keeps its Lease, and looks at
everybody else."""

import concurrent.futures
import http.client
import http.server
import os
import threading
import time

import pytest

from conftest import GROUP, eventually, smallest
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    OPERATOR,
    Autoscaler,
    Operator,
    Page,
    deployment,
    listening_port,
    operator_kubeconfig,
    set_status,
    stack,
)

pytestmark = pytest.mark.alone

HOSTILE = 60
WATCH_S = 30
# How long an answer may wait for what the operator itself does, in CPU time: other programs of this machine do not
# count. The sanitizers make it some times slower.
HELD_S = 0.1 if "release" in OPERATOR else 1.5
# And in all: kubelet asks three times, each 10 s, before it restarts the operator; the Lease's deadline is 10 s too.
LATE_S = 5
RENEWED_S = 8
LEASES = "/apis/coordination.k8s.io/v1/namespaces/inference-autoscaler-system/leases"
LEASE = "inference-autoscaler"
MEMORY_MIB = 64  # half of the chart's limit

MIB = 1024 * 1024
RANKS = "".join("sglang:num_running_reqs{" + 'a="",' * 10 + f'dp_rank="{i}"}} 1\n' for i in range(4096)).encode()
PAGES = {
    "/ranks": RANKS,
    "/most": "".join("sglang:num_running_reqs{" + 'a="",' * 60 + f'dp_rank="{i}"}} 1\n' for i in range(1024)).encode(),
    "/newlines": b"\n" * MIB,
    "/large": b"\n" * (4 * MIB),
    "/drip": b"#" + b"x" * (MIB - 100),
}
SERVED = {"/ranks": "PageTooLarge", "/large": "PageTooLarge", "/drip": "PageNotServed"}


class Pods(http.server.ThreadingHTTPServer):
    """All pods' port: the path says which page; the one that drips is never whole. Counts those that are read."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        self.lock, self.reading, self.most = threading.Lock(), 0, 0
        super().__init__(("127.0.0.1", 0), HostilePage)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HostilePage(Page):
    def do_GET(self):
        if self.path not in PAGES:
            super().do_GET()
            return
        page, drips = PAGES[self.path], self.path == "/drip"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page) + drips))
        self.end_headers()
        try:
            self.wfile.write(page)
            if drips:
                self.drip()
        except OSError:
            pass  # the reader has had enough

    def drip(self):
        """Until the other side hangs up."""
        with self.server.lock:
            self.server.reading += 1
            self.server.most = max(self.server.most, self.server.reading)
        self.wfile.flush()
        self.connection.settimeout(60)
        self.connection.recv(1)
        with self.server.lock:
            self.server.reading -= 1


class Watch(threading.Thread):
    """Asks for /healthz again and again: the longest time that an answer took, and how much of one the operator took."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.port, self.ended = pid, int(listening_port(pid)), threading.Event()
        self.longest, self.held, self.answers = 0, 0, 0

    def cpu(self):
        ticks = open(f"/proc/{self.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")

    def run(self):
        while not self.ended.wait(0.05):
            began, cpu = time.monotonic(), self.cpu()
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("GET", "/healthz")
            self.answers += connection.getresponse().status == 200
            connection.close()
            self.longest = max(self.longest, time.monotonic() - began)
            self.held = max(self.held, self.cpu() - cpu)


@pytest.fixture
def operator(cluster, operator_kubeconfig, tmp_path):
    """Takes part in the election; must end in order."""
    cluster.request("DELETE", f"{LEASES}/{LEASE}")
    running = Operator(
        operator_kubeconfig, tmp_path / "operator.log", "--leader-elect",
        "--lease-namespace", LEASES.split("/")[-2], "--lease-name", LEASE, env={"POD_NAME": "looks-at-all"},
    )
    eventually(running.synced, timeout=30)
    yield running
    code = running.stop() if running.process.poll() is None else running.process.returncode
    assert code == 0 and "Sanitizer" not in running.log(), running.log()


def create(cluster, namespace, name, port, path):
    """An autoscaler whose one pod is ready, and serves that page."""
    code, answer = cluster.request(
        "POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment(name, namespace, {"app": name}, port)
    )
    assert code == 201, answer
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def pod():
        items = cluster.request("GET", pods, query=[("labelSelector", f"app={name}")])[1]["items"]
        return items[0]["metadata"]["name"] if items else None

    set_status(cluster, f"{pods}/{eventually(pod, timeout=120, interval=0.5)}", {
        "phase": "Running",
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
    })
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    code, answer = cluster.request(
        "POST", f"/apis/{GROUP}/v1alpha1/namespaces/{namespace}/inferenceautoscalers",
        smallest(name, namespace, scaleTargetRef=target, maxReplicas=1, engine={"port": port, "path": path}),
    )
    assert code == 201, answer
    return Autoscaler(cluster, namespace, name)


def test_pages_of_tenants_hold_up_nobody(cluster, namespace, operator):
    pods = Pods()
    watch = Watch(operator.process.pid)
    watch.start()
    paths = [list(PAGES)[i % len(PAGES)] for i in range(HOSTILE)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        hostile = list(pool.map(
            lambda i: create(cluster, namespace, f"hostile-{i:02}", pods.server_port, paths[i]), range(HOSTILE)))
    transitions = cluster.request("GET", f"{LEASES}/{LEASE}")[1]["spec"]["leaseTransitions"]

    # Somebody who comes last is looked at, although all the others take what they can.
    honest = create(cluster, namespace, "honest", pods.server_port, "/metrics")
    honest.waits_for("MetricsExposed", "Exposed", timeout=60)

    renewed, since = None, time.monotonic()
    begin = time.monotonic()
    while time.monotonic() - begin < WATCH_S:
        assert operator.process.poll() is None, operator.log()
        spec = cluster.request("GET", f"{LEASES}/{LEASE}")[1]["spec"]
        assert spec["holderIdentity"] == "looks-at-all" and spec["leaseTransitions"] == transitions
        if spec["renewTime"] != renewed:
            renewed, since = spec["renewTime"], time.monotonic()
        assert time.monotonic() - since < RENEWED_S, "the Lease is not renewed"
        time.sleep(0.2)

    # What is beyond a limit is told, in words.
    for autoscaler, path in zip(hostile, paths):
        if path in SERVED:
            autoscaler.waits_for("MetricsExposed", SERVED[path], timeout=60)
    told = hostile[paths.index("/ranks")].condition("MetricsExposed")["message"]
    assert "has more than 1024 samples of 'sglang:num_running_reqs', the most that are read" in told
    told = hostile[paths.index("/large")].condition("MetricsExposed")["message"]
    assert "is larger than 1024 KiB, the most that is read" in told

    watch.ended.set()
    watch.join(timeout=60)
    print(f"/healthz: {watch.answers} answers, the latest after {watch.longest:.2f} s; held up for {watch.held:.2f} s of "
          f"CPU at most; {pods.most} pages at once")
    assert watch.answers > 100 and watch.longest < LATE_S and watch.held <= HELD_S
    assert pods.most <= 16
    if "release" in OPERATOR:  # the sanitizers take more
        status = open(f"/proc/{operator.process.pid}/status").read()
        assert int(status.split("VmHWM:")[1].split()[0]) < MEMORY_MIB * 1024
    pods.shutdown()
