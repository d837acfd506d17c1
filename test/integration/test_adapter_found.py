"""The adapter is found behind the metrics API, whatever it and its ConfigMap are called."""

import subprocess
import uuid

import pytest

from chain_fixtures import API_SERVICE, stop_serving_metrics
from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    FOREIGN,
    OPERATOR,
    Autoscaler,
    Operator,
    adapter_configmap,
    deployment,
    operator_kubeconfig,
    stack,
    write_operator_kubeconfig,
)

NAME = "custom-metrics-prometheus-adapter"
REVISION = "inference-autoscaler.io/adapter-rules"
METRIC = "'vllm_num_requests_running'"


class Adapter:
    """An adapter in a namespace of its own, behind the metrics API."""

    def __init__(self, cluster):
        self.cluster, self.namespace = cluster, f"metrics-{uuid.uuid4().hex[:8]}"

    def install(self, configmap):
        self.cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}})
        self.mount(configmap)
        self.cluster.apply(
            {
                "apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter-api", "namespace": self.namespace},
                "spec": {"selector": {"app": "adapter"}, "ports": [{"port": 443}]},
            },
            {
                "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
                "metadata": {"name": "v1beta1.custom.metrics.k8s.io"},
                "spec": {
                    "group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                    "versionPriority": 100, "insecureSkipTLSVerify": True,
                    "service": {"name": "adapter-api", "namespace": self.namespace},
                },
            },
        )

    def mount(self, configmap):
        """As kustomize delivers it: a new ConfigMap, and a Deployment that mounts it."""
        made = deployment(NAME, self.namespace, {"app": "adapter"}, replicas=0)
        spec = made["spec"]["template"]["spec"]
        spec["volumes"] = [{"name": "config", "configMap": {"name": configmap}}]
        spec["containers"][0].update(
            args=["--prometheus-url=http://p:9090/", "--config=/etc/adapter/config.yaml"],
            volumeMounts=[{"name": "config", "mountPath": "/etc/adapter"}],
        )
        self.cluster.apply(
            {
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": configmap, "namespace": self.namespace},
                "data": {"config.yaml": FOREIGN},
            },
            made,
        )

    def rules(self, configmap):
        return self.cluster.core.read_namespaced_config_map(configmap, self.namespace).data["config.yaml"]

    def revision(self, configmap):
        """Of our rules, once the Deployment carries the one of the ConfigMap."""
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{NAME}"
        template = self.cluster.request("GET", path)[1]["spec"]["template"]
        carried = template["metadata"].get("annotations", {}).get(REVISION)
        noted = (self.cluster.core.read_namespaced_config_map(configmap, self.namespace).metadata.annotations or {}).get(REVISION)
        return carried if carried == noted else None

    def is_as_it_was(self, configmap):
        """Without our rules, and without a note of ours."""
        found = self.cluster.core.read_namespaced_config_map(configmap, self.namespace)
        return found.data["config.yaml"] == FOREIGN and not found.metadata.annotations

    def has_ours(self, configmap):
        return METRIC in self.rules(configmap) and self.revision(configmap)


@pytest.fixture
def adapter(cluster, stack):  # noqa: F811
    made = Adapter(cluster)
    try:
        made.install("adapter-config-7b2c9f")
        yield made
    finally:
        stop_serving_metrics(cluster)  # a registration without a server holds up the deletion of namespaces
        assert cluster.request("GET", f"{API_SERVICE}/v1beta1.custom.metrics.k8s.io")[0] == 404
        cluster.core.delete_namespace(made.namespace)


@pytest.fixture
def start(tmp_path):
    """Starts an operator with these rights; it must end in order."""
    started = []

    def run(kubeconfig, *args):
        started.append(Operator(kubeconfig, tmp_path / f"operator-{len(started)}.log", *args))
        eventually(started[-1].synced, timeout=20)
        return started[-1]

    yield run
    for operator in started:
        assert operator.stop() == 0, operator.log()
        assert "Sanitizer" not in operator.log(), operator.log()


@pytest.fixture
def autoscaler(cluster, namespace):
    cluster.apply(deployment("server", namespace, {"app": "server"}, 8000, replicas=0))
    return Autoscaler(cluster, namespace).create(engine={"type": "VLLM"})


def helms_rights(cluster, helm, path):
    """What the chart gives when Helm may look at the cluster."""
    return write_operator_kubeconfig(path, cluster, helm, "--dry-run=server", "--kubeconfig", cluster.kubeconfig)


def test_a_hashed_configmap_of_another_deployment_and_the_one_that_follows(
    cluster, helm, adapter, autoscaler, start, tmp_path
):
    start(helms_rights(cluster, helm, tmp_path / "kubeconfig"))
    first = eventually(lambda: adapter.has_ours("adapter-config-7b2c9f"), timeout=20)
    assert adapter_configmap(cluster).data["config.yaml"] == FOREIGN
    assert adapter.rules("adapter-config-7b2c9f").startswith(FOREIGN.rstrip(" \n")[:100])

    adapter.mount("adapter-config-8d41aa")
    second = eventually(lambda: adapter.has_ours("adapter-config-8d41aa"), timeout=20)
    assert second != first
    eventually(lambda: adapter.is_as_it_was("adapter-config-7b2c9f"), timeout=30)

    adapter.mount("adapter-config-7b2c9f")  # as a rollback does
    eventually(lambda: adapter.has_ours("adapter-config-7b2c9f"), timeout=30)
    eventually(lambda: adapter.is_as_it_was("adapter-config-8d41aa"), timeout=30)


def test_rights_that_come_later(cluster, helm, operator_kubeconfig, adapter, autoscaler, start, tmp_path):  # noqa: F811
    """The chart was rendered without a look at the cluster: what to set is said, and no restart is needed then."""
    operator = start(operator_kubeconfig)
    eventually(lambda: "ConfigMapForbidden" in operator.log(), timeout=20)
    assert f"set the chart's adapter.namespace to '{adapter.namespace}'" in operator.log()
    helms_rights(cluster, helm, tmp_path / "kubeconfig")
    eventually(lambda: adapter.has_ours("adapter-config-7b2c9f"), timeout=60)


def test_a_configmap_that_is_told_and_not_mounted(cluster, helm, adapter, autoscaler, start, tmp_path):
    cluster.apply({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "rules", "namespace": adapter.namespace},
        "data": {"config.yaml": FOREIGN},
    })
    operator = start(helms_rights(cluster, helm, tmp_path / "kubeconfig"), "--adapter-configmap", "rules")
    eventually(lambda: "OtherConfigMounted" in operator.log(), timeout=20)
    assert adapter.rules("rules") == adapter.rules("adapter-config-7b2c9f") == FOREIGN


def test_cleanup_finds_it_too(cluster, helm, adapter, autoscaler, start, tmp_path):
    operator = start(helms_rights(cluster, helm, tmp_path / "kubeconfig"))
    eventually(lambda: adapter.has_ours("adapter-config-7b2c9f"), timeout=20)
    operator.stop()
    operator.stop = lambda: 0
    done = subprocess.run(
        [OPERATOR, "cleanup", "--yes", "--force", "--kubeconfig", cluster.kubeconfig], capture_output=True, text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert f"restart Deployment '{adapter.namespace}/{NAME}'" in done.stdout
    assert adapter.rules("adapter-config-7b2c9f") == FOREIGN
