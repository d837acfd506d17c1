"""`cleanup`: after it, nothing of ours is left, and nothing of others is changed."""

import signal
import subprocess

import pytest

from conftest import eventually, install_crd
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    FOREIGN,
    OPERATOR,
    Autoscaler,
    adapter_configmap,
    adapter_deployment,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
)

MANAGED = {"app.kubernetes.io/managed-by": "inference-autoscaler"}


@pytest.fixture
def cleanup(operator_kubeconfig):
    """Runs cleanup with the operator's own rights."""
    def run(*args, kubeconfig=operator_kubeconfig):
        return subprocess.run(
            [OPERATOR, "cleanup", "--kubeconfig", str(kubeconfig), *args], capture_output=True, text=True, timeout=90
        )

    return run


@pytest.fixture
def left_behind(cluster, target, operator):
    """An autoscaler with all its objects, and an operator that was killed."""
    # Those of earlier tests go with their namespaces.
    path = "/apis/inference-autoscaler.io/v1alpha1/inferenceautoscalers"
    eventually(lambda: cluster.request("GET", path)[1]["items"] == [], timeout=60)
    made = Autoscaler(cluster, target).create()
    made.waits_for_children()
    eventually(lambda: "vllm_num_requests_running" in adapter_configmap(cluster).data["config.yaml"])
    eventually(lambda: revision(cluster))
    operator.stop(signal.SIGKILL)
    return made


def revision(cluster):
    annotations = adapter_deployment(cluster)["spec"]["template"]["metadata"].get("annotations", {})
    return annotations.get("inference-autoscaler.io/adapter-rules")


def service(name, namespace, labels):
    return {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {"ports": [{"port": 80}]},
    }


def exists(cluster, kind, namespace, name):
    return cluster.kubectl("get", kind, "-n", namespace, name, check=False).returncode == 0


def test_nothing_of_ours_is_left(cluster, left_behind, cleanup, namespace):
    orphan = {**MANAGED, "inference-autoscaler.io/autoscaler": "gone"}
    cluster.apply(
        service("shared", namespace, {**MANAGED, "inference-autoscaler.io/shared": "gpu"}),
        service("orphan", namespace, orphan),
        service("theirs", namespace, {"inference-autoscaler.io/autoscaler": "gone"}),
        {
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": {
                "name": "inference-autoscaler-gpu", "namespace": namespace, "labels": {**MANAGED, "inference-autoscaler.io/shared": "gpu"},
            },
            "spec": {"groups": []},
        },
    )
    left_behind.delete()

    told = cleanup("--dry-run")
    assert told.returncode == 0, told.stderr
    for line in (
        f"would take our rules out of ConfigMap '{ADAPTER}/prometheus-adapter'",
        f"would restart Deployment '{ADAPTER}/prometheus-adapter'",
        f"would delete Service '{namespace}/shared'",
        f"would delete Service '{namespace}/orphan'",
        f"would delete PrometheusRule '{namespace}/inference-autoscaler-gpu'",
    ):
        assert line in told.stdout.splitlines()
    assert "theirs" not in told.stdout
    assert exists(cluster, "service", namespace, "shared")
    assert "vllm_num_requests_running" in adapter_configmap(cluster).data["config.yaml"]

    done = cleanup("--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    configmap = adapter_configmap(cluster)
    assert configmap.data["config.yaml"] == FOREIGN
    assert not configmap.metadata.annotations
    assert revision(cluster) is None
    for kind, name in (("service", "shared"), ("service", "orphan"), ("prometheusrule", "inference-autoscaler-gpu")):
        assert not exists(cluster, kind, namespace, name), (kind, name)
    assert exists(cluster, "service", namespace, "theirs")

    again = cleanup("--yes")
    assert (again.returncode, again.stdout) == (0, "nothing is left to clean up\n"), again.stderr


def test_it_refuses_while_there_are_autoscalers(cluster, left_behind, cleanup):
    before = adapter_configmap(cluster).data
    for args in (["--yes"], ["--dry-run"]):
        done = cleanup(*args)
        assert done.returncode == 1
        assert f"the first is '{left_behind.namespace}/gemma'" in done.stderr
        assert "kubectl delete inferenceautoscalers" in done.stderr and "--force" in done.stderr
    assert adapter_configmap(cluster).data == before

    forced = cleanup("--yes", "--force")
    assert forced.returncode == 0, forced.stderr
    assert adapter_configmap(cluster).data["config.yaml"] == FOREIGN
    assert left_behind.child("HorizontalPodAutoscaler"), "a child of a living autoscaler was taken"


def test_without_an_adapter_there_is_nothing_to_do(cluster, stack, namespace, cleanup):
    eventually(lambda: "exist" not in cleanup("--dry-run").stderr, timeout=60)
    done = cleanup("--yes", "--adapter-namespace", namespace, kubeconfig=cluster.kubeconfig)
    assert done.returncode == 0, done.stderr


def test_a_configmap_that_outlived_its_adapter_is_given_back(cluster, left_behind, namespace, cleanup):
    code, answer = cluster.request("POST", f"/api/v1/namespaces/{namespace}/configmaps", {
        "metadata": {"name": "rules", "annotations": adapter_configmap(cluster).metadata.annotations},
        "data": {"key.yaml": adapter_configmap(cluster).data["config.yaml"]},
    })
    assert code == 201, answer
    where = ["--adapter-namespace", namespace, "--adapter-configmap", "rules", "--adapter-config-key"]
    wrong = cleanup("--yes", "--force", *where, "other.yaml", kubeconfig=cluster.kubeconfig)
    assert wrong.returncode == 1 and "has no key 'other.yaml'" in wrong.stderr
    done = cleanup("--yes", "--force", *where, "key.yaml", kubeconfig=cluster.kubeconfig)
    assert done.returncode == 0, done.stderr
    assert cluster.core.read_namespaced_config_map("rules", namespace).data == {"key.yaml": FOREIGN}


def test_it_works_when_our_type_is_gone(cluster, crd, left_behind, cleanup):
    name = crd["metadata"]["name"]
    try:
        cluster.kubectl("delete", "crd", name, "--timeout=30s")
        done = cleanup("--yes")
        assert done.returncode == 0, done.stderr
        assert adapter_configmap(cluster).data["config.yaml"] == FOREIGN
    finally:
        install_crd(cluster, crd)
