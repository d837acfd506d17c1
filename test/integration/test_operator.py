"""What users rely on from the running operator, against a real API server."""

import signal
import time

import pytest
import yaml

from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    FOREIGN,
    Autoscaler,
    Operator,
    adapter_configmap,
    adapter_deployment,
    new_adapter,
    audit_writes,
    deployment,
    engine_port,
    https_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)

REPAIR_S = 2.0


@pytest.fixture
def autoscaler(cluster, target, operator):
    """An autoscaler whose children are all there."""
    made = Autoscaler(cluster, target).create()
    made.waits_for_children()
    return made


def test_engine_is_found_from_the_pods_own_page(autoscaler, engine_port):
    autoscaler.waits_for("MetricsExposed", "Exposed")
    assert autoscaler.get()["status"]["engine"] == {"type": "VLLM", "port": engine_port, "path": "/metrics"}


def test_a_page_behind_tls_is_read_whoever_signed_it(cluster, target, operator, https_port):
    one = Autoscaler(cluster, target).create(engine={"port": https_port, "scheme": "https"})
    one.waits_for("MetricsExposed", "Exposed")
    assert one.get()["status"]["engine"]["port"] == https_port


def test_children_are_ours_and_go_with_the_autoscaler(autoscaler):
    uid = autoscaler.get()["metadata"]["uid"]
    kinds = ("Service", "ServiceMonitor", "HorizontalPodAutoscaler")
    for kind in kinds:
        owners = autoscaler.child(kind)["metadata"]["ownerReferences"]
        assert [(o["uid"], o["controller"]) for o in owners] == [(uid, True)]
    autoscaler.delete()
    # The garbage collector of a control plane that has just begun looks for our kind every half minute.
    for kind in kinds:
        eventually(lambda kind=kind: autoscaler.child(kind) is None, timeout=60)


def test_monitor_carries_the_label_that_prometheus_selects(autoscaler):
    assert autoscaler.child("ServiceMonitor")["metadata"]["labels"]["release"] == "prometheus"


EDITS = {
    "Service": [
        {"op": "replace", "path": "/spec/ports/0/port", "value": 9999},
        {"op": "add", "path": "/spec/ports/-", "value": {"name": "other", "port": 1234}},
        {"op": "add", "path": "/spec/selector/stray", "value": "label"},
        {"op": "replace", "path": "/spec/selector/app", "value": "other"},
    ],
    "ServiceMonitor": [
        {"op": "remove", "path": "/metadata/labels/release"},
        {"op": "replace", "path": "/spec/endpoints/0/path", "value": "/wrong"},
        {"op": "add", "path": "/spec/endpoints/-", "value": {"port": "other"}},
        {"op": "add", "path": "/spec/selector/matchLabels/stray", "value": "label"},
    ],
    "HorizontalPodAutoscaler": [
        {"op": "replace", "path": "/spec/maxReplicas", "value": 50},
        {"op": "replace", "path": "/spec/metrics/0/pods/metric/name", "value": "other"},
        {"op": "replace", "path": "/spec/behavior/scaleDown/stabilizationWindowSeconds", "value": 0},
        {"op": "remove", "path": "/metadata/labels"},
    ],
}


def meaning(child):
    """What of a child must be as it was: labels, owner and spec."""
    metadata = child["metadata"]
    return metadata.get("labels"), metadata.get("ownerReferences"), child["spec"]


@pytest.mark.parametrize(
    ("kind", "edit"), [(kind, edit) for kind, edits in EDITS.items() for edit in edits],
    ids=lambda value: value if isinstance(value, str) else f"{value['op']}:{value['path']}",
)
def test_an_edited_child_is_repaired(autoscaler, cluster, kind, edit):
    before = meaning(autoscaler.child(kind))
    code, answer = cluster.request(
        "PATCH", autoscaler.child_path(kind), [edit], content="application/json-patch+json"
    )
    assert code == 200, answer
    eventually(lambda: meaning(autoscaler.child(kind)) == before, timeout=REPAIR_S)


@pytest.mark.parametrize("kind", list(EDITS))
def test_a_deleted_child_is_made_again(autoscaler, cluster, kind):
    old = autoscaler.child(kind)["metadata"]["uid"]
    assert cluster.request("DELETE", autoscaler.child_path(kind))[0] == 200

    def again():
        child = autoscaler.child(kind)
        return child and child["metadata"]["uid"] != old

    eventually(again, timeout=REPAIR_S)


