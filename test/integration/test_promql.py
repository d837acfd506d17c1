"""What we ask of Prometheus, put to promtool: every expression parses, and means what its signal promises.

An expression is asked as prometheus-adapter asks it: of the pods that the HPA's selector named, grouped by pod.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import smallest
from operator_fixtures import OPERATOR

REPO = Path(__file__).resolve().parents[2]
CRD = yaml.safe_load((REPO / "crds" / "inferenceautoscalers.yaml").read_text())
SPEC = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
ENGINES = [name for name in SPEC["engine"]["properties"]["type"]["enum"] if name != "Auto"]
SIGNALS = SPEC["requests"]["properties"]["signal"]["enum"]

# Per row: what a pod has in each generation of the engine, as series and value, and what the row then says. Labels that
# the engine itself writes are in braces.
TRITON = 'nv_trt_llm_request_metrics{{request_type="{}"}}'.format
LMDEPLOY_WAITING = {"lmdeploy:num_requests_waiting": 2, "lmdeploy:num_api_requests_waiting": 3}
SGLANG_PREFILL = {
    "sglang:num_queue_reqs": 1,
    "sglang:num_prefill_prealloc_queue_reqs": 40,
    "sglang:num_prefill_inflight_queue_reqs": 3,
}
SGLANG_DECODE = {
    "sglang:num_queue_reqs": 0,
    'sglang:num_decode_prealloc_queue_reqs{tp_rank="0"}': 17,
    'sglang:num_decode_prealloc_queue_reqs{tp_rank="1"}': 17,
    "sglang:num_decode_transfer_queue_reqs": 5,
}


def TAGGED(figure, tag, **series):
    return {f'{name}{{inference_autoscaler_{figure}="{tag}"}}': value for name, value in series.items()}


ROWS = {
    ("VLLM", "Running"): [({"vllm:num_requests_running": 3}, 3)],
    ("VLLM", "Waiting"): [({"vllm:num_requests_waiting": 3}, 3)],
    ("VLLM", "InFlight"): [({"vllm:num_requests_running": 3, "vllm:num_requests_waiting": 2}, 5)],
    ("VLLM", "KVCache"): [({"vllm:kv_cache_usage_perc": 0.5}, 50), ({"vllm:gpu_cache_usage_perc": 0.25}, 25)],
    ("SGLang", "Running"): [
        ({"sglang:num_running_reqs": 3}, 3),
        # with priority scheduling the total has the empty priority, and its parts a series each
        ({"sglang:num_running_reqs": 3, 'sglang:num_running_reqs{priority="1"}': 2, 'sglang:num_running_reqs{priority="5"}': 1}, 3),
        # every tensor-parallel rank reports the same; data-parallel ranks add up
        ({f'sglang:num_running_reqs{{dp_rank="{dp}",tp_rank="{tp}"}}': 2 + dp for dp in (0, 1) for tp in (0, 1)}, 5),
    ],
    ("SGLang", "Waiting"): [
        ({"sglang:num_queue_reqs": 3}, 3),
        ({"sglang:num_queue_reqs": 3, 'sglang:num_queue_reqs{priority="1"}': 3}, 3),
        # what waits before the queue of a worker that only prefills, or only decodes, and what it hands over
        (SGLANG_PREFILL, 41),
        (SGLANG_DECODE, 22),
    ],
    ("SGLang", "InFlight"): [
        ({"sglang:num_running_reqs": 3, "sglang:num_queue_reqs": 2}, 5),
        ({"sglang:num_running_reqs": 2} | SGLANG_PREFILL, 46),
        ({"sglang:num_running_reqs": 30} | SGLANG_DECODE, 52),
    ],
    ("SGLang", "KVCache"): [({"sglang:token_usage": 0.5}, 50)],
    ("TGI", "Running"): [({"tgi_batch_current_size": 3}, 3)],
    ("TGI", "Waiting"): [({"tgi_queue_size": 3}, 3)],
    ("TGI", "InFlight"): [({"tgi_batch_current_size": 3, "tgi_queue_size": 2}, 5)],
    ("TensorRTLLM", "Running"): [({"trtllm_num_requests_running": 3}, 3)],
    ("TensorRTLLM", "Waiting"): [({"trtllm_num_requests_waiting": 3}, 3)],
    ("TensorRTLLM", "InFlight"): [({"trtllm_num_requests_running": 3, "trtllm_num_requests_waiting": 2}, 5)],
    ("TensorRTLLM", "KVCache"): [({"trtllm_kv_cache_utilization": 0.5}, 50)],
    ("Triton", "Running"): [({TRITON("scheduled"): 3, TRITON("active"): 9, TRITON("waiting"): 6, TRITON("max"): 64}, 3)],
    ("Triton", "Waiting"): [
        ({TRITON("scheduled"): 3, TRITON("active"): 9, TRITON("waiting"): 6, TRITON("max"): 64}, 6),
        ({TRITON("scheduled"): 3, TRITON("active"): 7, TRITON("max"): 64}, 4),
        ({TRITON("scheduled"): 1, TRITON("active"): 0, TRITON("max"): 64}, 0),
    ],
    ("Triton", "InFlight"): [({TRITON("scheduled"): 3, TRITON("active"): 9, TRITON("waiting"): 6, TRITON("max"): 64}, 9)],
    ("Triton", "KVCache"): [({
        'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction"}': 0.5,
        'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max"}': 6239,
    }, 50)],
    ("LMDeploy", "Running"): [({"lmdeploy:num_requests_running": 3}, 3)],
    ("LMDeploy", "Waiting"): [(LMDEPLOY_WAITING, 5), ({"lmdeploy:num_requests_waiting": 2}, 2)],
    ("LMDeploy", "InFlight"): [
        ({"lmdeploy:num_requests_running": 1} | LMDEPLOY_WAITING, 6),
        ({"lmdeploy:num_requests_running": 1, "lmdeploy:num_requests_waiting": 2}, 3),
    ],
    ("LMDeploy", "KVCache"): [({"lmdeploy:gpu_cache_usage_perc": 0.5}, 50)],
    ("NIM", "Running"): [({"num_requests_running": 3}, 3), ({"vllm:num_requests_running": 4}, 4)],
    ("NIM", "Waiting"): [({"num_requests_waiting": 3}, 3), ({"vllm:num_requests_waiting": 4}, 4)],
    ("NIM", "InFlight"): [
        ({"num_requests_running": 3, "num_requests_waiting": 1}, 4),
        ({"vllm:num_requests_running": 3, "vllm:num_requests_waiting": 2}, 5),
    ],
    ("NIM", "KVCache"): [({"gpu_cache_usage_perc": 0.5}, 50), ({"vllm:kv_cache_usage_perc": 0.25}, 25)],
    ("LlamaCpp", "Running"): [({"llamacpp:requests_processing": 3}, 3)],
    ("LlamaCpp", "Waiting"): [({"llamacpp:requests_deferred": 3}, 3)],
    ("LlamaCpp", "InFlight"): [({"llamacpp:requests_processing": 3, "llamacpp:requests_deferred": 2}, 5)],
    ("LlamaCpp", "KVCache"): [({"llamacpp:kv_cache_usage_ratio": 0.5}, 50)],
    # Whatever the spec describes, as the ServiceMonitor tags it. Here the generations are what an edit makes of it.
    ("Custom", "Running"): [(TAGGED("running", "sum.3fbe7e95", depth=3), 3), (TAGGED("running", "sum.9a", width=4), 4)],
    ("Custom", "Waiting"): [(TAGGED("waiting", "sum.3fbe7e95", depth=3), 3)],
    ("Custom", "InFlight"): [(TAGGED("in_flight", "sum.3fbe7e95", depth=3, width=2), 5)],
    ("Custom", "KVCache"): [(TAGGED("kv_cache", "ratio_max.1", fill=0.5), 50), (TAGGED("kv_cache", "max.2", percent=25), 25)],
}


def rendered(folder, engine, signal):
    file = folder / f"{engine}-{signal}.yaml"
    described = {"signals": [{"name": signal, "series": "depth"}]} if engine == "Custom" else {}
    file.write_text(yaml.safe_dump(smallest(engine={"type": engine} | described, requests={"signal": signal})))
    return subprocess.run([OPERATOR, "render", "-f", file], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The adapter's rule of each row, as the operator writes it."""
    found = {}
    folder = tmp_path_factory.mktemp("spec")
    for engine, signal in ROWS:
        run = rendered(folder, engine, signal)
        assert run.returncode == 0, run.stderr
        objects = list(yaml.safe_load_all(run.stdout))
        (text,) = (o["data"]["config.yaml"] for o in objects if o["kind"] == "ConfigMap")
        (found[engine, signal],) = yaml.safe_load(text)["rules"]
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


