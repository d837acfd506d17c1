"""A target of a kind that the operator does not watch, known by its scale subresource alone."""

import pytest
from conftest import eventually, install_crd
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    engine_port,
    make_pod_ready,
    operator,
    operator_kubeconfig,
    stack,
)

GROUP = "leaderworkerset.x-k8s.io"
SETS = f"/apis/{GROUP}/v1/namespaces/{{}}/leaderworkersets"
TARGET = {"apiVersion": f"{GROUP}/v1", "kind": "LeaderWorkerSet", "name": "sets"}
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
    "metadata": {"name": f"leaderworkersets.{GROUP}",
                 "annotations": {"api-approved.kubernetes.io": "unapproved, a test's"}},
    "spec": {
        "group": GROUP, "scope": "Namespaced",
        "names": {"plural": "leaderworkersets", "singular": "leaderworkerset", "kind": "LeaderWorkerSet"},
        "versions": [{
            "name": "v1", "served": True, "storage": True,
            "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            "subresources": {"status": {}, "scale": {
                "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas",
                "labelSelectorPath": ".status.selector",
            }},
        }],
    },
}


@pytest.fixture(scope="module")
def kind(cluster):
    install_crd(cluster, CRD)
    yield
    cluster.extensions.delete_custom_resource_definition(CRD["metadata"]["name"])


@pytest.fixture
def sets(cluster, kind, namespace, engine_port):  # noqa: F811
    """A LeaderWorkerSet of one ready pod; its controller is the test."""
    cluster.apply(
        {"apiVersion": f"{GROUP}/v1", "kind": "LeaderWorkerSet", "metadata": {"name": "sets", "namespace": namespace},
         "spec": {"replicas": 1}},
        {"apiVersion": "v1", "kind": "Pod",
         "metadata": {"name": "sets-0", "namespace": namespace, "labels": {"app": "sets"}},
         "spec": {"containers": [{"name": "server", "image": "none", "ports": [{"containerPort": engine_port}]}]}},
    )
    status, answer = cluster.request(
        "PATCH", SETS.format(namespace) + "/sets/status", {"status": {"replicas": 1, "selector": "app=sets"}},
        content="application/merge-patch+json")
    assert status == 200, answer
    make_pod_ready(cluster, namespace, "app=sets")
    return namespace


def test_its_pods_are_found(cluster, operator, sets, engine_port):  # noqa: F811
    autoscaler = Autoscaler(cluster, sets).create(scaleTargetRef=TARGET)
    autoscaler.waits_for("MetricsExposed", "Exposed")
    assert autoscaler.condition("TargetFound")["status"] == "True"
    status = autoscaler.get()["status"]
    assert status["engine"]["port"] == engine_port
    assert status["replicas"] == {"current": 1, "desired": 1}
    hpa = eventually(lambda: autoscaler.child("HorizontalPodAutoscaler"))
    assert hpa["spec"]["scaleTargetRef"] == TARGET
    assert autoscaler.child("Service")["spec"]["selector"] == {"app": "sets"}


def test_one_that_is_not_there(cluster, operator, kind, namespace):  # noqa: F811
    Autoscaler(cluster, namespace).create(scaleTargetRef=TARGET).waits_for("TargetFound", "TargetNotFound")


def test_a_kind_without_a_scale(cluster, operator, namespace):  # noqa: F811
    target = {"apiVersion": "batch/v1", "kind": "Job", "name": "sets"}
    autoscaler = Autoscaler(cluster, namespace).create(scaleTargetRef=target)
    autoscaler.waits_for("TargetFound", "KindNotScalable")
