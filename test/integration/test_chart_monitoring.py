"""What the chart brings to watch the operator with: alerts and a dashboard, put to promtool and to a real operator."""

import json
import re
import subprocess
import urllib.request

import pytest
from conftest import CHART, RELEASE, SYSTEM, eventually, only
from operator_fixtures import Operator, listening_port, operator_kubeconfig, stack  # noqa: F401  (fixtures are found by name)

ON = ("prometheus.serviceMonitor.enabled=true", "prometheus.rules.enabled=true", "grafana.dashboard.enabled=true")
NAME = re.compile(r"\binference_autoscaler_\w+")


@pytest.fixture(scope="module")
def alerts(render):
    return only(render(*ON), "PrometheusRule")["spec"]


@pytest.fixture(scope="module")
def dashboard(render):
    (config_map,) = [o for o in render(*ON) if o["kind"] == "ConfigMap"
                     and o["metadata"]["labels"].get("grafana_dashboard") == "1"]
    (text,) = config_map["data"].values()
    return json.loads(text)


@pytest.fixture(scope="module")
def served(operator_kubeconfig, tmp_path_factory):  # noqa: F811
    """The names of the metrics that a running operator serves."""
    log = tmp_path_factory.mktemp("operator") / "operator.log"
    running = Operator(operator_kubeconfig, log)
    try:
        eventually(running.synced, timeout=20)
        port = listening_port(running.process.pid)
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    finally:
        running.stop()
    return set(re.findall(r"^# TYPE (\S+)", page, re.M))


