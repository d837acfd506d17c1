"""The story of one InferenceAutoscaler on a real node, told in order: each test is a chapter and builds on the last."""
import time

import pytest

from conftest import eventually

NAMESPACE = "vllm-example"
TARGET = ("apps/v1", "Deployment", "vllm-gemma-deployment", NAMESPACE)
AUTOSCALER = ("inference-autoscaler.io/v1alpha1", "InferenceAutoscaler", "gemma", NAMESPACE)
HPA = ("autoscaling/v2", "HorizontalPodAutoscaler", "gemma", NAMESPACE)
RULES = ("v1", "ConfigMap", "prometheus-adapter", "monitoring")
ADAPTER = ("apps/v1", "Deployment", "prometheus-adapter", "monitoring")
CHAIN = ("Accepted", "TargetFound", "TargetExclusive", "MetricsExposed", "ScrapeSelected", "ScrapeHealthy",
         "SeriesFresh", "AdapterConfigured", "MetricServed", "Ready")


def rules(kube):
    return kube.get(*RULES)["data"]["config.yaml"]


def conditions(kube):
    found = kube.get(*AUTOSCALER).get("status", {}).get("conditions", [])
    return {condition["type"]: condition for condition in found}


def replicas(kube):
    return kube.get(*TARGET)["spec"]["replicas"]


@pytest.fixture(scope="module")
def before(kube, manifest):
    """The cluster before the first autoscaler: nothing of an earlier run, the workload alone, foreign rules as they were."""
    kube.apply(manifest("workload.yaml"))
    if kube.get(*AUTOSCALER):
        kube.delete(*AUTOSCALER)
    if kube.get("apps/v1", "Deployment", "load", NAMESPACE):
        kube.delete("apps/v1", "Deployment", "load", NAMESPACE)
    eventually("the HPA of an earlier run is gone", lambda: kube.get(*HPA) is None, 60)
    eventually("the rules of an earlier run are gone", lambda: "vllm" not in rules(kube), 60)
    kube.resource(*TARGET[:2]).patch(name=TARGET[2], namespace=NAMESPACE, body={"spec": {"replicas": 1}},
                                     content_type="application/merge-patch+json")
    eventually("the workload is ready", lambda: kube.get(*TARGET)["status"].get("readyReplicas") == 1, 90)
    return {"rules": rules(kube), "adapter": kube.get(*ADAPTER)["metadata"]["generation"]}


def test_one_resource_becomes_ready(kube, manifest, before):
    kube.apply(manifest("autoscaler.yaml"))
    eventually("Ready", lambda: conditions(kube).get("Ready", {}).get("status") == "True", 240)
    seen = conditions(kube)
    assert {name: seen[name]["status"] for name in CHAIN} == dict.fromkeys(CHAIN, "True")
    assert kube.get(*AUTOSCALER)["status"]["engine"]["type"] == "VLLM"


def test_foreign_rules_are_kept_byte_for_byte(kube, before):
    assert "vllm_num_requests_running" in rules(kube)
    lines = before["rules"].splitlines(keepends=True)
    merged = iter(rules(kube).splitlines(keepends=True))
    missing = [line for line in lines if line not in merged]
    assert not missing, f"lines of others that are gone, or in another order: {missing}"


def test_adapter_is_rolled_once(kube, before):
    assert kube.get(*ADAPTER)["metadata"]["generation"] == before["adapter"] + 1


def test_hpa_is_active(kube, before):
    def active():
        status = kube.get(*HPA).get("status", {})
        return any(c["type"] == "ScalingActive" and c["status"] == "True" for c in status.get("conditions", []))

    eventually("the HPA's ScalingActive", active, 90)
    assert replicas(kube) == 1


def test_load_of_12_at_target_4_makes_3_replicas(kube, manifest, before):
    kube.apply(manifest("load.yaml"))
    eventually("three replicas", lambda: replicas(kube) == 3, 150)
    eventually("three ready replicas", lambda: kube.get(*TARGET)["status"].get("readyReplicas") == 3, 60)


def test_status_tells_the_replicas(kube, before):
    eventually("three replicas in the status",
               lambda: kube.get(*AUTOSCALER)["status"].get("replicas", {}).get("current") == 3, 30)


def test_it_stays_at_3(kube, before):
    """Samples of the pods are not of one moment; for two periods of the HPA that must not ask for a fourth replica."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert replicas(kube) == 3
        time.sleep(1)


def test_without_load_it_returns_to_1(kube, before):
    kube.delete("apps/v1", "Deployment", "load", NAMESPACE)
    eventually("one replica", lambda: replicas(kube) == 1, 180)


def test_deleting_it_leaves_nothing_behind(kube, before):
    kube.delete(*AUTOSCALER)
    for api_version, kind in (("autoscaling/v2", "HorizontalPodAutoscaler"),
                              ("monitoring.coreos.com/v1", "ServiceMonitor"), ("v1", "Service")):
        def ours():
            found = kube.resource(api_version, kind).get(namespace=NAMESPACE).to_dict()["items"]
            return [item["metadata"]["name"] for item in found
                    if any(owner["kind"] == "InferenceAutoscaler" for owner in item["metadata"].get("ownerReferences", []))]

        eventually(f"no {kind} of ours", lambda: not ours(), 60)
    eventually("the rules are byte for byte what they were", lambda: rules(kube) == before["rules"], 60)
