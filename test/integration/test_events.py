"""Events: one when an autoscaler breaks, one when it works, none while nothing happens."""

import time

import pytest

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import eventually


def events(cluster, autoscaler):
    """(type, reason, times told) of each Event about the autoscaler, oldest first."""
    path = f"/apis/events.k8s.io/v1/namespaces/{autoscaler.namespace}/events"
    code, answer = cluster.request("GET", path)
    assert code == 200, answer
    found = [
        e for e in answer["items"]
        if e["regarding"]["kind"] == "InferenceAutoscaler" and e["regarding"]["name"] == autoscaler.name
    ]
    found.sort(key=lambda e: e["eventTime"])
    return [(e["type"], e["reason"], e.get("series", {}).get("count", 1)) for e in found]


def another_hpa(namespace):
    """Breaks the chain at once, and mends it when it goes."""
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "theirs", "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"}, "maxReplicas": 1,
            "metrics": [{"type": "Resource", "resource": {
                "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50},
            }}],
        },
    }


@pytest.fixture
def steps(cluster, working):
    """Breaks and mends the working autoscaler."""
    path = f"/apis/autoscaling/v2/namespaces/{working.namespace}/horizontalpodautoscalers/theirs"

    def break_it():
        cluster.apply(another_hpa(working.namespace))
        working.waits_for("Ready", "OwnedByAnotherHPA")

    def mend_it():
        assert cluster.request("DELETE", path)[0] == 200
        working.waits_for("Ready", "Ready")

    return break_it, mend_it


def test_each_flip_is_told_once(cluster, working, steps):
    break_it, mend_it = steps
    # The way up: what is only young is not broken, and no news.
    def news():
        """The Events but for advice, which may come at any time."""
        advice = {advice["reason"] for advice in working.get()["status"].get("advice", [])}
        return [event for event in events(cluster, working) if event[1] not in advice]

    start = eventually(lambda: ("Normal", "Ready", 1) in (found := news()) and found)
    assert not [event for event in start if event[0] == "Warning"]

    break_it()
    broken = eventually(lambda: (found := news()) != start and found)
    assert broken == [*start, ("Warning", "OwnedByAnotherHPA", 1)]
    mend_it()
    # The same news within six minutes is the same Event, told twice.
    again = [("Normal", "Ready", 2) if e[1] == "Ready" else e for e in broken]
    eventually(lambda: news() == again)

    for show in (
        ["describe", "inferenceautoscaler", working.name, "-n", working.namespace],
        ["events", "--for", f"inferenceautoscaler/{working.name}", "-n", working.namespace],
    ):
        shown = cluster.kubectl(*show).stdout
        assert "HorizontalPodAutoscaler" in shown and "OwnedByAnotherHPA" in shown, shown


def test_at_rest_nothing_is_told(cluster, working):
    eventually(lambda: ("Normal", "Ready", 1) in events(cluster, working))
    before = events(cluster, working)
    # Passes that change nothing: an edit of the labels, and the probes' own rounds.
    for value in range(3):
        cluster.kubectl(
            "label", "inferenceautoscaler", working.name, "-n", working.namespace, "--overwrite", f"touched=v{value}"
        )
        time.sleep(5)
    assert events(cluster, working) == before
