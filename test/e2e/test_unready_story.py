"""An engine at its peak fails its readiness probe: the stories of pods that count although they are not ready, and of
those that still load their model and do not. First readiness is a gate that the test opens and closes, then kubelet's
own probe decides."""
import json

import pytest

from conftest import AUTOSCALER, HPA, eventually, eventually_is, run
from standins import autoscaler, deployment, load

NAMESPACE = "unready"
GATE = "example.com/admitted"
TWO_PERIODS = 30  # seconds: the HPA controller reads every 15
# Up as soon as the HPA sees it, so that what it waits for is only what it reads.
AT_ONCE = {"scaleUp": {"stabilizationWindowSeconds": 0}, "scaleDown": {"stabilizationWindowSeconds": 15}}


@pytest.fixture(scope="module", autouse=True)
def namespace(kube):
    with kube.namespace(NAMESPACE):
        yield


class Target:
    """A Deployment and the autoscaler of its name."""

    def __init__(self, kube, name):
        self.kube, self.name = kube, name

    def pods(self):
        return self.kube.pods(NAMESPACE, f"app={self.name}")

    def first(self):
        """The oldest pod."""
        return min(self.pods(), key=lambda pod: (pod.metadata.creation_timestamp, pod.metadata.name))

    def replicas(self):
        return self.kube.get("apps/v1", "Deployment", self.name, NAMESPACE)["spec"]["replicas"]

    def reaches(self, count, seconds):
        eventually_is(f"replicas of {self.name}", self.replicas, count, seconds)

    def condition(self, kind):
        return self.kube.conditions(*AUTOSCALER, self.name, NAMESPACE).get(kind, {})

    def becomes_ready(self):
        eventually(f"{self.name}: Ready", lambda: self.condition("Ready").get("status") == "True", 240)

    def says_who_counts(self):
        exposed = self.condition("MetricsExposed")
        return exposed.get("status") == "True" and "not ready any more count" in exposed["message"]

    def average(self):
        """What the HorizontalPodAutoscaler read last, over the pods that have a value."""
        metrics = (self.kube.get(*HPA, self.name, NAMESPACE).get("status") or {}).get("currentMetrics") or []
        return [metric.get("pods", {}).get("current", {}).get("averageValue") for metric in metrics]

    def pin(self, pod, running):
        self.kube.ask_pod(NAMESPACE, pod, 8000, "/standin", {"running": running})

    def admit(self, pod, status):
        """The readiness gate of a pod."""
        condition = {"type": GATE, "status": status}
        run("kubectl", "-n", NAMESPACE, "patch", "pod", pod, "--subresource=status", "--type=strategic", "-p",
            json.dumps({"status": {"conditions": [condition]}}))


def users(image, inflight):
    """Whose requests go to all pods, ready or not, as a gateway sends them that picks the pod itself."""
    service, job = load(NAMESPACE, "busy", image, inflight)
    service["spec"]["publishNotReadyAddresses"] = True
    return [service, job]


@pytest.fixture(scope="module")
def targets(kube, image):
    """All engines at once, Ready at one replica: what takes long, Prometheus' loading of a monitor, is waited for once.
    One is ready when its gate says so, one times out at its probe under load, one fails its probe while it loads."""
    found = {name: Target(kube, name) for name in ("gated", "busy", "loading")}
    gated = deployment(NAMESPACE, "gated", image, replicas=1)
    gated["spec"]["template"]["spec"]["readinessGates"] = [{"conditionType": GATE}]
    busy = deployment(NAMESPACE, "busy", image, "--latency", "20s", "--health-hangs-above", "2", replicas=1)
    (container,) = busy["spec"]["template"]["spec"]["containers"]
    container["readinessProbe"] |= {"timeoutSeconds": 1, "periodSeconds": 1, "failureThreshold": 2}
    loading = deployment(NAMESPACE, "loading", image, "--unhealthy-for", "60s", replicas=1)
    kube.apply([gated, autoscaler(NAMESPACE, "gated", max_replicas=4, requests={"target": 4}, behavior=AT_ONCE),
                busy, autoscaler(NAMESPACE, "busy", max_replicas=3, requests={"target": 4}, behavior=AT_ONCE),
                loading, autoscaler(NAMESPACE, "loading", requests={"target": 4}, behavior=AT_ONCE)])
    eventually("a pod", found["gated"].pods, 60)
    found["gated"].admit(found["gated"].first().metadata.name, "True")
    for target in found.values():
        target.becomes_ready()
    return found


