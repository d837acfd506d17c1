"""What is wrong in the world gets a sentence, never a crash, never a change to others' objects."""

import os
import subprocess

import pytest
import yaml

from conftest import CRD_FILE, eventually, install_crd
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    FOREIGN,
    OPERATOR,
    REPO,
    Autoscaler,
    Operator,
    adapter_configmap,
    adapter_deployment,
    deployment,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)


def run_operator(*args, env=None, timeout=20):
    """An operator that is expected to end by itself."""
    return subprocess.run(
        [OPERATOR, "run", "--listen", "127.0.0.1:0", *args],
        capture_output=True, text=True, timeout=timeout, env=os.environ | (env or {}),
    )


BROKEN_KUBECONFIGS = {
    "not YAML": ("clusters: [", "kubeconfig"),
    "no clusters": ("apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: c}}]\n", "c"),
    "unknown context": ("apiVersion: v1\nkind: Config\ncurrent-context: gone\n", "gone"),
}


@pytest.mark.parametrize("case", list(BROKEN_KUBECONFIGS))
def test_a_broken_kubeconfig_is_named(case, tmp_path):
    text, said = BROKEN_KUBECONFIGS[case]
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    done = run_operator("--kubeconfig", str(path))
    assert done.returncode == 1
    assert str(path) in done.stderr and said in done.stderr
    assert "Sanitizer" not in done.stderr


def test_a_missing_kubeconfig_is_named(tmp_path):
    done = run_operator("--kubeconfig", str(tmp_path / "none"))
    assert done.returncode == 1
    assert str(tmp_path / "none") in done.stderr


def test_wrong_usage_ends_2():
    done = run_operator("--no-such-option")
    assert done.returncode == 2 and "--no-such-option" in done.stderr and "--help" in done.stderr


def test_an_unreachable_server_is_said_and_waited_for(operator_kubeconfig, tmp_path):
    config = yaml.safe_load(operator_kubeconfig.read_text())
    for cluster in config["clusters"]:
        cluster["cluster"]["server"] = "https://127.0.0.1:1"
    path = tmp_path / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    lost = Operator(path, tmp_path / "operator.log")
    eventually(lambda: "127.0.0.1:1" in lost.log() and "cannot" in lost.log(), timeout=15)
    assert lost.process.poll() is None
    assert lost.stop() == 0, lost.log()
    assert "Sanitizer" not in lost.log()


def test_a_missing_target_is_said_and_noticed_when_it_comes(cluster, namespace, operator):
    one = Autoscaler(cluster, namespace).create(engine={"type": "VLLM"})
    condition = one.waits_for("Ready", "TargetNotFound")
    assert "Deployment" in condition["message"] and "server" in condition["message"]
    cluster.apply(deployment("server", namespace, {"app": "server"}, 8000))
    one.waits_for_children()


def test_an_invalid_adapter_configuration_is_said_and_left_alone(cluster, target, operator):
    broken = "rules:\n  - seriesQuery: 'a'\n bad indentation: [\n"
    cluster.core.patch_namespaced_config_map("prometheus-adapter", ADAPTER, {"data": {"config.yaml": broken}})
    generation = adapter_deployment(cluster)["metadata"]["generation"]
    try:
        Autoscaler(cluster, target).create().waits_for_children()
        eventually(lambda: "ConfigMap 'monitoring/prometheus-adapter', key 'config.yaml', was left as it is" in operator.log())
        assert adapter_configmap(cluster).data["config.yaml"] == broken
        assert adapter_deployment(cluster)["metadata"]["generation"] == generation
    finally:
        cluster.core.patch_namespaced_config_map("prometheus-adapter", ADAPTER, {"data": {"config.yaml": FOREIGN}})
    eventually(lambda: "vllm_num_requests_running" in adapter_configmap(cluster).data["config.yaml"])


def test_somebody_elses_object_under_our_name_is_left_alone(cluster, target, operator):
    foreign = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "gemma-metrics", "namespace": target, "labels": {"team": "web"}},
        "spec": {"ports": [{"port": 80}]},
    }
    cluster.apply(foreign)
    one = Autoscaler(cluster, target).create()
    before = one.child("Service")
    condition = one.waits_for("TargetExclusive", "NameTaken")
    assert f"Service '{target}/gemma-metrics'" in condition["message"]
    assert one.child("Service") == before
    assert one.child("HorizontalPodAutoscaler") is None
    cluster.core.delete_namespaced_service("gemma-metrics", target)
    one.waits_for_children()


def test_another_hpa_on_the_target_is_named(cluster, target, operator):
    cluster.apply({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "by-hand", "namespace": target},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"},
            "maxReplicas": 3,
        },
    })
    one = Autoscaler(cluster, target).create()
    condition = one.waits_for("TargetExclusive", "OwnedByAnotherHPA")
    assert "by-hand" in condition["message"]
    assert one.child("HorizontalPodAutoscaler") is None


def test_prometheus_operators_types_missing_and_arriving_later(cluster, target, operator, stack):
    names = ["servicemonitors.monitoring.coreos.com"]
    cluster.kubectl("delete", "crd", *names, "--wait=true")
    try:
        one = Autoscaler(cluster, target).create()
        eventually(lambda: one.child("HorizontalPodAutoscaler"))
        one.waits_for("ScrapeSelected", "PrometheusOperatorMissing", timeout=40)
    finally:
        subprocess.run(
            [REPO / "hack" / "stack", "crds"], check=True, env=os.environ | {"KUBECONFIG": cluster.kubeconfig}
        )
    one.waits_for("ScrapeSelected", "Selected", timeout=40)
    eventually(lambda: one.child("ServiceMonitor"), timeout=10)


def test_our_own_type_missing_and_arriving_later(cluster, target, operator, crd):
    cluster.kubectl("delete", "crd", CRD_FILE.stem + ".inference-autoscaler.io", "--wait=true")
    eventually(lambda: "not installed" in operator.log(), timeout=40)
    assert operator.process.poll() is None
    install_crd(cluster, crd)
    Autoscaler(cluster, target).create().waits_for_children()
