"""What we ask of Prometheus, put to promtool: every expression parses, and means what its signal promises.

An expression is asked as prometheus-adapter asks it: of the pods that the HPA's selector named, grouped by pod.
"""

import json
import subprocess

import pytest
import yaml
from conftest import smallest, tool
from operator_fixtures import OPERATOR

SIGNALS = ("Running", "Waiting", "InFlight", "KVCache")

# Per signal: series in, as `name{labels}` and value; the answer per pod. Both pods run two data-parallel ranks.
A0, A1, B0, B1 = (f'{{namespace="shop",pod="{pod}",engine="{rank}"}}' for pod in "ab" for rank in "01")
OTHER = '{namespace="elsewhere",pod="a",engine="0"}'
MEANINGS = {
    "counts add up over ranks": (
        "Running",
        {f"vllm:num_requests_running{A0}": 3, f"vllm:num_requests_running{A1}": 4,
         f"vllm:num_requests_running{B0}": 0, f"vllm:num_requests_running{B1}": 1},
        {"a": 7, "b": 1},
    ),
    "a pod of the same name elsewhere does not count": (
        "Running",
        {f"vllm:num_requests_running{A0}": 3, f"vllm:num_requests_running{OTHER}": 100},
        {"a": 3},
    ),
    "zero is a value": ("Running", {f"vllm:num_requests_running{A0}": 0}, {"a": 0}),
    "nothing is nothing, not zero": ("Running", {f"vllm:num_requests_running{OTHER}": 1}, {}),
    "the queue": ("Waiting", {f"vllm:num_requests_waiting{A0}": 2, f"vllm:num_requests_waiting{A1}": 5}, {"a": 7}),
    "running and waiting together": (
        "InFlight",
        {f"vllm:num_requests_running{A0}": 3, f"vllm:num_requests_running{A1}": 4, f"vllm:num_requests_waiting{A0}": 2,
         f"vllm:num_requests_waiting{A1}": 1, f"vllm:num_requests_running{B0}": 1, f"vllm:num_requests_waiting{B0}": 0},
        {"a": 10, "b": 1},
    ),
    "the fullest rank, in percent": (
        "KVCache",
        {f"vllm:kv_cache_usage_perc{A0}": 0.25, f"vllm:kv_cache_usage_perc{A1}": 0.75},
        {"a": 75},
    ),
    "old and new names in one rolling upgrade, never added up": (
        "KVCache",
        {f"vllm:kv_cache_usage_perc{A0}": 0.5, f"vllm:gpu_cache_usage_perc{A0}": 0.9,
         f"vllm:gpu_cache_usage_perc{B0}": 0.25},
        {"a": 50, "b": 25},
    ),
}


@pytest.fixture(scope="module")
def promtool():
    return tool("promtool")


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The adapter's rule of each signal, as the operator writes it."""
    found = {}
    for signal in SIGNALS:
        file = tmp_path_factory.mktemp("spec") / "autoscaler.yaml"
        file.write_text(yaml.safe_dump(smallest(requests={"signal": signal})))
        run = subprocess.run([OPERATOR, "render", "-f", file], check=True, stdout=subprocess.PIPE)
        objects = list(yaml.safe_load_all(run.stdout))
        (text,) = (o["data"]["config.yaml"] for o in objects if o["kind"] == "ConfigMap")
        (found[signal],) = yaml.safe_load(text)["rules"]
    return found


def asked(rule):
    """The expression that prometheus-adapter makes of a rule's template."""
    return (
        rule["metricsQuery"]
        .replace("<<.LabelMatchers>>", 'namespace="shop",pod=~"a|b"')
        .replace("<<.GroupBy>>", "pod")
    )


def check(promtool, folder, kind, document):
    """Runs promtool on the document; its words when it refuses."""
    file = folder / "document.json"
    file.write_text(json.dumps(document))
    run = subprocess.run([promtool, *kind, file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return None if run.returncode == 0 else run.stdout


def expression_test(series, expression, samples):
    return {
        "evaluation_interval": "15s",
        "tests": [{
            "interval": "15s",
            "input_series": [{"series": name, "values": f"{value}x4"} for name, value in series.items()],
            "promql_expr_test": [{
                "expr": expression,
                "eval_time": "1m",
                "exp_samples": [{"labels": f'{{pod="{pod}"}}', "value": value} for pod, value in samples.items()],
            }],
        }],
    }


@pytest.mark.parametrize("signal", SIGNALS)
def test_every_expression_parses(promtool, rules, tmp_path, signal):
    group = {"groups": [{"name": "ours", "rules": [
        {"record": "metrics_query", "expr": asked(rules[signal])},
        {"record": "series_query", "expr": rules[signal]["seriesQuery"]},
    ]}]}
    assert check(promtool, tmp_path, ["check", "rules"], group) is None


@pytest.mark.parametrize("meaning", MEANINGS)
def test_every_expression_means_its_signal(promtool, rules, tmp_path, meaning):
    signal, series, samples = MEANINGS[meaning]
    document = expression_test(series, asked(rules[signal]), samples)
    assert check(promtool, tmp_path, ["test", "rules"], document) is None


def test_a_wrong_expectation_is_seen(promtool, rules, tmp_path):
    """promtool itself: a test that could not fail would prove nothing."""
    signal, series, samples = MEANINGS["counts add up over ranks"]
    document = expression_test(series, asked(rules[signal]), samples | {"a": 8})
    assert "FAILED" in check(promtool, tmp_path, ["test", "rules"], document)


def test_the_discovery_finds_every_name(promtool, rules, tmp_path):
    series = {f"vllm:kv_cache_usage_perc{A0}": 1, f"vllm:gpu_cache_usage_perc{B0}": 1, f"vllm:other{A0}": 1}
    document = expression_test(series, f"count({rules['KVCache']['seriesQuery']}) by (pod)", {"a": 1, "b": 1})
    assert check(promtool, tmp_path, ["test", "rules"], document) is None