@pytest.fixture(scope="module")
def gated(targets):
    return targets["gated"]


def test_a_pod_that_is_not_ready_any_more_is_scaled_up(kube, gated):
    pod = gated.first().metadata.name
    gated.admit(pod, "False")
    eventually("the pod is not ready", lambda: not kube.is_ready(gated.first()), 30)
    gated.pin(pod, 30)
    eventually("another replica", lambda: gated.replicas() > 1, TWO_PERIODS)
    gated.reaches(4, 60)
    eventually("the status says who counts", gated.says_who_counts, 60)
    gated.becomes_ready()


def test_pods_that_load_their_model_do_not_drag_the_average_down(kube, gated):
    """Three pods were never ready and serve zeros. Counted, they would make 2 of 8, and take two replicas away."""
    pod = gated.first().metadata.name
    eventually("four pods run", lambda: [p.status.phase for p in gated.pods()] == ["Running"] * 4, 60)
    assert not any(kube.is_ready(p) for p in gated.pods())
    with kube.watching(NAMESPACE, "hpa/gated", "{.status.desiredReplicas}") as desired:
        # Each reading that is awaited is a sync of the HorizontalPodAutoscaler, and all of them take longer than its
        # window before it scales down.
        for running in (8, 9, 10, 9, 8):
            gated.pin(pod, running)
            eventually_is("the average that the HPA reads", gated.average, [str(running)], 90)
    assert set(desired) == {"4"}
    assert gated.replicas() == 4


def test_ready_pods_that_are_idle_are_scaled_down(kube, gated):
    for pod in gated.pods():
        gated.pin(pod.metadata.name, 0)
        gated.admit(pod.metadata.name, "True")
    gated.reaches(1, 180)
    eventually("nobody is said to be unready", lambda: not gated.says_who_counts(), 60)


def test_a_readiness_probe_that_times_out_under_load_scales_up(kube, image, targets):
    """Three requests are below the target, but too many for the probe; then the load comes."""
    busy = targets["busy"]
    kube.apply(users(image, 3))
    eventually("the pod's probe times out", lambda: not kube.is_ready(busy.first()), 60)
    assert busy.replicas() == 1
    kube.apply(users(image, 24))
    _, seconds = eventually("another replica", lambda: busy.replicas() > 1, TWO_PERIODS)
    assert not kube.is_ready(busy.first()), f"ready after {seconds} s"
    busy.reaches(3, 60)
    eventually("the status says who counts", busy.says_who_counts, 60)
    busy.becomes_ready()


def test_without_load_its_probe_succeeds_and_it_is_scaled_down(kube, targets):
    kube.delete("apps/v1", "Deployment", "load-busy", NAMESPACE)
    targets["busy"].reaches(1, 180)


def test_pods_that_fail_their_probe_while_they_load_do_not_count(kube, targets):
    """Two new pods serve zeros. Counted, they would make an average of 4; as they are not, it is that of the first alone
    until their probes succeed, and neither then nor before is a replica added or taken away."""
    loading = targets["loading"]
    pod = loading.first().metadata.name
    loading.pin(pod, 12)
    loading.reaches(3, TWO_PERIODS)
    with kube.watching(NAMESPACE, "hpa/loading", "{.status.desiredReplicas}") as desired:
        eventually("the new pods run", lambda: [p.status.phase for p in loading.pods()] == ["Running"] * 3, 30)
        for running in (11, 12):
            loading.pin(pod, running)
            eventually_is("the average that the HPA reads", loading.average, [str(running)], 40)
        assert sum(map(kube.is_ready, loading.pods())) == 1
        eventually_is("ready pods", lambda: sum(map(kube.is_ready, loading.pods())), 3, 90)
        eventually_is("the average of all", loading.average, ["4"], 60)
    assert set(desired) == {"3"}
    assert loading.replicas() == 3


def test_when_they_are_loaded_and_idle_they_are_scaled_down(targets):
    loading = targets["loading"]
    loading.pin(loading.first().metadata.name, 0)
    loading.reaches(1, 180)
