"""What tenants call their things is their own affair: many of one name cost what as many of different names do."""

import os
import time

import pytest
from conftest import GROUP, VERSION, eventually, smallest
from operator_fixtures import ADAPTER, FOREIGN, Operator, deployment
from quick_apiserver import QuickApiServer

MANY = int(os.environ.get("IA_NAMESAKES", "1000"))
# Of the CPU time of as many different names; what grows with the namesakes of each is ten times as much.
ALLOWED = 1.2
QUIET_S = 3  # without a write: they have settled


def populate(server, name_of):
    """So many tenants, each with a Deployment and an InferenceAutoscaler on it, and what all share."""
    def put(type, object, ns=None):
        if ns:
            object["metadata"]["namespace"] = ns
        server.put(type, object)

    put("prometheuses", {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "k8s"},
        "spec": {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}}}, ADAPTER)
    put("configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prometheus-adapter"},
                       "data": {"config.yaml": FOREIGN}}, ADAPTER)
    put("deployments", deployment("prometheus-adapter", ADAPTER, {"app": "adapter"}))
    for i in range(MANY):
        ns, name = f"tenant-{i}", name_of(i)
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
        put("namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
        put("deployments", deployment(name, ns, {"app": name}, port=8000))
        put("inferenceautoscalers", smallest(
            name, ns, scaleTargetRef=target, mode="Requests", minReplicas=1, engine={"type": "VLLM"},
            requests={"signal": "Running"}, scrapeInterval="15s"))


def cpu_s(pid):
    ticks = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")


def settle(name_of, folder):
    """The operator's CPU seconds until all have their children and their status, and the seconds that this took."""
    server = QuickApiServer()
    folder.mkdir()
    try:
        populate(server, name_of)
        operator = Operator(server.write_kubeconfig(folder / "kubeconfig"), folder / "operator.log")
        begin = time.monotonic()

        def settled():
            assert operator.process.poll() is None, operator.log()
            objects = server.objects
            told = sum("status" in object for object in objects["inferenceautoscalers"].values())
            counts = [told, *(len(objects.get(kind, {})) for kind in ("servicemonitors", "horizontalpodautoscalers"))]
            assert min(counts) == MANY, counts
            assert time.monotonic() - server.written_at > QUIET_S
            return cpu_s(operator.process.pid)

        try:
            cost = eventually(settled, timeout=60 + MANY / 2, interval=0.2)
            return cost, server.written_at - begin
        finally:
            code = operator.stop()
            assert code == 0 and "Sanitizer" not in operator.log(), operator.log()
    finally:
        server.close()


def test_namesakes_settle_as_fast_as_others(tmp_path):
    different, different_s = settle(lambda i: f"gemma-{i}", tmp_path / "different")
    one, one_s = settle(lambda i: "gemma", tmp_path / "one")
    print(f"{MANY} of different names: {different:.2f} s of CPU, settled after {different_s:.0f} s; "
          f"of one name: {one:.2f} s, {one_s:.0f} s")
    assert one <= ALLOWED * different + 0.5
