"""A ServiceMonitor in another namespace: no owner takes it along, so the operator does."""

import pytest
from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)

MONITORS = "/apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors/{}"


@pytest.fixture
def abroad(cluster):
    """Another namespace than the autoscaler's."""
    name = "monitors"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    cluster.core.delete_namespace(name)


def exists(cluster, namespace, name):
    return cluster.request("GET", MONITORS.format(namespace, name))[0] == 200


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