@pytest.fixture
def promtool(promtool, tmp_path):
    """Runs promtool on documents that may name each other; its words when it refuses."""
    path = promtool

    def run(what, **documents):
        for name, document in documents.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(document))
        last = tmp_path / f"{name}.json"
        done = subprocess.run([path, what, "rules", last], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return None if done.returncode == 0 else done.stdout

    return run


def expressions(dashboard):
    """The dashboard's expressions as Grafana asks them, with its variables filled in."""
    filled = {"$__rate_interval": "2m", "$namespace": SYSTEM, "$job": RELEASE}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"]
            for name, value in filled.items():
                expression = expression.replace(name, value)
            assert "$" not in expression, panel["title"]
            yield panel["title"], expression


# ---- the operator's own series


def test_monitor_scrapes_the_operator(render):
    objects = render(*ON)
    monitor, service = only(objects, "ServiceMonitor")["spec"], only(objects, "Service")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert [e["port"] for e in monitor["endpoints"]] == [p["name"] for p in service["spec"]["ports"] if p["port"] == 8080]


def test_alerts_name_only_what_is_served(alerts, served):
    names = set(NAME.findall(json.dumps([r["expr"] for g in alerts["groups"] for r in g["rules"]])))
    assert names and names <= served


def test_dashboard_names_only_what_is_served(dashboard, served):
    variables = [v["query"]["query"] for v in dashboard["templating"]["list"] if v["type"] == "query"]
    names = set(NAME.findall(json.dumps([*variables, *(e for _, e in expressions(dashboard))])))
    assert names <= served
    assert len(names) > 5


# ---- what promtool says


def test_alerts_are_well_formed(promtool, alerts):
    assert promtool("check", alerts=alerts) is None


def test_dashboard_parses(promtool, dashboard):
    rules = [{"record": "panel", "expr": e, "labels": {"title": t}} for t, e in expressions(dashboard)]
    assert promtool("check", panels={"groups": [{"name": "dashboard", "rules": rules}]}) is None


def test_every_alert_says_what_to_do(alerts):
    for rule in alerts["groups"][0]["rules"]:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert {"summary", "description"} == set(rule["annotations"])


def test_readme_tells_every_alert(alerts):
    told = re.findall(r"^\| (Inference\w+) \|", (CHART / "README.md").read_text(), re.M)
    assert told == [r["alert"] for g in alerts["groups"] for r in g["rules"]]


def series(name, values, pod="a", job=RELEASE, namespace=SYSTEM, **others):
    labels = {"job": job, "namespace": namespace, "pod": pod, **others}
    label = "{" + ",".join(f'{k}="{v}"' for k, v in labels.items()) + "}"
    return {"series": f"{name}{label}", "values": values}


def ours(name, values, **labels):
    return series(f"inference_autoscaler_{name}", values, **labels)


def link(values, name):
    return ours("link_healthy", values, autoscaler_namespace="shop", autoscaler="gemma", link=name)


# Samples come once a minute. Per case: the series, the minute to look at, the alerts that fire then.
HEALTHY = [
    series("up", "1x120"), series("up", "1x120", pod="b"),
    ours("leader", "1x120"), ours("leader", "0x120", pod="b"),
    ours("autoscalers", "3x120"), ours("autoscalers", "0x120", pod="b"),
    ours("autoscalers_ready", "3x120"), ours("autoscalers_ready", "0x120", pod="b"),
    ours("passes_total", "0+1x120"), ours("pass_failures_total", "0x120"), ours("queue_length", "0x120"),
]
ALARMS = {
    "all is well": (HEALTHY, 100, []),
    "an operator of somebody else's is no comfort": (
        [series("up", "1x120", namespace="elsewhere"), series("up", "0x120")], 6, ["InferenceAutoscalerDown"],
    ),
    "one of two operators is enough": ([series("up", "0x120"), series("up", "1x120", pod="b")], 60, []),
    "down, but not for long": ([series("up", "1 1 0 0 0 0 1x20")], 5, []),
    "nobody leads": ([series("up", "1x120"), ours("leader", "0x120")], 3, ["InferenceAutoscalerNoLeader"]),
    "leadership moves": (
        [series("up", "1x120"), ours("leader", "1 1 0 0 0 0 0"), ours("leader", "0 0 0 1 1 1 1", pod="b")], 5, [],
    ),
    "two lead": (
        [series("up", "1x120"), ours("leader", "1x120"), ours("leader", "1x120", pod="b")], 6,
        ["InferenceAutoscalerSeveralLeaders"],
    ),
    "one of three is not ready": (
        [series("up", "1x120"), ours("autoscalers", "3x120"), ours("autoscalers_ready", "2x120")], 16,
        ["InferenceAutoscalersNotReady"],
    ),
    "a new autoscaler takes a while": (
        [series("up", "1x120"), ours("autoscalers", "2x9 3x110"), ours("autoscalers_ready", "2x14 3x110")], 20, [],
    ),
    "a link is broken": (
        [series("up", "1x120"), link("0x120", "ScrapeSelected"), link("1x120", "MetricsExposed"), link("0x120", "Ready")],
        11, ["InferenceAutoscalerLinkBroken"],
    ),
    "a link is not known": ([series("up", "1x120"), link("1x120", "ScrapeSelected")], 60, []),
    "a link breaks and is mended": ([series("up", "1x120"), link("1x5 0x8 1x100", "MetricServed")], 16, []),
    "writes keep failing, ever more seldom": (
        [series("up", "1x120"), ours("pass_failures_total", "0 5 6 7 7 8 8 8 8 9x7 10x16 11x16 12x16 13x16")], 45,
        ["InferenceAutoscalerWritesFail"],
    ),
    "one write failed": ([series("up", "1x120"), ours("pass_failures_total", "0x5 1x110")], 35, []),
    "stuck": (
        [series("up", "1x120"), ours("queue_length", "2x120"), ours("passes_total", "7x120")], 11,
        ["InferenceAutoscalerStuck"],
    ),
    "busy": ([series("up", "1x120"), ours("queue_length", "2x120"), ours("passes_total", "0+3x120")], 60, []),
    "idle": ([series("up", "1x120"), ours("queue_length", "0x120"), ours("passes_total", "7x120")], 60, []),
    "a key waits for its next try": (
        [series("up", "1x120"), ours("queue_length", "1x120"), ours("passes_total", "0x15 1x16 2x16 3x16 4x16 5x16")],
        75, [],
    ),
}


def alarm_test(alerts, case):
    samples, minute, firing = ALARMS[case]
    return {
        "rule_files": ["alerts.json"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": samples,
            "promql_expr_test": [{
                "expr": 'count(ALERTS{alertstate="firing"}) by (alertname)',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in firing],
            }],
        }],
    }


@pytest.mark.parametrize("case", ALARMS)
def test_alerts_fire_when_they_should(promtool, alerts, case):
    assert promtool("test", alerts=alerts, case=alarm_test(alerts, case)) is None


def test_every_alert_was_seen_firing(alerts):
    fired = {name for _, _, names in ALARMS.values() for name in names}
    assert fired == {r["alert"] for g in alerts["groups"] for r in g["rules"]}
