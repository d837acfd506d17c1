"""The story of three InferenceAutoscalers on a real node, one of each mode, told in order: each test is a chapter and
builds on the last. They live at the same time, because what takes long is the same for all."""
import time

import pytest

from conftest import ADAPTER, AUTOSCALER, HPA, PROMETHEUS, eventually, eventually_is
from gpus import NAMESPACE as GPU_NAMESPACE
from gpus import SERVICE_MONITOR, Gpus, scrapes, shared_objects
from standins import autoscaler, deployment, load

NAMESPACE = "vllm-example"
# The one of mode Requests is the demo's, with the defaults that a user gets.
NAMES = {"Requests": "gemma", "GPU": "gpu", "Combined": "combined"}
TARGETS = {"Requests": "vllm-gemma-deployment", "GPU": "gpu", "Combined": "combined"}
CHAIN = {
    "Requests": ("Accepted", "TargetFound", "TargetExclusive", "MetricsExposed", "ScrapeSelected", "ScrapeHealthy",
                 "SeriesFresh", "AdapterConfigured", "MetricServed", "Ready"),
    "GPU": ("Accepted", "TargetFound", "TargetExclusive", "MetricsExposed", "ScrapeSelected", "ScrapeHealthy",
            "SeriesFresh", "SeriesRecorded", "AdapterConfigured", "MetricServed", "Ready"),
}
CHAIN["Combined"] = CHAIN["GPU"]
OURS = ["PrometheusRule monitoring/inference-autoscaler-gpu",
        "ServiceMonitor monitoring/inference-autoscaler-gpu.gpu-operator.nvidia-dcgm-exporter"]

each_mode = pytest.mark.parametrize("mode", NAMES)


class Story:
    """The three, and what the chapters remember of them."""

    def __init__(self, kube, gpus, rules, adapter):
        self.kube, self.gpus = kube, gpus
        self.rules, self.adapter = rules, adapter

    def target(self, mode):
        return self.kube.get("apps/v1", "Deployment", TARGETS[mode], NAMESPACE)

    def replicas(self, mode):
        return self.target(mode)["spec"]["replicas"]

    def reaches(self, mode, count, seconds):
        eventually(f"{count} replicas", lambda: self.replicas(mode) == count, seconds)

    def conditions(self, mode):
        return self.kube.conditions(*AUTOSCALER, NAMES[mode], NAMESPACE)

    def is_ready(self, mode):
        return self.conditions(mode).get("Ready", {}).get("status") == "True"

    def is_active(self, mode):
        return self.kube.conditions(*HPA, NAMES[mode], NAMESPACE).get("ScalingActive", {}).get("status") == "True"

    def set_gpu_load(self, mode, percent):
        self.gpus.load[NAMESPACE, TARGETS[mode] if mode != "Requests" else "gemma-server"] = percent

    def remove_load(self, name):
        self.kube.delete("apps/v1", "Deployment", name, NAMESPACE)


@pytest.fixture(scope="module")
def story(kube, image, manifest):
    """The cluster before the first autoscaler, and the three workloads, idle; GPUs that nobody scrapes."""
    kube.clear(NAMESPACE, GPU_NAMESPACE)
    eventually("nothing of an earlier run", lambda: not shared_objects(kube), 60)
    rules, adapter = kube.foreign_rules(), kube.get(*ADAPTER)["metadata"]["generation"]
    with kube.namespace(GPU_NAMESPACE), kube.namespace(NAMESPACE):
        gpus = Gpus(kube)
        told = Story(kube, gpus, rules, adapter)
        kube.apply(manifest("workload.yaml"))
        kube.apply([deployment(NAMESPACE, TARGETS[mode], image, "--latency", "2s") for mode in ("GPU", "Combined")])
        for mode in ("GPU", "Combined"):
            told.set_gpu_load(mode, 0)
        gpus.start(image)
        try:
            for mode in NAMES:
                eventually(f"the workload of {mode} is ready",
                           lambda: told.target(mode)["status"].get("readyReplicas") == 1, 60)
            yield told
        finally:
            kube.patch(*PROMETHEUS, {"spec": {"replicas": 1}})
            gpus.stop()


def test_three_resources_become_ready(kube, manifest, story):
    kube.apply(manifest("autoscaler.yaml"))
    kube.apply([autoscaler(NAMESPACE, "gpu", mode="GPU", gpu={"target": 50}),
                autoscaler(NAMESPACE, "combined", mode="Combined", requests={"target": 4}, gpu={"target": 50})])
    for mode in NAMES:
        eventually(f"{mode}: Ready", lambda: story.is_ready(mode), 240)


