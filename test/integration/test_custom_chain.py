"""An engine that nobody knows, over a real Prometheus and a real adapter: what the spec describes of a page arrives at the
metrics API, and nothing else of the page does, whatever it is called."""

import pytest

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    operator_kubeconfig,
    stack,
    target,
    working_chain,
)
from conftest import eventually
from operator_fixtures import Page, adapter_configmap, adapter_deployment, explained, listening_port, serving

PAGE = b"""\
# TYPE serve_queue gauge
serve_queue{deployment="llm",rank="0"} 3
serve_queue{deployment="llm",rank="1"} 4
serve_queue{deployment="other"} 50
serve_queue{deployment="llm;x"} 100
serve_queue{deployment="xllm"} 100
serve_queue{deployment="llm",inference_autoscaler_waiting="max.3fbe7e95"} 10
serve_queue{deployment="later",inference_autoscaler_waiting="sum.3fbe7e95"} 1000
evil{inference_autoscaler_waiting="sum.3fbe7e95",inference_autoscaler_kv_cache="max"} 1000
evil{inference_autoscaler_other="sum"} 1000
serve_busy{path="/v1.chat+x",job="a",container="b"} 6
serve_busy{path="/v1.chat+x",job="other",container="b"} 100
serve_busy{path="/v1.chat+x",job="a",container="server"} 100
serve_busy{path="/v1.chat+x",job="a",container="b",shard="0"} 100
serve_busy{path="/v1xchat+x",job="a",container="b"} 100
serve_busy{path="/v1.chattx",job="a",container="b"} 100
serve_busy{path="/v1.chat+x",job="a"} 100
serve_ranks{rank="0"} 2
serve_ranks{rank="1"} 5
serve_ranks{rank="2"} NaN
vllm:fill{model="m"} 0.25
vllm_fill{model="m"} 0.625
vllm:num_requests_running{model="m"} 7777
"""
SIGNALS = [
    {"name": "Waiting", "series": 'serve_queue{deployment="llm"}'},
    {"name": "Running", "series": 'serve_busy{path="/v1.chat+x",shard="",job="a",container="b"}'},
    {"name": "InFlight", "series": "serve_ranks", "over": "Max"},
    {"name": "KVCache", "series": "vllm:fill"},
]
VALUES = {
    "custom_num_requests_waiting": "17", "custom_num_requests_running": "6", "custom_num_requests_in_flight": "5",
    "custom_kv_cache_usage_percent": "62500m",
}


class OwnPage(Page):
    page = PAGE


@pytest.fixture(scope="session")
def engine_port():
    with serving(OwnPage) as port:
        yield port


@pytest.fixture
def own(cluster, target, engine_port, operator_kubeconfig, prometheus_program, adapter_program, tmp_path):
    with working_chain(
        cluster, target, engine_port, operator_kubeconfig, (prometheus_program, adapter_program), tmp_path / "operator.log",
        source="Prometheus", engine={"type": "Custom", "signals": SIGNALS},
        requests={"signals": [{"signal": signal["name"], "target": 50} for signal in SIGNALS]}, scrapeInterval="1s",
    ) as autoscaler:
        yield autoscaler


def value(autoscaler, metric):
    """What the adapter says of the only pod; None = nothing."""
    path = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{autoscaler.namespace}/pods/*/{metric}"
    code, answer = autoscaler.cluster.request("GET", path, query=[("labelSelector", "app=server")])
    items = answer.get("items", []) if code == 200 else []
    return items[0]["value"] if items else None


def hops(autoscaler):
    """Of each metric what the operator saw on the page and at Prometheus."""
    (told,) = explained(autoscaler.cluster, listening_port(autoscaler.operator.process.pid))["items"]
    return {item["metric"]: (item["pods"][0].get("page"), item["pods"][0].get("prometheus")) for item in told["values"]}


def test_what_the_spec_describes_arrives_and_nothing_else(cluster, own):
    for metric, wanted in VALUES.items():
        assert eventually(lambda m=metric: value(own, m), timeout=30) == wanted, metric
    seen = eventually(lambda: (lambda h: len(h) == len(VALUES) and h)(hops(own)), timeout=30)
    assert seen == {
        "custom_num_requests_waiting": ("17", "17"), "custom_num_requests_running": ("6", "6"),
        "custom_num_requests_in_flight": ("5", "5"), "custom_kv_cache_usage_percent": ("62.5", "62.5"),
    }


def test_an_edit_changes_no_rule_and_counts_nothing_twice(cluster, own):
    def shared():
        return adapter_configmap(cluster).metadata.resource_version, adapter_deployment(cluster)["metadata"]["generation"]

    metric = "custom_num_requests_waiting"
    before = eventually(lambda: value(own, metric), timeout=30), shared()
    monitor = own.child("ServiceMonitor")["metadata"]["generation"]
    own.patch({"engine": {"type": "Custom", "signals": [SIGNALS[0] | {"series": 'serve_queue{deployment="other"}'}, *SIGNALS[1:]]}})
    # Prometheus does not know of it yet: what it has is of the description before.
    own.waits_for("SeriesFresh", "Waiting", timeout=30)
    assert own.condition("Ready")["status"] == "Unknown"
    now = own.child("ServiceMonitor")
    assert now["metadata"]["generation"] > monitor
    own.prometheus.obey(now)
    said = {before[0]}

    def has_the_other():
        said.add(now := value(own, metric))
        assert now == "50"
        return True

    eventually(has_the_other, timeout=60)
    # 67 would be both.
    assert said - {None} == {"17", "50"}
    own.waits_for("Ready", "Ready", timeout=60)
    assert (before[0], shared()) == ("17", before[1])
