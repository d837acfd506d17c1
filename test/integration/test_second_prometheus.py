"""A second Prometheus resource appears: a ServiceMonitor that is selected stays so, and gains what contradicts nobody."""

import time
import uuid

import pytest

from chain_fixtures import working  # noqa: F401  (fixtures are found by name)
from conftest import eventually
from operator_fixtures import (  # noqa: F401
    ADAPTER,
    Autoscaler,
    Operator,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)


@pytest.fixture
def another(cluster, stack):
    """Makes a Prometheus, or an agent, that selects in all namespaces, in one that sorts before that of the first, or in
    another; its path."""
    team = f"apm-{uuid.uuid4().hex[:8]}"
    cluster.core.create_namespace({"metadata": {"name": team}})
    made = []

    def make(name, selector, version="v1", kind="Prometheus", plural="prometheuses", namespace=team):
        cluster.apply({
            "apiVersion": f"monitoring.coreos.com/{version}",
            "kind": kind,
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"replicas": 0, "serviceMonitorNamespaceSelector": {}, "serviceMonitorSelector": selector},
        })
        made.append(f"/apis/monitoring.coreos.com/{version}/namespaces/{namespace}/{plural}/{name}")
        return made[-1]

    yield make
    for path in made:
        cluster.request("DELETE", path)
    cluster.core.delete_namespace(team)


def monitor(autoscaler):
    """Its version, and the labels that are not our own."""
    metadata = autoscaler.child("ServiceMonitor")["metadata"]
    return metadata["resourceVersion"], {k: v for k, v in metadata["labels"].items() if "/" not in k}


def test_the_one_that_selects_us_keeps_us(cluster, target, operator, operator_kubeconfig, another, tmp_path):
    autoscaler = Autoscaler(cluster, target).create()
    eventually(lambda: autoscaler.child("ServiceMonitor"), timeout=20)
    before = monitor(autoscaler)
    assert before[1] == {"release": "prometheus"}
    another("kps", {"matchLabels": {"release": "kps"}})
    another("no-release", {"matchExpressions": [{"key": "release", "operator": "DoesNotExist"}]})
    time.sleep(5)
    assert monitor(autoscaler) == before
    # An operator that starts remembers nothing; the ServiceMonitor does.
    assert operator.stop() == 0
    second = Operator(operator_kubeconfig, tmp_path / "second.log")
    try:
        eventually(second.synced, timeout=20)
        time.sleep(5)
        assert monitor(autoscaler) == before
        another("team", {"matchLabels": {"team": "apm"}})
        path = another("platform", {"matchLabels": {"long-term": "yes"}}, namespace=ADAPTER)
        eventually(lambda: monitor(autoscaler)[1] == {"release": "prometheus", "long-term": "yes"})
        cluster.request("DELETE", path)
        eventually(lambda: monitor(autoscaler)[1] == {"release": "prometheus"})
    finally:
        assert second.stop() == 0, second.log()


def test_an_agent_gets_its_label(cluster, target, operator, another):
    autoscaler = Autoscaler(cluster, target).create()
    eventually(lambda: autoscaler.child("ServiceMonitor"), timeout=20)
    path = another("agent", {"matchLabels": {"scrape": "agent"}}, "v1alpha1", "PrometheusAgent", "prometheusagents", ADAPTER)
    eventually(lambda: monitor(autoscaler)[1] == {"release": "prometheus", "scrape": "agent"})
    cluster.request("DELETE", path)
    eventually(lambda: monitor(autoscaler)[1] == {"release": "prometheus"})


def test_a_chain_stays_ready(cluster, working, another):
    before = monitor(working)
    since = working.condition("Ready")["lastTransitionTime"]
    another("kps", {"matchLabels": {"release": "kps"}})
    another("all", {})
    time.sleep(10)
    ready = working.condition("Ready")
    assert (ready["status"], ready["lastTransitionTime"]) == ("True", since)
    assert monitor(working) == before