def at(pod, series, ns="shop", **labels):
    """The series as a scrape of the pod stores it."""
    name, _, own = series.rstrip("}").partition("{")
    labels = {"namespace": ns, "pod": pod} | labels
    return name + "{" + ",".join([own] * bool(own) + [f'{k}="{v}"' for k, v in labels.items()]) + "}"


def expression_test(series, expression, samples):
    return {
        "interval": "15s",
        "input_series": [{"series": name, "values": " ".join([str(value)] * 5)} for name, value in series.items()],
        "promql_expr_test": [{
            "expr": expression,
            "eval_time": "1m",
            "exp_samples": [{"labels": f'{{pod="{pod}"}}', "value": value} for pod, value in samples.items()],
        }],
    }


def expression_tests(*tests):
    return {"evaluation_interval": "15s", "tests": list(tests)}


def each_row(test):
    return pytest.mark.parametrize("row", ROWS, ids="-".join)(test)


def test_no_row_escapes(rules, tmp_path):
    """Each engine and signal of the API has a row here or is refused in a sentence, and each row of the table is here."""
    for row in {(e, s) for e in ENGINES for s in SIGNALS} - set(ROWS):
        run = rendered(tmp_path, *row)
        assert run.returncode != 0 and f"'{row[1]}'" in run.stderr, row
    table = "".join((REPO / "src" / "engine" / name).read_text() for name in ("presets.c", "custom_rules.c"))
    assert {r["name"]["as"] for r in rules.values()} == set(re.findall(r'\.metric = "(\w+)"', table))


