"""The story of a cluster without a metric stack, told in order: each test is a chapter and builds on the last. No Prometheus
and no adapter is there; the operator reads the pods' own pages when the HorizontalPodAutoscaler asks."""
import base64
import datetime
import json
import re
import threading
import time

import pytest

from breakage import on_node
from conftest import AUTOSCALER, DIRECT, HPA, eventually, eventually_is, run
from gpus import NAMESPACE as GPU_NAMESPACE
from gpus import Gpus
from onenode.layout import Layout, default_state
from standins import autoscaler, deployment, load

pytestmark = pytest.mark.skipif(not DIRECT, reason="the cluster has a metric stack: run 'hack/test direct'")

NAMESPACE = "direct-example"
OPERATOR = "inference-autoscaler-system"
VERSIONS = ("v1beta1", "v1beta2")
RUNNING = "vllm_num_requests_running"
CHAIN = ("Accepted", "TargetFound", "TargetExclusive", "MetricsExposed", "MetricServed", "ScalingActive", "Ready")
MODES = {
    "requests": {"mode": "Requests", "requests": {"target": 4}},
    "gpu": {"mode": "GPU", "gpu": {"target": 60}},
    "combined": {"mode": "Combined", "requests": {"target": 4}, "gpu": {"target": 60}},
}
READY_SECONDS = 10
# Of a figure that moves by the request, the highest answer of three syncs counts.
BEHAVIOR = {"behavior": {"scaleUp": {"stabilizationWindowSeconds": 20}, "scaleDown": {"stabilizationWindowSeconds": 40}}}

each_mode = pytest.mark.parametrize("name", MODES)


class Story:
    """The autoscalers, one of each mode, and what the chapters ask of them."""

    def __init__(self, kube, gpus, image):
        self.kube, self.gpus, self.image = kube, gpus, image

    def replicas(self, name):
        return self.kube.get("apps/v1", "Deployment", name, NAMESPACE)["spec"]["replicas"]

    def reaches(self, name, count, seconds):
        eventually(f"{count} replicas of {name}", lambda: self.replicas(name) == count, seconds)

    def ready_pods(self, name):
        return [pod for pod in self.kube.pods(NAMESPACE, f"app={name}") if self.kube.is_ready(pod)]

    def conditions(self, name):
        return self.kube.conditions(*AUTOSCALER, name, NAMESPACE)

    def is_ready(self, name):
        return self.conditions(name).get("Ready", {}).get("status") == "True"

    def served(self, name, metric=RUNNING):
        return self.kube.metric(NAMESPACE, metric, f"app={name}")

    def page(self, pod):
        """The page's own figure."""
        text = self.kube.ask_pod(NAMESPACE, pod, 8000, "/metrics")
        return float(re.search(r"^vllm:num_requests_running\{.*\} ([0-9.e+]+)$", text, re.MULTILINE)[1])


def seconds(stamp):
    return datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp()


@pytest.fixture(scope="module")
def story(kube, image):
    kube.clear(NAMESPACE, GPU_NAMESPACE)
    with kube.namespace(GPU_NAMESPACE), kube.namespace(NAMESPACE):
        gpus = Gpus(kube)
        for name, spec in MODES.items():
            if spec["mode"] != "Requests":
                gpus.load[NAMESPACE, name] = 30
        gpus.start(image)
        try:
            kube.apply([item for name, spec in MODES.items() for item in (
                deployment(NAMESPACE, name, image, "--latency", "2s"), autoscaler(NAMESPACE, name, **spec, **BEHAVIOR))])
            yield Story(kube, gpus, image)
        finally:
            gpus.stop()


def test_there_is_no_prometheus(kube, story):
    assert kube.get("v1", "Namespace", "monitoring") is None
    assert not [crd["metadata"]["name"] for crd in kube.list("apiextensions.k8s.io/v1", "CustomResourceDefinition")
                if crd["spec"]["group"] == "monitoring.coreos.com"]


@each_mode
def test_it_is_ready_within_ten_seconds_of_its_pod(kube, story, name):
    """By the API server's clock, which the kubelet's and the operator's are too."""
    eventually("it is ready", lambda: story.is_ready(name), 60)
    pod, = story.ready_pods(name)
    since = next(c.last_transition_time.timestamp() for c in pod.status.conditions if c.type == "Ready")
    assert seconds(story.conditions(name)["Ready"]["lastTransitionTime"]) - since <= READY_SECONDS


@each_mode
def test_the_chain_has_its_own_links_and_all_are_true(story, name):
    def told():
        return {link: c["status"] for link, c in story.conditions(name).items()}

    eventually("the HPA has read", lambda: told().get("ScalingActive") == "True", 60)
    assert [link for link in CHAIN if told().get(link) != "True"] == []
    assert not {"ScrapeSelected", "ScrapeHealthy", "SeriesFresh", "AdapterConfigured"} & set(told())


@pytest.mark.parametrize("version", VERSIONS)
def test_the_api_is_ours_and_trusted(kube, version):
    found = kube.get("apiregistration.k8s.io/v1", "APIService", f"{version}.custom.metrics.k8s.io")
    assert found["spec"]["service"]["namespace"] == OPERATOR
    assert not found["spec"].get("insecureSkipTLSVerify")
    assert {c["type"]: c["status"] for c in found["status"]["conditions"]}["Available"] == "True"


