"""A delivery tool that has another version of a child of ours: it is left alone, and who does it is said."""

import pytest
from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    audit_writes,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)

HPA = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers/gemma"
MONITOR = "/apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors/gemma"
REVERTS = 100


@pytest.mark.parametrize("kind,path,spec,resource", [
    ("HorizontalPodAutoscaler", HPA, {"maxReplicas": 77}, "horizontalpodautoscalers"),
    ("ServiceMonitor", MONITOR, {"sampleLimit": 77}, "servicemonitors"),
])
def test_a_child_that_is_changed_back_is_left_alone(cluster, operator, target, kind, path, spec, resource):  # noqa: F811
    mine = Autoscaler(cluster, target).create()
    mine.waits_for_children()
    path, (field, wrong) = path.format(target), *spec.items()
    wanted = mine.child(kind)["spec"][field]

    def revert():
        code, answer = cluster.request("PATCH", path, {"spec": spec}, [("fieldManager", "argocd-controller")],
                                       content="application/merge-patch+json")
        assert code == 200, answer

    before = len(audit_writes(cluster.kubeconfig))
    for _ in range(2):
        revert()
        eventually(lambda: mine.child(kind)["spec"][field] == wanted, timeout=30)
    for _ in range(REVERTS):
        revert()
    found = mine.waits_for("Ready", "RevertedBy", timeout=30)
    assert found["status"] == "False"
    for word in (kind, f"'{target}/gemma'", "'argocd-controller'", "ignore its differences"):
        assert word in found["message"], found["message"]
    assert mine.child(kind)["spec"][field] == wrong
    mends = [one for one in audit_writes(cluster.kubeconfig)[before:] if one[1] == resource and one[0] == "patch"]
    # A claim of the fields goes before the first.
    assert 2 <= len(mends) <= 4, mends

    # Who ends it by hand, or another spec, is served at once.
    mine.patch({"maxReplicas": 8})
    if kind == "HorizontalPodAutoscaler":
        eventually(lambda: mine.child(kind)["spec"]["maxReplicas"] == 8, timeout=30)
    else:
        fixed = {"spec": {field: wanted}}
        assert cluster.request("PATCH", path, fixed, [("fieldManager", "a-hand")], content="application/merge-patch+json")[0] == 200
    eventually(lambda: (mine.condition("Ready") or {}).get("reason") not in (None, "RevertedBy"), timeout=30)
