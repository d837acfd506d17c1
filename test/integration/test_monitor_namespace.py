"""A ServiceMonitor in another namespace: no owner takes it along, so the operator does."""

import pytest
from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    Operator,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)

MONITORS = "/apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors/{}"


@pytest.fixture
def abroad(cluster, request):
    """Another namespace than the autoscaler's; one that was deleted is not to be had again."""
    name = getattr(request, "param", "monitors")
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.core.delete_namespace(name)


def exists(cluster, namespace, name):
    return cluster.request("GET", MONITORS.format(namespace, name))[0] == 200


ALLOWED = pytest.mark.parametrize("operator", [("--tenant-monitor-namespaces", "other,monitors")], indirect=True)


@ALLOWED
def test_it_moves_out_home_and_away(cluster, operator, target, abroad):  # noqa: F811
    moved = f"{target}.gemma"
    autoscaler = Autoscaler(cluster, target).create()
    eventually(lambda: autoscaler.child("ServiceMonitor"), timeout=10)

    autoscaler.patch({"monitor": {"namespace": abroad}})
    eventually(lambda: exists(cluster, abroad, moved), timeout=5)
    eventually(lambda: not autoscaler.child("ServiceMonitor"), timeout=5)
    monitor = cluster.request("GET", MONITORS.format(abroad, moved))[1]
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": [target]}
    assert "ownerReferences" not in monitor["metadata"]

    assert cluster.request("DELETE", MONITORS.format(abroad, moved))[0] == 200
    eventually(lambda: exists(cluster, abroad, moved), timeout=2)

    autoscaler.patch({"monitor": None})
    eventually(lambda: autoscaler.child("ServiceMonitor") and not exists(cluster, abroad, moved), timeout=5)

    autoscaler.patch({"monitor": {"namespace": abroad}})
    eventually(lambda: exists(cluster, abroad, moved), timeout=5)
    autoscaler.delete()
    eventually(lambda: not exists(cluster, abroad, moved), timeout=5)


@pytest.mark.parametrize("abroad", ["monitors-before"], indirect=True)
def test_what_is_not_allowed_any_more_goes(cluster, operator_kubeconfig, target, abroad, tmp_path):  # noqa: F811
    """As after an upgrade from an operator that allowed all: the ServiceMonitor goes, what is the namespace's own stays."""
    moved = f"{target}.gemma"
    autoscaler = Autoscaler(cluster, target)
    before = Operator(operator_kubeconfig, tmp_path / "before.log", "--tenant-monitor-namespaces", "*")
    try:
        autoscaler.create(monitor={"namespace": abroad})
        eventually(lambda: exists(cluster, abroad, moved), timeout=20)
        eventually(lambda: autoscaler.child("HorizontalPodAutoscaler"), timeout=10)
    finally:
        assert before.stop() == 0
    # Of an autoscaler of the same name elsewhere.
    others = cluster.request("GET", MONITORS.format(abroad, moved))[1]
    others["metadata"] = {"name": "bank.gemma", "namespace": abroad, "labels": {
        **others["metadata"]["labels"], "inference-autoscaler.io/autoscaler-namespace": "bank"}}
    cluster.apply(others)

    after = Operator(operator_kubeconfig, tmp_path / "after.log")
    try:
        message = autoscaler.waits_for("Accepted", "InvalidSpec")["message"]
        assert f"spec.monitor.namespace '{abroad}'" in message and "tenants.monitorNamespaces" in message
        eventually(lambda: not exists(cluster, abroad, moved), timeout=5)
        assert exists(cluster, abroad, "bank.gemma")
        assert autoscaler.child("HorizontalPodAutoscaler") and autoscaler.child("Service")

        autoscaler.patch({"monitor": None})
        eventually(lambda: autoscaler.child("ServiceMonitor"), timeout=5)
    finally:
        assert after.stop() == 0
        autoscaler.delete()
