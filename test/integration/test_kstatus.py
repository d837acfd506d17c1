"""Whoever waits for resources, such as Flux and Helm, reads them by kstatus' rules, and Argo CD by our snippet: what both
say of a real InferenceAutoscaler in each of its states."""

import lupa

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import CHART, eventually
from operator_fixtures import operator  # noqa: F401


def kstatus(resource):
    """As sigs.k8s.io/cli-utils v0.37, pkg/kstatus/status: checkGenericProperties() and checkReadyCondition()."""
    metadata, status = resource["metadata"], resource.get("status", {})
    conditions = status.get("conditions", [])
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if "observedGeneration" in status and status["observedGeneration"] != metadata["generation"]:
        return "InProgress"
    for condition in conditions:
        if condition["type"] in ("Reconciling", "Stalled") and condition["status"] == "True":
            return "InProgress" if condition["type"] == "Reconciling" else "Failed"
    for condition in conditions:
        if condition["type"] == "Ready":
            return "Current" if condition["status"] == "True" else "InProgress"
    return "Current"


def argocd(resource):
    lua = lupa.LuaRuntime()
    lua.globals().obj = lua.table_from(resource, recursive=True)
    return lua.execute((CHART / "files" / "argocd-health.lua").read_text())["status"]


def is_read_as(autoscaler, status, health):
    """What both say, within the time that the operator needs to say so itself; the resource."""
    def reached():
        found = autoscaler.get()
        assert (kstatus(found), argocd(found)) == (status, health), found.get("status")
        return found

    return eventually(reached, timeout=30)


def beside_ready(resource):
    """The condition that goes with Ready, and whether it has Ready's words."""
    found = {c["type"]: (c["reason"], c["message"]) for c in resource["status"]["conditions"]}
    both = [type for type in ("Reconciling", "Stalled") if type in found]
    return both, all(found[type] == found["Ready"] for type in both)


def test_what_no_operator_looked_at_is_in_progress(cluster, stack, target):
    autoscaler = Autoscaler(cluster, target).create()
    found = is_read_as(autoscaler, "InProgress", "Progressing")
    assert found["status"] == {"observedGeneration": -1}
    waited = cluster.kubectl("wait", "--for=condition=Ready", "--timeout=1s", "inferenceautoscaler/gemma", "-n", target,
                             check=False)
    assert waited.returncode != 0


def test_the_first_status_is_in_progress(cluster, target, operator):
    autoscaler = Autoscaler(cluster, target).create()
    eventually(lambda: autoscaler.condition("Ready"), timeout=30)
    assert beside_ready(autoscaler.get()) == (["Reconciling"], True)
    is_read_as(autoscaler, "InProgress", "Progressing")


def test_a_refused_spec_has_failed_until_it_is_edited(cluster, target, operator):
    autoscaler = Autoscaler(cluster, target).create(monitor={"namespace": "kube-system"})
    found = is_read_as(autoscaler, "Failed", "Degraded")
    assert beside_ready(found) == (["Stalled"], True)
    assert autoscaler.condition("Stalled")["reason"] == "InvalidSpec"
    autoscaler.patch({"monitor": None})
    is_read_as(autoscaler, "InProgress", "Progressing")


def test_ready_broken_mended_and_deleted(cluster, working):
    assert beside_ready(is_read_as(working, "Current", "Healthy")) == ([], True)
    working.patch({"paused": True})
    is_read_as(working, "Current", "Suspended")
    working.patch({"paused": False})
    is_read_as(working, "Current", "Healthy")

    rival = {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "by-hand", "namespace": working.namespace},
        "spec": {"maxReplicas": 2, "scaleTargetRef": working.get()["spec"]["scaleTargetRef"],
                 "metrics": [{"type": "Resource", "resource": {
                     "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}]},
    }
    cluster.apply(rival)
    assert beside_ready(is_read_as(working, "Failed", "Degraded")) == (["Stalled"], True)
    assert working.condition("Stalled")["reason"] == "OwnedByAnotherHPA"
    cluster.request("DELETE", f"/apis/autoscaling/v2/namespaces/{working.namespace}/horizontalpodautoscalers/by-hand")
    assert beside_ready(is_read_as(working, "Current", "Healthy")) == ([], True)

    held = {"metadata": {"finalizers": ["example.com/held"]}}
    assert cluster.request("PATCH", working.path, held, content="application/merge-patch+json")[0] == 200
    try:
        working.delete()
        assert kstatus(working.get()) == "Terminating"
    finally:
        freed = {"metadata": {"finalizers": None}}
        cluster.request("PATCH", working.path, freed, content="application/merge-patch+json")
