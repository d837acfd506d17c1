"""The story of modes GPU and Combined on a real node, told in order: each test is a chapter and builds on the last."""

import time

import pytest
from conftest import eventually
from standin import EXPORTER, Gpus

NAMESPACE = "vllm-example"
TARGET = ("apps/v1", "Deployment", "vllm-gemma-deployment", NAMESPACE)
AUTOSCALER = ("inference-autoscaler.io/v1alpha1", "InferenceAutoscaler", "gemma-gpu", NAMESPACE)
HPA = ("autoscaling/v2", "HorizontalPodAutoscaler", "gemma-gpu", NAMESPACE)
RULE = ("monitoring.coreos.com/v1", "PrometheusRule", "inference-autoscaler-gpu", "monitoring")
MONITOR = ("monitoring.coreos.com/v1", "ServiceMonitor",
           "inference-autoscaler-gpu.gpu-operator.nvidia-dcgm-exporter", "monitoring")
PROMETHEUS = ("monitoring.coreos.com/v1", "Prometheus", "prometheus-kube-prometheus-prometheus", "monitoring")
RULES = ("v1", "ConfigMap", "prometheus-adapter", "monitoring")

RESOURCE = """
apiVersion: inference-autoscaler.io/v1alpha1
kind: InferenceAutoscaler
metadata: {name: gemma-gpu, namespace: vllm-example}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: vllm-gemma-deployment}
  minReplicas: 1
  maxReplicas: 4
  mode: MODE
  requests: {target: 4}
  gpu: {target: 50}
  scrapeInterval: 5s
  behavior:
    scaleUp: {stabilizationWindowSeconds: 20}
    scaleDown: {stabilizationWindowSeconds: 30}
"""


def condition(kube, name):
    for found in (kube.get(*AUTOSCALER) or {}).get("status", {}).get("conditions", []):
        if found["type"] == name:
            return found
    return {}


def ready(kube):
    return condition(kube, "Ready").get("status") == "True"


def replicas(kube):
    return kube.get(*TARGET)["spec"]["replicas"]


def patch(kube, which, body):
    kube.resource(*which[:2]).patch(name=which[2], namespace=which[3], body=body,
                                    content_type="application/merge-patch+json")


def shown_until(gpus, what, probe, seconds):
    """Waits while the exporter follows the pods, as the kubelet's would."""
    def look():
        gpus.show()
        return probe()

    return eventually(what, look, seconds, period=2)


@pytest.fixture(scope="module")
def gpus(kube, manifest):
    kube.apply(manifest("workload.yaml"))
    kube.apply(EXPORTER.replace(":VERSION", manifest.version))
    patch(kube, TARGET, {"spec": {"replicas": 1}})
    eventually("the workload is ready", lambda: kube.get(*TARGET)["status"].get("readyReplicas") == 1, 90)
    daemonset = ("apps/v1", "DaemonSet", "nvidia-dcgm-exporter", "gpu-operator")
    eventually("the exporter is ready", lambda: kube.get(*daemonset)["status"].get("numberReady") == 1, 60)
    playing = Gpus(kube, NAMESPACE, "app=gemma-server")
    playing.load = 40
    playing.show()
    yield playing
    for which in (AUTOSCALER, ("apps/v1", "Deployment", "load", NAMESPACE)):
        if kube.get(*which):
            kube.delete(*which)
    kube.resource("v1", "Namespace").delete(name="gpu-operator")
    eventually("the exporter is gone", lambda: kube.get("v1", "Namespace", "gpu-operator") is None, 90)


def test_an_exporter_that_nobody_scrapes_becomes_a_signal(kube, gpus):
    kube.apply(RESOURCE.replace("MODE", "GPU"))
    shown_until(gpus, "Ready", lambda: ready(kube), 240)
    assert condition(kube, "SeriesRecorded")["status"] == "True"
    assert kube.get(*RULE) and kube.get(*MONITOR)
    assert kube.get("v1", "Service", "gemma-gpu-metrics", NAMESPACE) is None, "mode GPU reads no page"


def test_gpu_load_makes_replicas(kube, gpus):
    gpus.load = 140
    shown_until(gpus, "three replicas", lambda: replicas(kube) == 3, 150)


def test_an_outage_of_prometheus_holds_the_replicas(kube, gpus):
    patch(kube, PROMETHEUS, {"spec": {"replicas": 0}})
    try:
        broken, took = shown_until(gpus, "Ready False", lambda: condition(kube, "Ready").get("status") == "False" and
                                   condition(kube, "Ready"), 120)
        assert broken["reason"] == "PrometheusNotReachable" and "ScrapeHealthy" in broken["message"], broken
        print(f"said after {took:.0f} s: {broken['message']}")
        # The load is gone meanwhile, but nobody knows: five syncs of the HPA must not scale down.
        gpus.load = 10
        deadline = time.monotonic() + 75
        while time.monotonic() < deadline:
            gpus.show()
            assert replicas(kube) == 3
            time.sleep(2)
    finally:
        gpus.load = 140
        patch(kube, PROMETHEUS, {"spec": {"replicas": 1}})
    shown_until(gpus, "Ready again", lambda: ready(kube), 180)
    assert replicas(kube) == 3


def test_without_gpu_load_it_returns_to_1(kube, gpus):
    gpus.load = 10
    shown_until(gpus, "one replica", lambda: replicas(kube) == 1, 180)


def test_combined_reads_both(kube, gpus):
    kube.apply(RESOURCE.replace("MODE", "Combined"))
    shown_until(gpus, "two metrics", lambda: len(kube.get(*HPA)["spec"]["metrics"]) == 2, 90)
    shown_until(gpus, "Ready", lambda: ready(kube) and condition(kube, "Ready").get("observedGeneration") ==
                kube.get(*AUTOSCALER)["metadata"]["generation"], 240)
    assert [s["name"] for s in kube.get(*AUTOSCALER)["status"]["signals"]] == ["Running", "Utilization"]


def test_requests_alone_drive_combined(kube, gpus, manifest):
    kube.apply(manifest("load.yaml"))
    shown_until(gpus, "three replicas", lambda: replicas(kube) == 3, 150)
    kube.delete("apps/v1", "Deployment", "load", NAMESPACE)
    shown_until(gpus, "one replica", lambda: replicas(kube) == 1, 180)


def test_gpus_alone_drive_combined(kube, gpus):
    gpus.load = 140
    shown_until(gpus, "three replicas", lambda: replicas(kube) == 3, 150)
    gpus.load = 10
    shown_until(gpus, "one replica", lambda: replicas(kube) == 1, 180)


def test_a_scrape_of_somebody_else_replaces_ours(kube, gpus):
    """NVIDIA's operator may bring its own ServiceMonitor: the exporter must not be scraped twice."""
    kube.apply("""
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: nvidia-dcgm-exporter, namespace: gpu-operator, labels: {release: prometheus}}
spec:
  selector: {matchLabels: {app: nvidia-dcgm-exporter}}
  endpoints: [{port: gpu-metrics, interval: 5s}]
""")
    shown_until(gpus, "ours is gone", lambda: kube.get(*MONITOR) is None, 30)
    shown_until(gpus, "Ready", lambda: ready(kube), 120)


def test_the_last_one_takes_the_shared_objects_along(kube, gpus):
    kube.delete(*AUTOSCALER)
    eventually("no rule of ours", lambda: kube.get(*RULE) is None, 60)
    eventually("no monitor of ours", lambda: kube.get(*MONITOR) is None, 60)
    eventually("no adapter rules of ours", lambda: "gpu_utilization" not in kube.get(*RULES)["data"]["config.yaml"], 60)
