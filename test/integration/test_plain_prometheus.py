"""A cluster without a Prometheus resource: a plain Prometheus finds the pods by itself, under a job of its own, and its
address is all that the operator is told."""

import pytest

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    adapter_comes_up,
    rules_with_ours,
    working,
)
from conftest import eventually
from operator_fixtures import (  # noqa: F401
    ADAPTER,
    Autoscaler,
    engine_port,
    operator_kubeconfig,
    stack,
    target,
)

PROMETHEUSES = f"/apis/monitoring.coreos.com/v1/namespaces/{ADAPTER}/prometheuses"
# A new monitor has 95 s, and two intervals, before it is missed: nothing of this may take as long.
SOON = 60


@pytest.fixture
def plain(cluster, working):
    """The chain of a moment ago without its autoscaler and the Prometheus resource, which comes back at the end."""
    kept = cluster.request("GET", f"{PROMETHEUSES}/k8s")[1]
    (ours,) = working.prometheus.get()
    (static,) = ours["static_configs"]
    labels = {name: static["labels"][name] for name in ("namespace", "pod")}
    # Of a job that is gone altogether Prometheus would count the last samples for five minutes more.
    gone = ours | {"static_configs": []}
    working.prometheus.set([gone, ours | {"job_name": "pods", "static_configs": [static | {"labels": labels}]}])
    working.delete()
    eventually(lambda: working.child("HorizontalPodAutoscaler") is None, timeout=30)
    adapter_comes_up(cluster)
    assert cluster.request("DELETE", f"{PROMETHEUSES}/k8s")[0] == 200
    try:
        yield working.prometheus
    finally:
        cluster.apply({"apiVersion": kept["apiVersion"], "kind": kept["kind"], "spec": kept["spec"],
                       "metadata": {"name": "k8s", "namespace": ADAPTER}})


def test_it_is_ready_as_soon_as_values_arrive(cluster, target, plain):
    autoscaler = Autoscaler(cluster, target).create(maxReplicas=1)
    eventually(lambda: rules_with_ours(cluster), timeout=20)
    adapter_comes_up(cluster)
    autoscaler.waits_for("Ready", "Ready", timeout=SOON)
    autoscaler.waits_for("ScrapeSelected", "NoResource")
    autoscaler.waits_for("ScrapeHealthy", "ScrapedByOthers")


def test_it_is_not_ready_while_none_arrives(cluster, target, plain):
    plain.set([job | {"static_configs": []} for job in plain.get()])
    autoscaler = Autoscaler(cluster, target).create(maxReplicas=1)
    autoscaler.waits_for("ScrapeHealthy", "Waiting", timeout=SOON)
    assert autoscaler.condition("Ready")["status"] == "Unknown"
