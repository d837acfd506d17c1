"""An engine at its peak fails its readiness probe: the stories of pods that count although they are not ready, and of one
that still loads its model and does not."""
import json

import pytest

from conftest import AUTOSCALER, HPA, eventually, eventually_is, run
from standins import autoscaler, deployment, load

NAMESPACE = "unready"
GATE = "example.com/admitted"


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


@pytest.fixture(scope="module")
def gated(kube, image):
    """An engine that is ready when its gate says so, Ready at one replica."""
    target = Target(kube, "gated")
    wanted = deployment(NAMESPACE, "gated", image, replicas=1)
    wanted["spec"]["template"]["spec"]["readinessGates"] = [{"conditionType": GATE}]
    kube.apply([wanted, autoscaler(NAMESPACE, "gated", max_replicas=4, requests={"target": 4})])
    eventually("a pod", target.pods, 60)
    target.admit(target.first().metadata.name, "True")
    target.becomes_ready()
    return target


def test_a_pod_that_is_not_ready_any_more_is_scaled_up(kube, gated):
    pod = gated.first().metadata.name
    gated.admit(pod, "False")
    eventually("the pod is not ready", lambda: not kube.is_ready(gated.first()), 30)
    gated.pin(pod, 30)
    gated.reaches(4, 150)
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


def test_a_readiness_probe_that_times_out_under_load(kube, image):
    """The requests go to all pods, ready or not, as a gateway sends them that picks the pod itself."""
    busy = Target(kube, "busy")
    wanted = deployment(NAMESPACE, "busy", image, "--latency", "20s", "--health-hangs-above", "2", replicas=1)
    (container,) = wanted["spec"]["template"]["spec"]["containers"]
    container["readinessProbe"] |= {"timeoutSeconds": 1, "periodSeconds": 1, "failureThreshold": 2}
    kube.apply([wanted, autoscaler(NAMESPACE, "busy", max_replicas=3, requests={"target": 4})])
    busy.becomes_ready()
    service, users = load(NAMESPACE, "busy", image, 24)
    service["spec"]["publishNotReadyAddresses"] = True
    kube.apply([service, users])
    eventually("the pod's probe times out", lambda: not kube.is_ready(busy.first()), 60)
    busy.reaches(3, 150)
    eventually("the status says who counts", busy.says_who_counts, 60)
    busy.becomes_ready()
    kube.delete("apps/v1", "Deployment", "load-busy", NAMESPACE)
    busy.reaches(1, 240)