def test_the_api_server_trusts_each_replica_and_nobody_else(kube, story):
    """The certificates of replicas that an upgrade replaced are taken away after a minute."""
    def bundle():
        found = kube.get("apiregistration.k8s.io/v1", "APIService", "v1beta1.custom.metrics.k8s.io")
        return base64.b64decode(found["spec"]["caBundle"]).decode()

    eventually_is("one certificate of each of two replicas", lambda: bundle().count("BEGIN CERTIFICATE"), 2, 120)
    assert "PRIVATE" not in bundle()


def test_load_scales_up_and_every_figure_is_the_pages(kube, story):
    kube.apply(load(NAMESPACE, "requests", story.image, 12))
    story.reaches("requests", 3, 60)
    eventually("three pods are ready", lambda: len(story.ready_pods("requests")) == 3, 60)

    def agree():
        served = story.served("requests")
        pages = {pod.metadata.name: story.page(pod.metadata.name) for pod in story.ready_pods("requests")}
        return len(served) == 3 and {name: float(value) for name, value in served.items()} == pages

    # A request may end between the two reads.
    eventually("the API says what the pages say", agree, 30)


def deny(kube, pod):
    """The node drops what the operator's pods send to this one, as when it hangs; what lets it through again."""
    layout = Layout(default_state(control_plane_only=False))
    operators = [p.status.pod_ip for p in kube.pods(OPERATOR, "app.kubernetes.io/name=inference-autoscaler")]
    rules = [("FORWARD", "-s", address, "-d", pod.status.pod_ip, "-j", "DROP") for address in operators]
    for rule in rules:
        assert on_node(layout, "iptables", "--wait", "-I", *rule)[0] == 0

    def allow():
        for rule in rules:
            assert on_node(layout, "iptables", "--wait", "-D", *rule)[0] == 0
    return allow


def test_a_pod_that_hangs_drops_out_and_the_replicas_hold(kube, story):
    pods = story.ready_pods("requests")
    allow = deny(kube, pods[0])
    try:
        eventually_is("it has no figure any more", lambda: sorted(story.served("requests")),
                      sorted(pod.metadata.name for pod in pods[1:]), 40)
        until = time.monotonic() + 35  # two periods of the HPA
        while time.monotonic() < until:
            assert story.replicas("requests") == 3
            time.sleep(1)
    finally:
        allow()
    eventually("it has one again", lambda: len(story.served("requests")) == 3, 30)


class Readings(threading.Thread):
    """Reads the metric again and again, as many an HPA does."""

    def __init__(self, kube):
        super().__init__()
        self.kube, self.over = kube, threading.Event()
        self.count, self.failures = 0, []

    def run(self):
        while not self.over.wait(0.05):
            answer = self.kube.ask(f"/apis/custom.metrics.k8s.io/v1beta2/namespaces/{NAMESPACE}/pods/*/{RUNNING}"
                                   "?labelSelector=app%3Drequests")
            self.count += 1
            if not answer or not json.loads(answer)["items"]:
                self.failures.append((time.time(), answer))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


def test_a_rollout_of_the_operator_fails_no_reading(kube, story):
    with Readings(kube) as readings:
        run("kubectl", "-n", OPERATOR, "rollout", "restart", "deployment/inference-autoscaler")
        run("kubectl", "-n", OPERATOR, "rollout", "status", "deployment/inference-autoscaler", "--timeout=120s")
        time.sleep(5)  # what was left of the old ones
    assert readings.count > 100 and readings.failures == []
    assert story.is_ready("requests")


def test_gpus_scale_by_their_exporter(story):
    story.gpus.load[NAMESPACE, "gpu"] = 160
    story.reaches("gpu", 3, 90)
    story.gpus.load[NAMESPACE, "gpu"] = 30
    story.reaches("gpu", 1, 150)


def test_it_scales_down_when_the_load_is_gone(story):
    story.kube.delete("apps/v1", "Deployment", "load-requests", NAMESPACE)
    story.reaches("requests", 1, 120)


def test_only_the_hpa_was_made(kube, story):
    """No Service, and nothing that a Prometheus would read."""
    assert sorted(h["metadata"]["name"] for h in kube.list(*HPA, NAMESPACE)) == sorted(MODES)
    services = [s["metadata"]["name"] for s in kube.list("v1", "Service", NAMESPACE)]
    assert services == ["requests"]  # the load's


def test_after_an_uninstall_namespaces_go_at_once_and_it_comes_back(kube, story):
    """An API that is registered and answered by nobody would keep every namespace Terminating."""
    helm = run("hack/tools/build", "--print-folder", "helm").strip() + "/helm"
    run(helm, "uninstall", "inference-autoscaler", "-n", OPERATOR, "--wait", "--timeout", "2m")
    try:
        for version in VERSIONS:
            assert kube.get("apiregistration.k8s.io/v1", "APIService", f"{version}.custom.metrics.k8s.io") is None
        kube.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "direct-gone"}}])
        run("kubectl", "delete", "namespace", "direct-gone", "--timeout=30s")
    finally:
        run("hack/demo", "--prepare", "--direct")
    eventually("it is ready again", lambda: story.is_ready("requests"), 60)
    eventually("the HPA reads again", lambda: story.conditions("requests")["ScalingActive"]["status"] == "True", 60)
