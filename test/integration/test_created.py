"""A child that was made by a create is kept as one that was made by an apply: the real API server has the last word."""

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

OURS = "inference-autoscaler"
HPA, MONITOR = "HorizontalPodAutoscaler", "ServiceMonitor"


@pytest.fixture
def made(cluster, target, operator):
    """An autoscaler with what can be taken out of its spec again."""
    one = Autoscaler(cluster, target).create(
        behavior={"scaleDown": {"stabilizationWindowSeconds": 7, "selectPolicy": "Min"}},
        monitor={"labels": {"release": "prometheus", "extra": "yes"}})
    one.waits_for_children()
    return one


def operations(child):
    """By which our fields of the child are managed, but for those of a subresource."""
    return [entry["operation"] for entry in child["metadata"]["managedFields"]
            if entry["manager"] == OURS and "subresource" not in entry]


def label_it(cluster, one, kind, manager="someone"):
    """Another manager's field."""
    code, answer = cluster.request(
        "PATCH", one.child_path(kind), {"metadata": {"labels": {"theirs": "stays"}}}, [("fieldManager", manager)],
        content="application/merge-patch+json")
    assert code == 200, answer


def test_a_new_child_is_created(cluster, made):
    assert [operations(made.child(kind)) for kind in ("Service", MONITOR, HPA)] == [["Update"]] * 3


def test_a_field_that_is_no_longer_wanted_goes(cluster, made):
    for kind in (HPA, MONITOR):
        label_it(cluster, made, kind)
    made.patch({"behavior": None, "monitor": {"labels": {"extra": None}}})
    # By default the API server chooses the policy that changes most.
    eventually(lambda: made.child(HPA)["spec"]["behavior"]["scaleDown"]["selectPolicy"] == "Max")
    eventually(lambda: "extra" not in made.child(MONITOR)["metadata"]["labels"])
    assert made.child(HPA)["spec"]["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    for kind in (HPA, MONITOR):
        child = made.child(kind)
        assert child["metadata"]["labels"]["theirs"] == "stays"
        assert operations(child) == ["Apply"]


def test_the_fields_are_claimed_once(cluster, made):
    def writes():
        return [name for _, resource, name in audit_writes(cluster.kubeconfig)
                if resource == "horizontalpodautoscalers" and name == made.name]

    counts = []
    for seconds in (8, 9):
        made.patch({"behavior": {"scaleDown": {"stabilizationWindowSeconds": seconds}}})
        eventually(lambda seconds=seconds: made.child(HPA)["spec"]["behavior"]["scaleDown"][
            "stabilizationWindowSeconds"] == seconds)
        counts.append(len(writes()))
    assert counts[1] == counts[0] + 1


@pytest.mark.parametrize("kind", [HPA, MONITOR])
def test_a_field_that_was_edited_comes_back(cluster, made, kind):
    before = made.child(kind)["spec"]
    path = {HPA: "/spec/maxReplicas", MONITOR: "/spec/endpoints/0/path"}[kind]
    edit = [{"op": "replace", "path": path, "value": {HPA: 77, MONITOR: "/elsewhere"}[kind]}]
    code, answer = cluster.request("PATCH", made.child_path(kind), edit, content="application/json-patch+json")
    assert code == 200, answer
    eventually(lambda: made.child(kind)["spec"] == before)
    assert operations(made.child(kind)) == ["Apply"]
