"""spec.fallback: the HPA's floor goes up while the chain is broken, in time, and comes down when it works again."""

from datetime import datetime

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import eventually
from test_events import events

AFTER_S = 30


def since(condition):
    return datetime.fromisoformat(condition["lastTransitionTime"])


def floor(autoscaler):
    return autoscaler.child("HorizontalPodAutoscaler")["spec"]["minReplicas"]


def replicas(autoscaler):
    path = f"/apis/apps/v1/namespaces/{autoscaler.namespace}/deployments/server"
    return autoscaler.cluster.request("GET", path)[1]["spec"]["replicas"]


def has_floor(autoscaler, count):
    assert floor(autoscaler) == count
    return True


def test_a_broken_link_raises_the_floor_until_it_works(cluster, working):
    fallback = {"replicas": 3, "after": f"{AFTER_S}s"}
    working.patch({"maxReplicas": 5, "fallback": fallback, "engine": {"path": "/nothing"}})
    broken = working.waits_for("Ready", "PageNotServed", timeout=30)
    assert floor(working) == 1 and working.condition("FallbackActive") is None

    active = working.waits_for("FallbackActive", "ChainBroken", timeout=AFTER_S + 15)
    assert AFTER_S <= (since(active) - since(broken)).total_seconds() <= AFTER_S + 3
    assert has_floor(working, 3)
    # An HPA goes to its floor whether it can read its metric or not.
    eventually(lambda: replicas(working) >= 3, timeout=40)

    working.patch({"engine": {"path": None}})
    working.waits_for("Ready", "Ready", timeout=60)
    eventually(lambda: has_floor(working, 1), timeout=5)
    assert working.condition("FallbackActive") is None
    told = [event[:2] for event in events(cluster, working)]
    assert ("Warning", "FallbackActive") in told and ("Normal", "FallbackEnded") in told
