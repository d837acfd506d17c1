"""What may be asked of the custom metrics API that the operator serves, each through a real API server: by `kubectl get
--raw`, by an HPA of somebody else's; and what happens to others while nobody answers.
"""

import json
import signal
import time

import pytest
from conftest import eventually
from operator_fixtures import Autoscaler, deployment
from test_metrics_server import (  # noqa: F401  (fixtures are found by name)
    METRIC,
    VERSIONS,
    available,
    cluster,
    is_ready,
    kubeconfig,
    operator_kubeconfig,
    page_port,
    read,
    replicas,
    target,
)

GROUP = "/apis/custom.metrics.k8s.io"
OWN = "inferenceautoscalers.inference-autoscaler.io"
PAGE_VALUE = "8"  # of the page's requests


@pytest.fixture
def served(cluster, target, replicas):  # noqa: F811
    """An autoscaler of two pods whose figures are read; its namespace."""
    replicas.start("one")
    one = Autoscaler(cluster, target).create(source="Direct", maxReplicas=2)
    eventually(lambda: is_ready(one), timeout=60)
    return target


def raw(cluster, path):  # noqa: F811
    """The document, or the error's words."""
    done = cluster.kubectl("get", "--raw", path, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def pods(cluster, namespace):  # noqa: F811
    return sorted(pod.metadata.name for pod in cluster.core.list_namespaced_pod(namespace, label_selector="app=server").items)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_form_is_read_through_the_api_server(cluster, served, version):  # noqa: F811
    here = f"{GROUP}/{version}/namespaces/{served}"
    both = pods(cluster, served)

    def described(path):
        """The names of what is described, each with its value."""
        answer = raw(cluster, path)
        assert isinstance(answer, dict), answer
        assert (answer["kind"], answer["apiVersion"]) == ("MetricValueList", f"custom.metrics.k8s.io/{version}")
        for item in answer["items"]:
            assert item["describedObject"]["namespace"] == served
            assert METRIC == (item["metricName"] if version == "v1beta1" else item["metric"]["name"])
        return {item["describedObject"]["name"]: item["value"] for item in answer["items"]}

    resources = {one["name"]: one for one in raw(cluster, f"{GROUP}/{version}")["resources"]}
    assert f"pods/{METRIC}" in resources and f"{OWN}/{METRIC}" in resources
    # What could be deleted would keep each namespace that goes from going.
    assert all(one["verbs"] == ["get"] for one in resources.values())

    all_of_them = dict.fromkeys(both, PAGE_VALUE)
    for star in ("*", "%2A"):
        assert described(f"{here}/pods/{star}/{METRIC}?labelSelector=app%3Dserver") == all_of_them
    for selector in ("app+in+%28server%2Cother%29", "app%2C%21none", "app%21%3Dother", "app%3Dserver%2Capp+notin+%28other%29"):
        assert described(f"{here}/pods/%2A/{METRIC}?labelSelector={selector}") == all_of_them, selector
    assert described(f"{here}/pods/%2A/{METRIC}?labelSelector=app%3Dserver&pretty=true&limit=500&timeoutSeconds=5") == all_of_them
    assert described(f"{here}/pods/{both[0]}/{METRIC}") == {both[0]: PAGE_VALUE}
    assert described(f"{here}/{OWN}/gemma/{METRIC}") == {"gemma": "16"}
    for path in (f"{here}/pods/%2A/{METRIC}?labelSelector=app%3Dother", f"{here}/pods/%2A/none?labelSelector=app%3Dserver",
                 f"{here}/pods/none/{METRIC}", f"{here}/{OWN}/none/{METRIC}", f"{here}/services/server/{METRIC}",
                 f"{here}/metrics/{METRIC}", f"{GROUP}/{version}/nodes/one/{METRIC}"):
        words = raw(cluster, path)
        assert isinstance(words, str) and "NotFound" in words, (path, words)


def test_an_hpa_of_somebody_elses_reads_the_sum(cluster, served, page_port):  # noqa: F811
    """Of a kind of metric that an autoscaler's own HPA does not use: of an object, which is the autoscaler."""
    cluster.apply(deployment("other", served, {"app": "other"}, page_port), {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "other", "namespace": served},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"}, "maxReplicas": 3,
                 "metrics": [{"type": "Object", "object": {
                     "metric": {"name": METRIC}, "target": {"type": "AverageValue", "averageValue": "6"},
                     "describedObject": {"apiVersion": "inference-autoscaler.io/v1alpha1", "kind": "InferenceAutoscaler",
                                         "name": "gemma"}}}]}})
    path = f"/apis/autoscaling/v2/namespaces/{served}/horizontalpodautoscalers/other"

    def wants_three():
        status = cluster.request("GET", path)[1]["status"]
        assert status["desiredReplicas"] == 3, status  # 16 are 2.7 times 6
        (current,) = status["currentMetrics"]
        assert current["type"] == "Object" and current["object"]["metric"]["name"] == METRIC, current
        return True

    eventually(wants_three, timeout=60)


def test_a_namespace_goes_although_nobody_served_for_a_while(cluster, served, replicas):  # noqa: F811
    """While the API is registered and nobody answers, who deletes a namespace cannot tell what is in it; that is over as
    soon as somebody answers again."""
    name = f"{served}-goes"
    cluster.core.create_namespace({"metadata": {"name": name}})
    (one,) = replicas.all
    one.process.send_signal(signal.SIGKILL)
    one.process.wait()
    cluster.core.delete_namespace(name)
    time.sleep(10)
    replicas.all.remove(one)
    one.show(False)
    replicas.start("two")
    eventually(lambda: available(cluster), timeout=60)
    eventually(lambda: cluster.request("GET", f"/api/v1/namespaces/{name}")[0] == 404, timeout=60)
    eventually(lambda: read(cluster, served)[0] == 200, timeout=30)