@each_mode
def test_every_link_is_seen_to_work(story, mode):
    seen = story.conditions(mode)
    assert {name: seen[name]["status"] for name in CHAIN[mode]} == dict.fromkeys(CHAIN[mode], "True")
    found = story.kube.get(*AUTOSCALER, NAMES[mode], NAMESPACE)["status"]
    assert found.get("engine", {}).get("type") == (None if mode == "GPU" else "VLLM")
    assert [signal["name"] for signal in found["signals"]] == {
        "Requests": ["Running"], "GPU": ["Utilization"], "Combined": ["Running", "Utilization"]}[mode]


def test_foreign_rules_are_kept_byte_for_byte(kube, story):
    assert "vllm_num_requests_running" in kube.rules() and "gpu_utilization_percent" in kube.rules()
    merged = iter(kube.rules().splitlines(keepends=True))
    missing = [line for line in story.rules.splitlines(keepends=True) if line not in merged]
    assert not missing, f"lines of others that are gone, or in another order: {missing}"


def test_the_adapter_is_rolled_once_for_all(kube, story):
    """Though the GPUs' metric is known at once, and that of the engine when a pod has told which it is."""
    assert kube.get(*ADAPTER)["metadata"]["generation"] - story.adapter <= 1  # 0 where the rules were there already


def test_gpus_that_nobody_scrapes_are_scraped_by_us_once(kube, story):
    assert shared_objects(kube) == OURS
    assert scrapes(kube) == (1, 1)


def test_mode_gpu_reads_no_page(kube, story):
    assert kube.get("v1", "Service", "gpu-metrics", NAMESPACE) is None


@each_mode
def test_the_hpa_is_active(story, mode):
    eventually("the HPA's ScalingActive", lambda: story.is_active(mode), 90)
    assert story.replicas(mode) == 1


def test_load_of_12_at_target_4_makes_3_replicas(kube, manifest, image, story):
    """Mode Requests; meanwhile requests alone come to Combined, and GPUs alone to GPU."""
    kube.apply(manifest("load.yaml"))
    kube.apply(load(NAMESPACE, TARGETS["Combined"], image, 8))
    story.set_gpu_load("GPU", 140)
    story.reaches("Requests", 3, 150)


def test_requests_alone_drive_combined(story):
    story.reaches("Combined", 2, 150)


def test_gpu_load_of_140_at_target_50_makes_3_replicas(story):
    story.reaches("GPU", 3, 150)


def test_status_tells_the_replicas(kube, story):
    eventually("three replicas in the status", lambda: kube.get(*AUTOSCALER, NAMES["Requests"], NAMESPACE)["status"].get(
        "replicas", {}).get("current") == 3, 30)


@pytest.fixture(scope="module")
def held(kube, story):
    """The replicas that each had from before the outage until after it: a watch, not a look now and then."""
    seen = {}
    for mode, count in (("Requests", 3), ("GPU", 3), ("Combined", 2)):
        eventually(f"{mode}: {count} ready replicas", lambda: story.target(mode)["status"].get("readyReplicas") == count, 60)
    with kube.watching(NAMESPACE, f"deployment/{TARGETS['Requests']}", "{.spec.replicas}") as seen["Requests"], \
            kube.watching(NAMESPACE, f"deployment/{TARGETS['GPU']}", "{.spec.replicas}") as seen["GPU"], \
            kube.watching(NAMESPACE, f"deployment/{TARGETS['Combined']}", "{.spec.replicas}") as seen["Combined"]:
        yield seen


def stays(held, seconds):
    """Nothing is asked for in this time; the values are those that the watches saw first."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert {mode: sorted(set(values)) for mode, values in held.items() if values} == \
            {"Requests": ["3"], "GPU": ["3"], "Combined": ["2"]}
        time.sleep(1)


def test_they_stay_there(held):
    """Samples of the pods are not of one moment; for two periods of the HPA that must not ask for another replica."""
    eventually("the watches have begun", lambda: all(held.values()), 10)
    stays(held, 30)


def test_an_outage_of_prometheus_is_said(kube, story, held):
    kube.patch(*PROMETHEUS, {"spec": {"replicas": 0}})
    eventually("Prometheus is down", lambda: kube.prometheus("up") is None, 60)
    for mode in NAMES:
        eventually(f"{mode}: not Ready", lambda: not story.is_ready(mode), 90)
    for mode in NAMES:
        eventually(f"{mode}: the HPA sees nothing", lambda: not story.is_active(mode), 90)
    for mode in NAMES:
        seen = story.conditions(mode)
        assert (seen["Ready"]["status"], seen["Ready"]["reason"]) == ("False", "PrometheusNotReachable"), seen["Ready"]
        assert seen["ScrapeHealthy"]["status"] == "False" and "ScrapeHealthy" in seen["Ready"]["message"], seen
        assert seen["ScrapeSelected"]["status"] == "True" and seen["MetricServed"]["status"] == "Unknown", seen


def test_an_outage_of_prometheus_holds_the_replicas(story, held):
    """The GPUs' load is gone meanwhile, but nobody knows."""
    story.set_gpu_load("GPU", 10)
    stays(held, 35)
    story.set_gpu_load("GPU", 140)