def test_no_two_rules_give_one_metric(rules):
    names = [r["name"]["as"] for r in rules.values()]
    assert len(names) == len(set(names))


@each_row
def test_every_expression_parses(promtool, rules, tmp_path, row):
    group = {"groups": [{"name": "ours", "rules": [
        {"record": "metrics_query", "expr": asked(rules[row])},
        {"record": "series_query", "expr": rules[row]["seriesQuery"]},
    ]}]}
    assert check(promtool, tmp_path, ["check", "rules"], group) is None


@each_row
def test_every_row_means_its_signal(promtool, rules, tmp_path, row):
    expression = asked(rules[row])
    generations = ROWS[row]
    fill = row[1] == "KVCache"
    tests = []
    for series, value in generations:
        here = {at("a", name): number for name, number in series.items()}
        elsewhere = {at("a", name, ns="elsewhere"): 1 for name in series}
        zero = dict.fromkeys(here, 0)
        # a pod of the same name elsewhere does not count
        tests.append(expression_test(here | elsewhere, expression, {"a": value}))
        # zero is a value, nothing is nothing, and no number is nothing
        tests.append(expression_test(zero, expression, {"a": 0}))
        tests.append(expression_test(elsewhere, expression, {}))
        tests.append(expression_test(dict.fromkeys(here, "NaN"), expression, {}))
        # a label that we do not know tells two series of one pod apart: counts add up, a fill level is the fullest's
        if row[0] != "SGLang":
            ranks = {at("a", name, rank=rank): number for name, number in series.items() for rank in "01"}
            tests.append(expression_test(ranks, expression, {"a": value if fill else 2 * value}))
    # in a rolling upgrade each pod has its value
    for first, second in zip(generations, generations[1:]):
        both = {at(pod, n): v for pod, (series, _) in zip("ab", (first, second)) for n, v in series.items()}
        tests.append(expression_test(both, expression, {"a": first[1], "b": second[1]}))
    assert check(promtool, tmp_path, ["test", "rules"], expression_tests(*tests)) is None


def spellings(engine, series):
    """As client libraries negotiate the names, and as Ray Serve writes vLLM's."""
    yield {name.replace(":", "_"): number for name, number in series.items()}
    if engine == "VLLM":
        yield {"ray_" + name: number for name, number in series.items()}
        yield {"ray_" + name.replace(":", "_"): number for name, number in series.items()}


@each_row
def test_each_spelling_of_a_name_is_found(promtool, rules, tmp_path, row):
    find = f"count({rules[row]['seriesQuery']}) by (pod) > bool 0"
    tests = []
    for series, value in ROWS[row]:
        for spelled in spellings(row[0], series):
            # while Prometheus, or the engine, is upgraded the pods differ
            both = {at(pod, n): v for pod, names in zip("ab", (series, spelled)) for n, v in names.items()}
            tests.append(expression_test(both, asked(rules[row]), {"a": value, "b": value}))
            tests.append(expression_test({at("a", name): 1 for name in spelled}, find, {"a": 1}))
    assert check(promtool, tmp_path, ["test", "rules"], expression_tests(*tests)) is None


