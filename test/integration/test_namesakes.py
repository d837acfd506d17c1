"""What tenants call their things is their own affair: many of one name cost what as many of different names do."""

import contextlib
import os
import time

import pytest

from conftest import eventually, smallest
from operator_fixtures import ADAPTER, FOREIGN, Operator, deployment
from quick_apiserver import QuickApiServer

pytestmark = pytest.mark.alone

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


class Cluster:
    """Autoscalers that `name_of` names, and an operator that works on them."""

    def __init__(self, name_of, folder):
        folder.mkdir()
        self.server = QuickApiServer()
        populate(self.server, name_of)
        self.operator = Operator(self.server.write_kubeconfig(folder / "kubeconfig"), folder / "operator.log")
        self.begin = time.monotonic()

    def settled(self):
        assert self.operator.process.poll() is None, self.operator.log()
        objects = self.server.objects
        told = sum("status" in object for object in objects["inferenceautoscalers"].values())
        counts = [told, *(len(objects.get(kind, {})) for kind in ("servicemonitors", "horizontalpodautoscalers"))]
        return min(counts) == MANY and time.monotonic() - self.server.written_at > QUIET_S

    def settled_s(self):
        return self.server.written_at - self.begin

    def cpu_s(self):
        ticks = open(f"/proc/{self.operator.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        """At once: how an operator ends in order is the matter of other tests."""
        self.operator.process.kill()
        self.operator.process.wait(timeout=15)
        self.server.close()
        assert "Sanitizer" not in self.operator.log(), self.operator.log()


def test_namesakes_settle_as_fast_as_others(tmp_path):
    # At the same time, so that whatever else the machine does is the same for both.
    different, one = Cluster("gemma-{}".format, tmp_path / "different"), Cluster("gemma".format, tmp_path / "one")
    with contextlib.closing(different), contextlib.closing(one):
        eventually(lambda: different.settled() and one.settled(), timeout=60 + MANY / 4, interval=0.2)
        for names, cluster in ("different names", different), ("one name", one):
            print(f"{MANY} of {names}: {cluster.cpu_s():.2f} s of CPU, settled after {cluster.settled_s():.1f} s")
        assert one.cpu_s() <= ALLOWED * different.cpu_s() + 0.5
        assert one.settled_s() <= ALLOWED * different.settled_s() + 5
