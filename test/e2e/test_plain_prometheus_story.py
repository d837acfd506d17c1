"""A cluster without a Prometheus resource: a plain Prometheus that finds pods by itself and knows no ServiceMonitor, and whose
address is all that the operator is told of it. The chain works, and the HPA scales by it."""
import json

import pytest

from conftest import AUTOSCALER, HPA, PROMETHEUS, eventually, run
from standins import CONTAINER, autoscaler, deployment

NAME = "plain"
NAMESPACE = "plain-example"
# Where the adapter asks, too.
URL = "http://prometheus-kube-prometheus-prometheus.monitoring.svc:9090"
# As prometheus-operator's own pods have them, so that the Service leads here.
LABELS = {"app.kubernetes.io/name": "prometheus", "operator.prometheus.io/name": PROMETHEUS[2], "app": NAME}
OPERATOR = "inference-autoscaler-system"
CONFIGURATION = """
global: {scrape_interval: 5s}
scrape_configs:
- job_name: pods
  kubernetes_sd_configs: [{role: pod}]
  relabel_configs:
  - {source_labels: [__meta_kubernetes_pod_container_port_name], regex: http, action: keep}
  - {source_labels: [__meta_kubernetes_namespace], target_label: namespace}
  - {source_labels: [__meta_kubernetes_pod_name], target_label: pod}
"""


def plain_prometheus():
    """Without anything of prometheus-operator."""
    container = CONTAINER | {
        "name": "prometheus", "image": "localhost/prometheus:v3.14.0",
        "args": ["--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/data"],
        "ports": [{"name": "web", "containerPort": 9090}],
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": "web"}, "periodSeconds": 1},
        "volumeMounts": [{"name": "configuration", "mountPath": "/etc/prometheus"}, {"name": "data", "mountPath": "/data"}]}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": NAME, "namespace": "monitoring"},
         "data": {"prometheus.yml": CONFIGURATION}},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME, "namespace": "monitoring"},
         "spec": {"selector": {"matchLabels": LABELS}, "template": {"metadata": {"labels": LABELS}, "spec": {
             "serviceAccountName": PROMETHEUS[2], "terminationGracePeriodSeconds": 1,
             "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "fsGroup": 2000,
                                 "seccompProfile": {"type": "RuntimeDefault"}},
             "containers": [container],
             "volumes": [{"name": "configuration", "configMap": {"name": NAME}}, {"name": "data", "emptyDir": {}}]}}}},
    ]


def tell_operator(url):
    """The chart's prometheus.url; none when it is empty."""
    helm = run("hack/tools/build", "--print-folder", "helm").strip() + "/helm"
    run(helm, "upgrade", "inference-autoscaler", "config/helm/inference-autoscaler", "-n", OPERATOR, "--reuse-values",
        "--set", f"prometheus.url={url}", "--wait", "--timeout", "2m")


def created(found):
    """The object as it was created."""
    kept = {name: found[name] for name in ("apiVersion", "kind", "spec")}
    return kept | {"metadata": {name: found["metadata"][name] for name in ("name", "namespace", "labels")}}


@pytest.fixture(scope="module")
def namespace(kube):
    """The Prometheus resource makes way for the plain one, and comes back at the end."""
    kept = kube.get(*PROMETHEUS)
    try:
        kube.delete(*PROMETHEUS)
        eventually("its pod is gone", lambda: not kube.core.list_namespaced_pod(
            "monitoring", label_selector=f"operator.prometheus.io/name={PROMETHEUS[2]}").items, 90)
        kube.apply(plain_prometheus())
        tell_operator(URL)
        run("kubectl", "-n", "monitoring", "rollout", "status", f"deployment/{NAME}", "--timeout=60s")
        with kube.namespace(NAMESPACE):
            yield NAMESPACE
    finally:
        run("kubectl", "-n", "monitoring", "delete", f"deployment/{NAME}", f"configmap/{NAME}", "--ignore-not-found")
        kube.apply([created(kept)])
        tell_operator("")
        eventually("Prometheus answers again", lambda: kube.prometheus("up"), 120)


def conditions(kube):
    return kube.conditions(*AUTOSCALER, NAME, NAMESPACE)


def test_it_becomes_ready(kube, image, namespace):
    kube.apply([deployment(namespace, NAME, image), autoscaler(namespace, NAME)])
    eventually("Ready", lambda: conditions(kube).get("Ready", {}).get("status") == "True", 150)
    selected = conditions(kube)["ScrapeSelected"]
    assert (selected["status"], selected["reason"]) == ("True", "NoResource") and f"'{URL}'" in selected["message"]


def test_the_hpa_scales_by_it(kube, namespace):
    (pod,) = kube.pods(namespace, f"app={NAME}")
    kube.ask_pod(namespace, pod.metadata.name, 8000, "/standin", {"running": 8})
    eventually("two replicas", lambda: kube.get("apps/v1", "Deployment", NAME, namespace)["spec"]["replicas"] == 2, 90)
    assert "averageValue" in json.dumps(kube.get(*HPA, NAME, namespace)["status"]["currentMetrics"])
    eventually("Ready", lambda: conditions(kube)["Ready"]["status"] == "True", 60)