def test_rules_are_added_and_stay(cluster, target, new_adapter, operator):
    before = adapter_configmap(cluster)
    one = Autoscaler(cluster, target).create()
    eventually(lambda: "vllm_num_requests_running" in adapter_configmap(cluster).data["config.yaml"])
    during = adapter_configmap(cluster).data["config.yaml"]
    for line in FOREIGN.splitlines(keepends=True):
        assert line in during
    assert yaml.safe_load(during)["rules"][0] == yaml.safe_load(FOREIGN)["rules"][0]
    eventually(lambda: "annotations" in adapter_deployment(cluster)["spec"]["template"]["metadata"])
    generation = adapter_deployment(cluster)["metadata"]["generation"]
    one.delete()
    Autoscaler(cluster, target, "next").create().waits_for("TargetFound", "TargetFound")
    after = adapter_configmap(cluster)
    assert after.data == {"config.yaml": during} and after.metadata.labels == before.metadata.labels
    assert adapter_deployment(cluster)["metadata"]["generation"] == generation


def test_a_second_autoscaler_restarts_no_adapter(cluster, autoscaler):
    eventually(lambda: "annotations" in adapter_deployment(cluster)["spec"]["template"]["metadata"])
    generation = adapter_deployment(cluster)["metadata"]["generation"]
    cluster.apply(deployment("second", autoscaler.namespace, {"app": "second"}, 8000))
    second = Autoscaler(cluster, autoscaler.namespace, "second").create(
        scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "second"}, engine={"type": "VLLM"}
    )
    second.waits_for_children()
    second.waits_for("TargetFound", "TargetFound")
    assert adapter_deployment(cluster)["metadata"]["generation"] == generation


def test_rules_wiped_by_a_third_party_come_back(cluster, autoscaler):
    eventually(lambda: "vllm_num_requests_running" in adapter_configmap(cluster).data["config.yaml"])
    cluster.core.patch_namespaced_config_map("prometheus-adapter", ADAPTER, {"data": {"config.yaml": FOREIGN}})
    eventually(lambda: "vllm_num_requests_running" in adapter_configmap(cluster).data["config.yaml"], timeout=REPAIR_S)


def test_at_rest_nothing_is_written(cluster, autoscaler):
    autoscaler.waits_for("MetricsExposed", "Exposed")

    def settled():
        before = len(audit_writes(cluster.kubeconfig))
        time.sleep(5)
        return len(audit_writes(cluster.kubeconfig)) == before

    eventually(settled, timeout=60)
    before = audit_writes(cluster.kubeconfig)
    assert before, "the audit log shows none of the operator's writes: this test would see nothing"
    time.sleep(60)
    assert audit_writes(cluster.kubeconfig)[len(before):] == []


def test_a_killed_operator_catches_up(cluster, target, operator_kubeconfig, tmp_path):
    first = Operator(operator_kubeconfig, tmp_path / "first.log")
    eventually(first.synced, timeout=20)
    one = Autoscaler(cluster, target).create()
    one.waits_for_children()
    first.stop(signal.SIGKILL)
    one.patch({"maxReplicas": 7})
    second = Operator(operator_kubeconfig, tmp_path / "second.log")
    eventually(lambda: one.child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 7, timeout=60)
    assert second.stop() == 0, second.log()


def test_zero_values_of_behavior_arrive(cluster, target, operator):
    Autoscaler(cluster, target).create(behavior={"scaleDown": {"stabilizationWindowSeconds": 0}})
    one = Autoscaler(cluster, target)
    one.waits_for_children()
    down = one.child("HorizontalPodAutoscaler")["spec"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] == 0


def test_a_paused_autoscaler_holds_the_replicas(cluster, autoscaler):
    autoscaler.patch({"paused": True})

    def held():
        spec = autoscaler.child("HorizontalPodAutoscaler")["spec"]
        return (spec["minReplicas"], spec["maxReplicas"]) == (1, 1)

    eventually(held)
    autoscaler.patch({"paused": False})
    eventually(lambda: autoscaler.child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 5)


def test_status_speaks_of_the_generation(autoscaler):
    autoscaler.patch({"maxReplicas": 7})
    generation = autoscaler.get()["metadata"]["generation"]
    eventually(lambda: autoscaler.get().get("status", {}).get("observedGeneration") == generation)
