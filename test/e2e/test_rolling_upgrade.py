"""An engine is upgraded under load to a version that renamed its metrics: nobody must notice but the status."""
import json
import time

import pytest

from conftest import AUTOSCALER, HPA, eventually
from standins import autoscaler, deployment, load

NAME = "upgraded"
METRIC = "vllm_kv_cache_usage_percent"
SETTLED = 15  # seconds after which a ready pod must have a sample: an interval, the adapter's and the API's delays
REPLICAS = 3


def engine(namespace, image, generation):
    """Of 12 requests at most 4 run on one replica, whose cache is half full then; as real ones, they start slowly."""
    wanted = deployment(namespace, NAME, image, "--generation", generation, "--max-num-seqs", "8", "--latency", "2s",
                        minReadySeconds=10, strategy={"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}})
    wanted["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
    return wanted


class Upgrade:
    """What was seen from before the upgrade until after it."""

    def __init__(self, kube, namespace):
        self.kube, self.namespace = kube, namespace
        self.since, self.gaps, self.asked = {}, [], 0

    def deployment(self):
        return self.kube.get("apps/v1", "Deployment", NAME, self.namespace)

    def page_has(self, series):
        pods = self.kube.pods(self.namespace, f"app={NAME}")
        pages = [self.kube.ask_pod(self.namespace, pod.metadata.name, 8000, "/metrics") for pod in pods]
        return all(page and f"\n{series}{{" in page for page in pages)

    def look(self):
        """Notes each ready pod that the metrics API does not know, though it has had the time to."""
        now = time.monotonic()
        ready = {pod.metadata.name for pod in self.kube.pods(self.namespace, f"app={NAME}") if self.kube.is_ready(pod)}
        self.since = {name: self.since.get(name, now) for name in ready}
        known = self.kube.metric(self.namespace, METRIC, f"app={NAME}")
        still = {pod.metadata.name for pod in self.kube.pods(self.namespace, f"app={NAME}")}
        self.gaps += [(name, round(now - self.since[name])) for name in ready & still - known.keys()
                      if now - self.since[name] > SETTLED]
        self.asked += 1

    def is_over(self):
        self.look()
        found = self.deployment()
        status = found["status"]
        return (status.get("observedGeneration") == found["metadata"]["generation"] and
                status.get("updatedReplicas") == status.get("replicas") == status.get("availableReplicas"))


@pytest.fixture(scope="module")
def upgrade(kube, image):
    """Three replicas of the former version under load, upgraded one by one."""
    rules_before = kube.foreign_rules()
    with kube.namespace("upgrade-example") as namespace:
        seen = Upgrade(kube, namespace)
        # 12 requests on caches that 8 fill are 150 percent in all, of which 50 make a replica.
        kube.apply([engine(namespace, image, "old"), *load(namespace, NAME, image, 12),
                    autoscaler(namespace, NAME, requests={"signal": "KVCache", "target": 50},
                               # Down as by default: while load moves from pod to pod, a sum of samples may be too
                               # small for a while, which is what the window is for.
                               behavior={"scaleUp": {"stabilizationWindowSeconds": 30},
                                         "scaleDown": {"stabilizationWindowSeconds": 300}})])
        eventually("Ready", lambda: seen.kube.conditions(*AUTOSCALER, NAME, namespace).get("Ready", {}).get("status") == "True",
                   240)
        eventually("three replicas", lambda: seen.deployment()["status"].get("availableReplicas") == REPLICAS, 150)
        seen.former = kube.get(*AUTOSCALER, NAME, namespace)["status"]["engine"]["version"]
        assert seen.page_has("vllm:gpu_cache_usage_perc") and not seen.page_has("vllm:kv_cache_usage_perc")
        with kube.watching(namespace, f"deployment/{NAME}", "{.spec.replicas} {.status.readyReplicas}") as seen.replicas, \
                kube.watching(namespace, f"hpa/{NAME}", "{.status.conditions[?(@.type=='ScalingActive')]}") as seen.active, \
                kube.watching(namespace, f"hpa/{NAME}", "{.status.currentMetrics}") as seen.metrics:
            start = time.monotonic()
            kube.apply([engine(namespace, image, "new")])
            eventually("the upgrade is over", seen.is_over, 240, period=1)
            seen.took = time.monotonic() - start
            eventually("two more syncs of the HPA", lambda: seen.look() or time.monotonic() - start > seen.took + 30, 60,
                       period=1)
            seen.moved = seen.page_has("vllm:kv_cache_usage_perc") and not seen.page_has("vllm:gpu_cache_usage_perc")
        yield seen
    eventually("the rules are what they were", lambda: kube.foreign_rules() == rules_before, 90)


def test_every_replica_has_the_new_names(upgrade):
    assert upgrade.moved


def test_no_replica_is_lost(upgrade):
    counts = [tuple(map(int, line.split())) for line in upgrade.replicas]
    assert len(counts) > 3, f"the upgrade was not seen: {counts}"
    assert min(wanted for wanted, _ in counts) >= REPLICAS and min(ready for _, ready in counts) >= REPLICAS, \
        " ".join(f"{wanted}/{ready}" for wanted, ready in counts)


def test_the_hpa_never_misses_a_sample(upgrade):
    conditions = [json.loads(line) for line in upgrade.active]
    assert conditions and {c["status"] for c in conditions} == {"True"}, conditions
    assert upgrade.metrics and all("averageValue" in line for line in upgrade.metrics), upgrade.metrics


def test_every_ready_pod_is_served_all_the_time(upgrade):
    assert upgrade.asked > 15, f"the metrics API was asked {upgrade.asked} times only"
    assert not upgrade.gaps, f"(pod, seconds since it was ready): {upgrade.gaps}"


def test_the_status_has_the_new_version(kube, upgrade):
    assert upgrade.former == "0.10.2+standin"
    eventually("the new version", lambda: kube.get(*AUTOSCALER, NAME, upgrade.namespace)["status"]["engine"]["version"] ==
               "0.32.0+standin", 60)
