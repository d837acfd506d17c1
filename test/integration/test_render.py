"""`render`: what it reads of files, without a cluster."""

import json
import subprocess

import pytest
import yaml
from operator_fixtures import OPERATOR

CONTAINER = {"name": "vllm", "image": "v", "ports": [{"containerPort": 8080}]}
TEMPLATE = {"metadata": {"labels": {"app": "a", "tier": "gpu"}}, "spec": {"containers": [CONTAINER]}}


def autoscaler(api_version, kind):
    return {
        "apiVersion": "inference-autoscaler.io/v1alpha1",
        "kind": "InferenceAutoscaler",
        "metadata": {"name": "a", "namespace": "llm"},
        "spec": {"scaleTargetRef": {"apiVersion": api_version, "kind": kind, "name": "a"}, "maxReplicas": 3},
    }


def target(api_version, kind, **spec):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a", "namespace": "llm"}, "spec": spec}


def deployment(selector, template=TEMPLATE):
    return target("apps/v1", "Deployment", selector=selector, template=template)


def render(*documents):
    """The objects by kind, and what was noted."""
    text = "\n---\n".join(json.dumps(document) for document in documents)
    run = subprocess.run([OPERATOR, "render", "-f", "-"], input=text, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return {o["kind"]: o for o in yaml.safe_load_all(run.stdout)}, run.stderr


def ports(objects):
    return [p["targetPort"] for p in objects["Service"]["spec"]["ports"]]


def test_a_list_is_its_items():
    labels = {"matchLabels": {"app": "a"}}
    inner = {"apiVersion": "v1", "kind": "List", "items": [deployment(labels)]}
    objects, notes = render({"apiVersion": "v1", "kind": "List", "items": [autoscaler("apps/v1", "Deployment"), inner]})
    assert objects["Service"]["spec"]["selector"] == {"app": "a"}
    assert ports(objects) == [8080]
    assert "left out" not in notes


@pytest.mark.parametrize("api_version, kind, spec, selector", [
    ("argoproj.io/v1alpha1", "Rollout", {"selector": {"matchLabels": {"app": "a"}}, "template": TEMPLATE}, {"app": "a"}),
    (
        "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet",
        {"leaderWorkerTemplate": {"leaderTemplate": TEMPLATE, "workerTemplate": {"spec": {"containers": [{"name": "w"}]}}}},
        {"leaderworkerset.sigs.k8s.io/name": "a", "leaderworkerset.sigs.k8s.io/worker-index": "0"},
    ),
    (
        "leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", {"leaderWorkerTemplate": {"workerTemplate": TEMPLATE}},
        {"leaderworkerset.sigs.k8s.io/name": "a", "leaderworkerset.sigs.k8s.io/worker-index": "0"},
    ),
])
def test_a_target_that_is_known_by_its_scale(api_version, kind, spec, selector):
    objects, notes = render(autoscaler(api_version, kind), target(api_version, kind, **spec))
    assert objects["Service"]["spec"]["selector"] == selector
    assert ports(objects) == [8080]
    assert "left out" not in notes


def test_a_target_that_is_not_given():
    objects, notes = render(autoscaler("argoproj.io/v1alpha1", "Rollout"))
    assert "Service" not in objects
    assert "add its manifest with -f" in notes


def test_expressions_that_say_no_more_than_labels():
    selector = {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["gpu"]}]}
    objects, notes = render(autoscaler("apps/v1", "Deployment"), deployment(selector))
    assert objects["Service"]["spec"]["selector"] == {"app": "a", "tier": "gpu"}


def test_expressions_that_a_service_cannot_have():
    selector = {"matchLabels": {"app": "a"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]}
    objects, notes = render(autoscaler("apps/v1", "Deployment"), deployment(selector))
    assert "Service" not in objects
    assert "which has matchExpressions that a Service cannot have: use matchLabels" in notes
    assert "-f" not in notes


@pytest.mark.parametrize("containers, port", [
    ([{"name": "vllm", "args": ["--model", "m", "--port", "9000"]}], 9000),
    ([{"name": "proxy", "ports": [{"name": "http", "containerPort": 8443}]}, {"name": "vllm", "args": ["--port=8000"]}], 8000),
    ([{"name": "vllm", "args": ["--model", "m"]}], 8000),
])
def test_a_port_that_nothing_lists(containers, port):
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": containers}}
    objects, _ = render(autoscaler("apps/v1", "Deployment"), deployment({"matchLabels": {"app": "a"}}, template))
    assert ports(objects) == [port]


OWN = {"type": "Custom", "signals": [
    {"name": "Running", "series": 'depth{queue="a.b"}'}, {"name": "KVCache", "series": "fill", "over": "Sum"},
]}


@pytest.mark.parametrize("spec, kinds", [
    ({}, {"HorizontalPodAutoscaler", "Service", "ServiceMonitor", "ConfigMap"}),
    ({"source": "Direct"}, {"HorizontalPodAutoscaler"}),
    ({"engine": OWN}, {"HorizontalPodAutoscaler", "Service", "ServiceMonitor", "ConfigMap"}),
    ({"engine": OWN, "source": "Direct"}, {"HorizontalPodAutoscaler"}),
])
def test_the_adapter_has_rules_of_what_it_serves(spec, kinds):
    one = autoscaler("apps/v1", "Deployment")
    one["spec"] |= spec
    objects, notes = render(one, deployment({"matchLabels": {"app": "a"}}))
    assert set(objects) == kinds
    assert "Custom" not in notes


def test_an_engine_of_ones_own_has_its_samples_tagged():
    """The monitor knows what the spec describes; the rules are those of anybody else's."""
    def rendered(engine):
        one = autoscaler("apps/v1", "Deployment")
        one["spec"] |= {"engine": engine, "requests": {"signals": [{"signal": s["name"]} for s in engine["signals"]]}}
        return render(one, deployment({"matchLabels": {"app": "a"}}))[0]

    objects = rendered(OWN)
    (endpoint,) = objects["ServiceMonitor"]["spec"]["endpoints"]
    drop, running, fill, keep = endpoint["metricRelabelings"]
    assert drop == {"action": "labeldrop", "regex": "inference_autoscaler_.*"}
    assert running.pop("replacement").startswith("sum.") and fill.pop("replacement").startswith("ratio_sum.")
    assert running == {"action": "replace", "sourceLabels": ["__name__", "queue"], "regex": "depth;a[.]b",
                       "targetLabel": "inference_autoscaler_running"}
    assert fill == {"action": "replace", "sourceLabels": ["__name__"], "regex": "fill", "targetLabel": "inference_autoscaler_kv_cache"}
    assert keep["action"] == "keep" and keep["sourceLabels"] == [running["targetLabel"], fill["targetLabel"]]
    metrics = [m["pods"]["metric"]["name"] for m in objects["HorizontalPodAutoscaler"]["spec"]["metrics"]]
    assert metrics == ["custom_num_requests_running", "custom_kv_cache_usage_percent"]
    other = rendered({"type": "Custom", "signals": [
        {"name": "Running", "series": "other", "over": "Max"}, {"name": "KVCache", "series": "another", "unit": "Percent"},
    ]})
    assert other["ConfigMap"] == objects["ConfigMap"] and other["ServiceMonitor"] != objects["ServiceMonitor"]
