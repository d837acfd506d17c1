"""How often the HPA's controller reads the metrics that two replicas of the operator serve: the Advice on it, on a real API
server.

The test is the HPA's controller: it reads by that account, through the aggregator, which asks the one replica or the other
as it happens, and writes the HPAs' status. A minute lasts a second. Of four HPAs with 30 metrics each a read every 15 s of
each is 8 reads a second.
"""

import threading
import time

import pytest
from conftest import control_plane, eventually
from operator_fixtures import Autoscaler, deployment, set_status
from test_metrics_server import (  # noqa: F401  (fixtures are found by name)
    METRIC,
    announced,
    available,
    bundle,
    cluster,
    operator_kubeconfig,
    page_port,
    read,
    replicas,
    target,
)

CONTROLLER = "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
HPAS, METRICS = 4, 30  # of more than 32 metrics none is counted
PAIRS = HPAS * METRICS
HURRY = ("--hpa-period-after", "15s")


@pytest.fixture(scope="module")
def kubeconfig():
    """The real HPA controller takes no part."""
    with control_plane("--aggregate-to-endpoints", "--hpa-sync", "3600") as started:
        yield started


class Reads:
    """Reads by an account (None = the own), so many a second, until they are told to end."""

    def __init__(self, cluster, namespace, a_second, user=CONTROLLER):  # noqa: F811
        self.cluster, self.namespace, self.user = cluster, namespace, user
        self.a_second, self.ended, self.failed = a_second, threading.Event(), []
        self.threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(3)]
        for thread in self.threads:
            thread.start()

    def _run(self, number):
        due = time.monotonic() + number / self.a_second
        while not self.ended.wait(max(0, due - time.monotonic())):
            due += len(self.threads) / self.a_second
            answer = self.cluster.api.call_api(
                f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{self.namespace}/pods/*/{METRIC}", "GET",
                query_params=[("labelSelector", "app=server")], auth_settings=["BearerToken"],
                header_params={"Impersonate-User": self.user} if self.user else {}, _return_http_data_only=True, _preload_content=False,
            )
            if answer.status != 200:
                self.failed.append(answer.data)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        assert not self.failed, self.failed[0]


def advice(one):
    return {said["reason"]: said["message"] for said in one.get().get("status", {}).get("advice", [])}


def never(probe, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert not probe(), probe()
        time.sleep(0.5)


def write_status(one):
    """As the HPA's controller writes what it has read."""
    eventually(lambda: one.child("HorizontalPodAutoscaler"), timeout=60)
    set_status(one.cluster, one.child_path("HorizontalPodAutoscaler"), {
        "currentReplicas": 2, "desiredReplicas": 2,
        "conditions": [
            {"type": "AbleToScale", "status": "True", "reason": "SucceededGetScale"},
            {"type": "ScalingActive", "status": "True", "reason": "ValidMetricFound"},
        ],
        "currentMetrics": [
            {"type": "Pods", "pods": {"metric": {"name": f"metric-{i}"}, "current": {"averageValue": "4"}}}
            for i in range(METRICS)
        ],
    })


def beside(cluster, namespace, name):  # noqa: F811
    cluster.apply(deployment(name, namespace, {"app": name}))
    return Autoscaler(cluster, namespace, name).create(
        source="Direct", maxReplicas=4, engine={"type": "VLLM"},
        scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": name})


@pytest.fixture
def serve(cluster, target, replicas):  # noqa: F811
    """Two replicas, started with these options, and the autoscaler that they serve."""

    def start(first, second):
        replicas.start("one", "24h", *first)
        replicas.start("two", "24h", *second)
        one = Autoscaler(cluster, target).create(source="Direct", maxReplicas=4)
        others = [beside(cluster, target, f"beside-{i}") for i in range(HPAS - 1)]
        eventually(lambda: available(cluster), timeout=60)
        eventually(lambda: bundle(cluster).count("BEGIN CERTIFICATE") == 2 and all(r.shown for r in replicas.all), timeout=30)
        eventually(lambda: read(cluster, target)[0] == 200, timeout=30)
        for autoscaler in (one, *others):
            write_status(autoscaler)
        return one

    return start


def test_what_all_replicas_are_asked_together_proves_a_long_period(cluster, target, serve):  # noqa: F811
    one = serve(HURRY, HURRY)
    with Reads(cluster, target, PAIRS / 20):
        # Each replica sees a read of each metric every 40 s.
        never(lambda: advice(one), 40)
        eventually(lambda: all(entry.startswith("reads=") for entry in announced(cluster).values()), timeout=10)
    # What others read is no reading of the controller's.
    with Reads(cluster, target, PAIRS / 120), Reads(cluster, target, 4, None):
        said = eventually(lambda: advice(one).get("HPAPeriodLong"), timeout=90)
    print("", *(entry.splitlines()[0] for entry in announced(cluster).values()), said, sep="\n")
    assert "raise --kube-api-qps (20) and --kube-api-burst (30)" in said
    assert one.condition("Advice")["status"] == "True"
    with Reads(cluster, target, PAIRS / 10):
        eventually(lambda: not advice(one), timeout=90)
    # The controller stands still: that is no period.
    never(lambda: advice(one), 40)


def test_a_replica_that_has_not_counted_for_long_enough_leaves_it_unknown(cluster, target, serve):  # noqa: F811
    one = serve(HURRY, ("--hpa-period-after", "1h"))
    with Reads(cluster, target, PAIRS / 120):
        never(lambda: advice(one), 60)
        assert sum(entry.startswith("reads=") for entry in announced(cluster).values()) == 1
