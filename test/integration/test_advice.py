"""Advice: what will hurt although no link is broken; it comes and goes with its cause, and Ready does not mind."""

import re

import pytest

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import eventually
from operator_fixtures import Page, asks, edit_pod, explained, listening_port

ADAPTER_PATH = "/apis/apps/v1/namespaces/monitoring/deployments/prometheus-adapter"


def advice(autoscaler):
    """{reason: message} of the status; the condition must be the sum of it."""
    status = autoscaler.get()["status"]
    found = {one["reason"]: one["message"] for one in status.get("advice", [])}
    conditions = {c["type"]: c for c in status["conditions"]}
    if found:
        summary = conditions["Advice"]
        assert summary["status"] == "True" and summary["reason"] == next(iter(found)), summary
        assert summary["message"] == "; ".join(found.values())
    else:
        assert "Advice" not in conditions
    return found


def events(cluster, autoscaler, reason):
    """(type, times told) of the autoscaler's Events with this reason."""
    path = f"/apis/events.k8s.io/v1/namespaces/{autoscaler.namespace}/events"
    return [
        (e["type"], e.get("series", {}).get("count", 1)) for e in cluster.request("GET", path)[1]["items"]
        if e["regarding"]["name"] == autoscaler.name and e["reason"] == reason
    ]


def patch(cluster, path, body):
    code, answer = cluster.request("PATCH", path, body, content="application/strategic-merge-patch+json")
    assert code == 200, answer


@pytest.fixture
def adapter(cluster):
    """Changes the adapter's Deployment; as it was at the end."""
    before = cluster.request("GET", ADAPTER_PATH)[1]["spec"]["replicas"]
    yield lambda spec: patch(cluster, ADAPTER_PATH, {"spec": spec})
    patch(cluster, ADAPTER_PATH, {"spec": {"replicas": before}})


def test_advice_comes_and_goes_with_its_cause(cluster, working):
    container = {"name": "server", "args": ["--max-num-seqs", "4"]}
    deployment = f"/apis/apps/v1/namespaces/{working.namespace}/deployments/server"
    ready = working.condition("Ready")
    assert "TargetUnreachable" not in advice(working)
    working.patch({"requests": {"target": 4}})

    # The pods of before go on serving: the roll-out waits, and the chain with it.
    patch(cluster, deployment, {"spec": {"paused": True}})
    patch(cluster, deployment, {"spec": {"template": {"spec": {"containers": [container]}}}})
    said = eventually(lambda: advice(working).get("TargetUnreachable"), timeout=15)
    assert "spec.requests.target" in said and "--max-num-seqs of container 'server'" in said, said
    assert next(iter(advice(working))) == "TargetUnreachable"
    eventually(lambda: events(cluster, working, "TargetUnreachable") == [("Warning", 1)])

    # The remedy, word for word.
    assert "set spec.requests.target to 3 or less" in said
    working.patch({"requests": {"target": 3}})
    eventually(lambda: "TargetUnreachable" not in advice(working), timeout=15)
    working.waits_for("Ready", "Ready", timeout=30)
    assert working.condition("Ready")["lastTransitionTime"] == ready["lastTransitionTime"]
    assert events(cluster, working, "TargetUnreachable") == [("Warning", 1)]


@pytest.fixture
def slow(working, monkeypatch):
    """The engine has served 200 requests, of which the slowest took 30 to 40 s."""
    served = re.sub(rb'(vllm:e2e_request_latency_seconds_bucket\{[^}]*le="(?:[4-9]0\.0|[0-9]{3,}\.0|\+Inf)"[^}]*\}) 0\.0',
                    rb"\1 200.0", Page.page)
    assert served != Page.page
    monkeypatch.setattr(Page, "page", served)
    return working


def test_requests_that_outlast_their_pod(cluster, slow):
    deployment = f"/apis/apps/v1/namespaces/{slow.namespace}/deployments/server"
    edit_pod(cluster, slow.namespace)  # a page that was read well stands for two minutes or so else
    said = eventually(lambda: advice(slow).get("DrainTooShort"), timeout=30)
    assert "1 of 100 requests takes 30 to 40 s" in said and f"Deployment '{slow.namespace}/server'" in said, said
    eventually(lambda: events(cluster, slow, "DrainTooShort") == [("Warning", 1)])

    assert "spec.template.spec.terminationGracePeriodSeconds" in said and said.endswith("set it to 40 or more")
    patch(cluster, deployment, {"spec": {"paused": True}})  # the pod of before goes on serving
    patch(cluster, deployment, {"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 40}}}})
    eventually(lambda: "DrainTooShort" not in advice(slow), timeout=15)


def test_the_adapters_only_pod(cluster, working, adapter):
    said = eventually(lambda: advice(working).get("OneAdapterReplica"), timeout=15)
    # It was so on the way up already: the status tells it, and no Event.
    assert events(cluster, working, "OneAdapterReplica") == []
    port = listening_port(working.operator.process.pid)
    (told,) = explained(cluster, port)["items"]
    assert {"reason": "OneAdapterReplica", "message": said} in told["advice"]
    page = explained(cluster, port, "/explain.txt")
    assert f"advice    OneAdapterReplica: {said}\n" in page
    _, samples = asks(port, "/metrics")
    assert (
        f'inference_autoscaler_advice{{autoscaler_namespace="{working.namespace}",autoscaler="gemma",'
        'reason="OneAdapterReplica"} 1\n'
    ) in samples

    # The command is in the message.
    command = said[said.index("kubectl "):said.index(", or set")].split()
    cluster.kubectl(*command[1:])
    eventually(lambda: "OneAdapterReplica" not in advice(working), timeout=15)
