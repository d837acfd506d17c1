"""A chain works, and somebody installs a second Prometheus, which comes first by name and wants other labels, and removes
it again: nobody who scales must notice. Then a tool takes our rules out of the adapter's ConfigMap each time: it is named,
not answered."""
import json
import time

import pytest

from conftest import ADAPTER, AUTOSCALER, HPA, RULES, eventually
from standins import autoscaler, deployment, load

NAME = "second"
SERVICE_MONITOR = ("monitoring.coreos.com/v1", "ServiceMonitor")
# First among all by name, as a team's own stack may be.
OTHERS = "apm-example"
STACK = "monitoring"
# Seconds: several scrapes, relists of the adapter and readings of the HPA.
WATCHED = {"installed": 75, "removed": 45}


def prometheus(name, selector, replicas=0, namespace=OTHERS):
    """One that selects in all namespaces, which has no pod yet."""
    return {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "version": "v3.14.0", "image": "localhost/prometheus:v3.14.0",
                 "imagePullPolicy": "IfNotPresent",
                 "securityContext": {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
                 "serviceMonitorNamespaceSelector": {}, "serviceMonitorSelector": selector},
    }


class Story:
    """A chain under a load that does not change, and what is seen of it."""

    def __init__(self, kube, namespace, rules):
        self.kube, self.namespace, self.rules = kube, namespace, rules
        self.before, self.beside, self.after = {}, {}, {}

    def conditions(self):
        return self.kube.conditions(*AUTOSCALER, NAME, self.namespace)

    def is_ready(self):
        return self.conditions().get("Ready", {}).get("status") == "True"

    def labels(self):
        return self.kube.get(*SERVICE_MONITOR, NAME, self.namespace)["metadata"]["labels"]

    def is_read(self):
        status = self.kube.get(*HPA, NAME, self.namespace).get("status", {})
        return "averageValue" in json.dumps(status.get("currentMetrics"))


@pytest.fixture(scope="module")
def story(kube, image):
    """One replica, Ready, and read by its HPA; a namespace of another team."""
    rules_before = kube.foreign_rules()
    with kube.namespace(OTHERS), kube.namespace("second-example") as namespace:
        told = Story(kube, namespace, rules_before)
        kube.apply([deployment(namespace, NAME, image, "--latency", "2s"), *load(namespace, NAME, image, 2),
                    autoscaler(namespace, NAME, max_replicas=1)])
        eventually("Ready", told.is_ready, 240)
        eventually("the HPA has read the metric", told.is_read, 60)
        yield told
    eventually("the rules are what they were", lambda: kube.foreign_rules() == rules_before, 90)


@pytest.fixture(scope="module")
def watched(kube, story):
    """What was seen from before the second Prometheus until long after it is gone; a third selects everything, and runs."""
    story.before = story.labels()
    with kube.watching(story.namespace, f"inferenceautoscaler/{NAME}", "{.status.conditions[?(@.type=='Ready')].status}") \
            as story.ready, \
            kube.watching(story.namespace, f"servicemonitor/{NAME}", "{.metadata.labels}") as story.labelled, \
            kube.watching(story.namespace, f"hpa/{NAME}", "{.status.conditions[?(@.type=='ScalingActive')].status}") \
            as story.active, \
            kube.watching(story.namespace, f"hpa/{NAME}", "{.status.currentMetrics}") as story.metrics:
        eventually("the watches have begun",
                   lambda: all((story.ready, story.labelled, story.active, story.metrics)), 20)
        kube.apply([prometheus("kps", {"matchLabels": {"release": "kps"}}), prometheus("everything", {}, replicas=1)])
        eventually("the third runs", lambda: any(map(kube.is_ready, kube.pods(OTHERS, "prometheus=everything"))), 60)
        time.sleep(WATCHED["installed"])
        story.beside = story.labels()
        for name in ("kps", "everything"):
            kube.delete("monitoring.coreos.com/v1", "Prometheus", name, OTHERS)
        time.sleep(WATCHED["removed"])
    story.after = story.labels()
    return story


def test_the_monitor_keeps_its_label_and_gains_nothing(watched):
    assert watched.before["release"] == "prometheus"
    assert watched.beside == watched.after == watched.before
    assert all(json.loads(line) == watched.before for line in watched.labelled), watched.labelled


def test_ready_stays_true(watched):
    assert watched.ready and set(watched.ready) == {"True"}, watched.ready


def test_the_hpa_never_says_unknown(watched):
    assert set(watched.active) == {"True"}, watched.active
    assert all("averageValue" in line for line in watched.metrics), watched.metrics


def test_labels_of_the_platforms_come_and_go_and_a_teams_never_come(kube, watched):
    kube.apply([prometheus("team", {"matchLabels": {"team": "apm"}}),
                prometheus("platform", {"matchLabels": {"long-term": "yes"}}, namespace=STACK)])
    eventually("the label that the platform's wants", lambda: watched.labels() == watched.before | {"long-term": "yes"}, 20)
    for name, namespace in (("team", OTHERS), ("platform", STACK)):
        kube.delete("monitoring.coreos.com/v1", "Prometheus", name, namespace)
    eventually("it is gone", lambda: watched.labels() == watched.before, 20)
    assert watched.is_ready()


def revert(kube, text):
    """As a tool does that delivers prometheus-adapter."""
    api_version, kind, name, namespace = RULES
    kube.resource(api_version, kind).patch(name=name, namespace=namespace, body={"data": {"config.yaml": text}},
                                           content_type="application/merge-patch+json", field_manager="argocd-controller")


def test_who_reverts_our_rules_is_named_and_the_adapter_left_in_peace(kube, watched):
    ours = kube.rules()
    before = kube.get(*ADAPTER)["metadata"]["generation"]
    try:
        for _ in range(15):
            revert(kube, watched.rules)
            time.sleep(1.3)
        assert kube.get(*ADAPTER)["metadata"]["generation"] - before <= 2
        said, _ = eventually("it is said", lambda: (watched.conditions()["AdapterConfigured"]["reason"] == "RevertedBy" and
                                                    watched.conditions()["AdapterConfigured"]), 20)
        assert said["status"] == "False" and "'argocd-controller'" in said["message"]
    finally:
        revert(kube, ours)
    eventually("Ready again", watched.is_ready, 240)