def test_all_recovers_without_a_replica_lost(kube, story, held):
    kube.patch(*PROMETHEUS, {"spec": {"replicas": 1}})
    for mode in NAMES:
        eventually(f"{mode}: Ready again", lambda: story.is_ready(mode), 240)
    for mode in NAMES:
        eventually(f"{mode}: the HPA is active again", lambda: story.is_active(mode), 90)
    stays(held, 15)


def test_a_scrape_of_somebody_else_replaces_ours(kube, story):
    """NVIDIA's operator may bring its own ServiceMonitor; meanwhile the loads go, and Combined's GPUs become busy."""
    kube.apply([SERVICE_MONITOR])
    story.remove_load("load")
    story.remove_load("load-combined")
    story.set_gpu_load("GPU", 10)
    story.set_gpu_load("Combined", 140)
    eventually("ours is gone", lambda: shared_objects(kube) == OURS[:1], 30)


def test_gpu_load_alone_drives_combined(kube, story):
    story.reaches("Combined", 3, 180)
    assert sum(kube.metric(NAMESPACE, "vllm_num_requests_running", "app=combined").values()) == 0


@pytest.mark.parametrize("mode", ["Requests", "GPU"])
def test_without_load_it_returns_to_1(story, mode):
    story.reaches(mode, 1, 180)


def test_the_gpus_are_scraped_once_still(kube, story):
    eventually_is("one scrape, and one series of each GPU", lambda: scrapes(kube), (1, 1), 90)
    assert shared_objects(kube) == OURS[:1]
    eventually("Ready", lambda: story.is_ready("GPU") and story.is_ready("Combined"), 120)
    assert "ServiceMonitor 'gpu-operator/nvidia-dcgm-exporter'" in story.conditions("GPU")["ScrapeSelected"]["message"]


def test_without_gpu_load_combined_returns_to_1(story):
    story.set_gpu_load("Combined", 0)
    story.reaches("Combined", 1, 180)


def test_deleting_them_leaves_nothing_behind(kube, story):
    for name in NAMES.values():
        kube.delete(*AUTOSCALER, name, NAMESPACE)
    for api_version, kind in (HPA, ("monitoring.coreos.com/v1", "ServiceMonitor"), ("v1", "Service")):
        def ours():
            return [item["metadata"]["name"] for item in kube.list(api_version, kind, NAMESPACE)
                    if any(owner["kind"] == AUTOSCALER[1] for owner in item["metadata"].get("ownerReferences") or [])]

        eventually(f"no {kind} of ours", lambda: not ours(), 60)
    eventually("no shared object of ours", lambda: not shared_objects(kube), 60)
    eventually("the rules of others are byte for byte what they were", lambda: kube.foreign_rules() == story.rules, 60)


def test_where_others_scrape_the_gpus_no_scrape_of_ours_is_made(kube, story):
    """Theirs was there first this time; and the adapter has all rules and does not restart."""
    adapter = kube.get(*ADAPTER)["metadata"]["generation"]
    with kube.watching("monitoring", "servicemonitors", "{.metadata.name}") as monitors:
        kube.apply([autoscaler(NAMESPACE, "gpu", mode="GPU", gpu={"target": 50})])
        eventually("Ready", lambda: story.is_ready("GPU"), 240)
    assert monitors == ["prometheus-kube-prometheus-prometheus"]
    assert kube.get(*ADAPTER)["metadata"]["generation"] == adapter
    assert scrapes(kube) == (1, 1)
    kube.delete(*AUTOSCALER, "gpu", NAMESPACE)
    eventually("no shared object of ours", lambda: not shared_objects(kube), 60)
    eventually("the rules of others are byte for byte what they were", lambda: kube.foreign_rules() == story.rules, 60)