@each_row
def test_a_pod_that_is_not_ready_counts_while_it_has_load(promtool, rules, tmp_path, row):
    """As our ServiceMonitor labels it. One that loads its model says 0, which must not drag the average down."""
    tests = []
    for series, value in ROWS[row]:
        ready = {at("a", name): number for name, number in series.items()}
        unready = {at("a", name, unready="true"): number for name, number in series.items()}
        loading = dict.fromkeys(unready, 0)
        counts = {"a": value} if value > 0 else {}
        tests += [
            expression_test(unready, asked(rules[row]), counts),
            expression_test(loading, asked(rules[row]), {}),
            # both are there for two intervals after readiness changed: never added up
            expression_test(ready | unready, asked(rules[row]), {"a": value}),
            expression_test(ready | loading, asked(rules[row]), {"a": value}),
            expression_test(dict.fromkeys(ready, 0) | unready, asked(rules[row]), counts or {"a": 0}),
        ]
    assert check(promtool, tmp_path, ["test", "rules"], expression_tests(*tests)) is None


@pytest.mark.parametrize("row", [("VLLM", "KVCache"), ("NIM", "Running")], ids="-".join)
def test_old_and_new_names_of_one_pod_are_never_added_up(promtool, rules, tmp_path, row):
    (new, value), (old, _) = ROWS[row]
    series = {at("a", name): number for name, number in (old | new).items()}
    document = expression_tests(expression_test(series, asked(rules[row]), {"a": value}))
    assert check(promtool, tmp_path, ["test", "rules"], document) is None


OWN = [("Custom", "Running"), ("Custom", "KVCache")]


@pytest.mark.parametrize("row, how, factor", [
    *((row, how, 1) for row in OWN for how in ("sum", "max")),
    (OWN[1], "ratio_sum", 100), (OWN[1], "ratio_max", 100),
], ids=str)
def test_what_becomes_of_a_pods_samples_is_in_their_tag(promtool, rules, tmp_path, row, how, factor):
    label = {"Running": "inference_autoscaler_running", "KVCache": "inference_autoscaler_kv_cache"}[row[1]]

    def tagged(series, tag=f"{how}.1", pod="a", **more):
        return at(pod, series, **{label: tag}, **more)

    ranks = {tagged("depth", rank="0"): 3, tagged("depth", rank="1"): 4, tagged("depth", rank="2"): "NaN",
             tagged("depth", rank="3"): -5}
    of_ranks = factor * (7 if how.endswith("sum") else 4)
    tests = [
        expression_test(ranks, asked(rules[row]), {"a": of_ranks}),
        # of another figure, of nobody's
        expression_test({at("a", "depth", inference_autoscaler_waiting=f"{how}.1"): 9, at("a", "depth"): 9,
                         tagged("depth", tag=""): 9, tagged("depth", tag="x" + how): 9}, asked(rules[row]), {}),
        # after an edit both descriptions are there for two intervals: never added up
        expression_test({tagged("depth"): 3, tagged("width", tag=f"{how}.2"): 5}, asked(rules[row]), {"a": factor * 5}),
        expression_test({tagged("depth"): 3, tagged("depth", tag=f"{how}.2", queue="x"): 2}, asked(rules[row]), {"a": factor * 3}),
        # series that differ in nothing but the name fail nothing
        expression_test({tagged("depth"): 3, tagged("width"): 3}, asked(rules[row]),
                        {"a": factor * (6 if how.endswith("sum") else 3)}),
        # as written by hand, for a Prometheus that reads no ServiceMonitor
        expression_test({tagged("depth", tag=how): 3}, asked(rules[row]), {"a": factor * 3}),
        # another pod has its own
        expression_test({tagged("depth"): 3, tagged("width", tag="max.7", pod="b"): 5}, asked(rules[row]), {"a": factor * 3, "b": 5}),
    ]
    assert check(promtool, tmp_path, ["test", "rules"], expression_tests(*tests)) is None


def test_a_wrong_expectation_is_seen(promtool, rules, tmp_path):
    """promtool itself: a test that could not fail would prove nothing."""
    row = ("VLLM", "Running")
    series = {at("a", "vllm:num_requests_running"): 3}
    document = expression_tests(expression_test(series, asked(rules[row]), {"a": 4}))
    assert "FAILED" in check(promtool, tmp_path, ["test", "rules"], document)


@each_row
def test_the_discovery_finds_every_name(promtool, rules, tmp_path, row):
    """Each generation is found by its own series, and no other series is."""
    find = f"count({rules[row]['seriesQuery']}) by (pod) > bool 0"
    tests = []
    for series, _ in ROWS[row]:
        tests.append(expression_test({at("a", name): 1 for name in series} | {at("b", "other"): 1}, find, {"a": 1}))
        # without a namespace the adapter could not tell whose it is
        tests.append(expression_test({at("a", name, ns=""): 1 for name in series}, find, {}))
    assert check(promtool, tmp_path, ["test", "rules"], expression_tests(*tests)) is None
