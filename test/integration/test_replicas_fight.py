"""Somebody who sets the target's replicas back after each step of the HPA."""

from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)

PATH = "/apis/apps/v1/namespaces/{}/deployments/server"


def scale(cluster, namespace, replicas, manager, subresource=""):
    """Sets spec.replicas as this field manager."""
    code, answer = cluster.request(
        "PATCH", PATH.format(namespace) + subresource, {"spec": {"replicas": replicas}},
        content="application/merge-patch+json", query=[("fieldManager", manager)])
    assert code == 200, answer


def step_and_back(cluster, namespace, manager):
    """What the HPA controller does, and what this one does then."""
    scale(cluster, namespace, 3, "kube-controller-manager", "/scale")
    scale(cluster, namespace, 1, manager)


def test_who_sets_back_is_named_at_the_second_time(cluster, operator, target):  # noqa: F811
    autoscaler = Autoscaler(cluster, target).create()
    autoscaler.waits_for("TargetExclusive", "Exclusive")
    autoscaler.waits_for_children()
    step_and_back(cluster, target, "runtime-operator")
    # An edit that is answered for shows that the first time was read, and believed to be a person's.
    autoscaler.patch({"maxReplicas": 3})
    autoscaler.waits_for("TargetExclusive", "Exclusive")
    step_and_back(cluster, target, "runtime-operator")
    found = autoscaler.waits_for("TargetExclusive", "ReplicasSetBack")
    assert "'runtime-operator' sets spec.replicas of Deployment" in found["message"], found
    assert autoscaler.child("HorizontalPodAutoscaler"), "the HPA is left in place"


def test_two_people_are_no_fight(cluster, operator, target):  # noqa: F811
    autoscaler = Autoscaler(cluster, target).create()
    autoscaler.waits_for("TargetExclusive", "Exclusive")
    step_and_back(cluster, target, "kubectl-scale")
    step_and_back(cluster, target, "kubectl-edit")
    autoscaler.patch({"maxReplicas": 3})
    autoscaler.waits_for("TargetExclusive", "Exclusive")
