"""Whatever spec the CRD takes, everything that the operator makes of it is taken too.

IA_PROPERTY_SEED replays a run or explores another one, IA_PROPERTY_COUNT says how many specs; a failure names both.
"""

import contextlib
import itertools
import json
import math
import os
import random
import re
import subprocess
from decimal import Decimal

import pytest
import yaml
from conftest import CRD_FILE, GROUP, tool
from operator_fixtures import FOREIGN, OPERATOR, stack  # noqa: F401
from random_specs import random_batch
from test_promql import asked

SEED = os.environ.get("IA_PROPERTY_SEED", "1")
COUNT = int(os.environ.get("IA_PROPERTY_COUNT", "10000"))
BATCH = 20
SAMPLE = 250
OWNER = f"{GROUP}/autoscaler"
REPLAY = f"IA_PROPERTY_SEED={SEED} IA_PROPERTY_COUNT={COUNT}"
GOLDEN = os.environ.get("IA_GOLDEN", os.path.join(os.path.dirname(OPERATOR), "golden"))


def documents(objects):
    return "".join(f"---\n{json.dumps(o)}\n" for o in objects)


def render(objects, output="json"):
    """As with an operator that is told to allow whatever namespace and interval a spec names."""
    return subprocess.run([OPERATOR, "render", "-o", output, "--tenant-monitor-namespaces", "*",
                           "--tenant-exporter-namespaces", "*", "--tenant-min-scrape-interval", "1s", "-f", "-"],
                          input=documents(objects), text=True, capture_output=True)


def stream(text):
    """The JSON values of a text, one behind the other."""
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        at += len(text[at:]) - len(text[at:].lstrip())
        yield value


class Made:
    """What came of one autoscaler: its children by kind."""

    def __init__(self, autoscaler):
        self.autoscaler = autoscaler
        self.spec = autoscaler["spec"]
        self.children = {}

    def __repr__(self):
        return f"{REPLAY}: {json.dumps(self.autoscaler)} became {json.dumps(self.children)}"


# What no schema can know, since the engine may be found only later: (engine, signal) that the operator refuses.
REFUSED = set()


def refused(autoscaler):
    spec = autoscaler["spec"]
    requests = spec.get("requests", {})
    asked = [requests.get("signal"), *(one["signal"] for one in requests.get("signals", []))]
    return spec.get("mode") != "GPU" and any((spec.get("engine", {}).get("type"), one) in REFUSED for one in asked)


def rendered_batch(number, schema, namespace_of):
    """(what came of each autoscaler, the objects that are nobody's alone)."""
    autoscalers, others = random_batch(SEED, number, schema, BATCH, namespace_of)
    while True:
        autoscalers = [a for a in autoscalers if not refused(a)]
        run = render(autoscalers + others)
        says = re.search(r"spec.requests.signal\S* '(\w+)' is not reported by (\w+): use ", run.stderr)
        if not says:
            break
        assert (says[2], says[1]) not in REFUSED
        REFUSED.add((says[2], says[1]))
    assert run.returncode == 0, f"{REPLAY}, batch {number}: {run.stderr}"
    made = {a["metadata"]["name"]: Made(a) for a in autoscalers}
    shared = []
    for child in stream(run.stdout):
        if name := child["metadata"].get("labels", {}).get(OWNER):
            assert child["kind"] not in made[name].children, made[name]
            made[name].children[child["kind"]] = child
        else:
            shared.append(child)
    return list(made.values()), shared


@pytest.fixture(scope="module")
def schema():
    return yaml.safe_load(CRD_FILE.read_text())["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def rendered_specs(schema, name, count, namespace_of):
    """Batches, until there are as many: (what came of each, the distinct objects that are nobody's alone)."""
    all_made, all_shared = [], {}
    for number in itertools.count():
        made, shared = rendered_batch(f"{name}{number}", schema, namespace_of)
        all_made += made
        all_shared.update((json.dumps(o, sort_keys=True), o) for o in shared)
        if len(all_made) >= count:
            return all_made, list(all_shared.values())


@pytest.fixture(scope="module")
def rendered(schema):
    """All of them, each in a namespace of its own."""
    return rendered_specs(schema, "", COUNT, lambda index: f"n{index}")


def adapter_rules(shared):
    texts = [o["data"]["config.yaml"] for o in shared if o["kind"] == "ConfigMap"]
    return [rule for text in texts for rule in yaml.safe_load(text)["rules"]]


def thousandths(quantity):
    """Rounded up, as the API server does."""
    digits, suffix = re.fullmatch(r"([0-9.]+)([a-zA-Z]*)", str(quantity)).groups()
    factor = {"": 1, "m": Decimal("0.001"), "k": 1000, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "Ki": 1024,
              "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    return math.ceil(Decimal(digits) * factor[suffix] * 1000)


def behavior_of(written):
    """With tolerances as numbers, whatever their form."""
    def plain(rules):
        if "tolerance" not in rules:
            return rules
        return {**rules, "tolerance": thousandths(rules["tolerance"])}

    return {direction: plain(rules) for direction, rules in written.items()}


def test_every_hpa_says_what_the_spec_says(rendered):
    for made in rendered[0]:
        spec, hpa = made.spec, made.children["HorizontalPodAutoscaler"]["spec"]
        assert hpa["scaleTargetRef"] == spec["scaleTargetRef"], made
        if not spec.get("paused"):
            assert hpa["minReplicas"] == spec.get("minReplicas", 1), made
            assert hpa["maxReplicas"] == spec["maxReplicas"], made
        if "behavior" in spec:
            assert behavior_of(hpa["behavior"]) == behavior_of(spec["behavior"]), made
        targets = {m["pods"]["metric"]["name"]: thousandths(m["pods"]["target"]["averageValue"]) for m in hpa["metrics"]}
        mode, gpu = spec.get("mode", "Requests"), "gpu_utilization_percent"
        assert (gpu in targets) == (mode != "Requests"), made
        requests = spec.get("requests", {})
        asked = 0 if mode == "GPU" else len(requests.get("signals", [None]))
        assert len(targets) == asked + (mode != "Requests"), made
        if gpu in targets:
            target = targets.pop(gpu)
            # The default stays below what the tolerance of the behavior lets be exceeded.
            assert target == 1000 * spec["gpu"]["target"] if "target" in spec.get("gpu", {}) else 0 < target <= 70000, made
        if targets and "target" in requests:
            assert list(targets.values()) == [thousandths(requests["target"])], made
        for one, target in zip(requests.get("signals", []), targets.values()):
            assert "target" not in one or target == thousandths(one["target"]), made


def test_every_monitor_says_what_the_spec_says(rendered):
    for made in rendered[0]:
        unsure = isinstance(made.spec.get("engine", {}).get("port"), str)  # the target may not list it
        scraped = made.spec.get("mode") != "GPU" and made.spec.get("source") != "Direct"
        assert ("ServiceMonitor" in made.children) == scraped or unsure, made
        if "ServiceMonitor" in made.children:
            monitor = made.children["ServiceMonitor"]
            (endpoint,) = monitor["spec"]["endpoints"]
            assert endpoint["interval"] == made.spec.get("scrapeInterval", "15s"), made
            wished = made.spec.get("monitor", {}).get("labels", {})
            assert wished.items() <= monitor["metadata"]["labels"].items(), made
            if path := made.spec.get("engine", {}).get("path"):
                assert endpoint["path"] == path, made


def test_both_forms_of_the_output_are_the_same(schema):
    """Strings that YAML could take for something else stay strings."""
    def with_rules_read(objects):
        for o in objects:
            if o["kind"] == "ConfigMap":
                o["data"]["config.yaml"] = yaml.safe_load(o["data"]["config.yaml"])
        return objects

    for number in range(5):
        autoscalers, others = random_batch(SEED, number, schema, BATCH, lambda index: f"n{index}")
        objects = [a for a in autoscalers if a["spec"].get("requests", {}).get("signal") != "KVCache"] + others
        as_yaml, as_json = render(objects, "yaml"), render(objects)
        assert as_yaml.returncode == as_json.returncode == 0, f"{REPLAY}, batch {number}: {as_json.stderr}"
        read = list(yaml.load_all(as_yaml.stdout, yaml.CSafeLoader))
        assert with_rules_read(read) == with_rules_read(list(stream(as_json.stdout))), f"{REPLAY}, batch {number}"


def test_every_expression_parses(rendered, tmp_path):
    rules = adapter_rules(rendered[1])
    metrics = {m["pods"]["metric"]["name"] for made in rendered[0] if made.spec.get("source") != "Direct"
               for m in made.children["HorizontalPodAutoscaler"]["spec"]["metrics"]}
    assert {rule["name"]["as"] for rule in rules} == metrics, "every metric of an HPA has a rule, and no other"
    expressions = {asked(rule) for rule in rules} | {rule["seriesQuery"] for rule in rules}
    groups = [{"name": "adapter", "rules": [{"record": f"query_{n}", "expr": e}
                                            for n, e in enumerate(sorted(expressions))]}]
    for o in rendered[1]:
        if o["kind"] == "PrometheusRule":
            groups += [group for group in o["spec"]["groups"] if group not in groups]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": groups}))
    run = subprocess.run([tool("promtool"), "check", "rules", file], capture_output=True, text=True)
    assert run.returncode == 0, f"{REPLAY}: {run.stdout}{run.stderr}"
    assert f"{sum(len(group['rules']) for group in groups)} rules found" in run.stdout


# ---- the adapter's configuration


def foreign_config(rng):
    """Somebody else's configuration, in one of the forms that people leave it in."""
    text = rng.choice([
        FOREIGN,
        FOREIGN.rstrip(),
        FOREIGN + "externalRules: []\n",
        FOREIGN.replace("\n", "\r\n"),
        "rules: []\n",
        "rules:\n",
        "resourceRules: {}   # none\n",
        "{}",
        '{"rules": [{"seriesQuery": "q"}], "externalRules": []}',
    ])
    return f"# {rng.choice(['', 'do not touch', 'rules: [', '- {'])}\n" * rng.randint(0, 2) + text


def world(rng, autoscalers, others, text):
    """What golden reads: the autoscalers, each with an engine found, and the adapter with the configuration."""
    found = [{"status": {"engine": {"type": "VLLM"}}, **a} for a in autoscalers]
    adapter = {"name": "prometheus-adapter", "namespace": "monitoring", "resourceVersion": "1"}
    return {
        "about": "random autoscalers and somebody's adapter",
        "reconcile": "stack",
        "now": "2026-01-31T08:00:00Z",
        "settings": {"monitorNamespaces": "*", "exporterNamespaces": "*", "minScrapeInterval": "1s"},
        "objects": found + others + [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": adapter, "data": {"config.yaml": text}},
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": adapter, "spec": {"replicas": 1}},
        ],
    }


def test_foreign_rules_stay_byte_for_byte(schema, tmp_path):
    """Our rules come in one piece, and with them the text reads as before and ours after it."""
    for number in range(100):
        rng = random.Random(f"{SEED}/adapter/{number}")
        autoscalers, others = random_batch(SEED, number, schema, rng.randint(5, BATCH), lambda index: f"n{index}")
        # One at least needs rules.
        autoscalers[0]["spec"] |= {"source": "Prometheus", "engine": {"type": "VLLM"}}
        old = foreign_config(rng)
        replay = f"{REPLAY}, batch {number}: {old!r}"
        (tmp_path / "world.yaml").write_text(json.dumps(world(rng, autoscalers, others, old)))

        run = subprocess.run([GOLDEN, "--print", tmp_path], capture_output=True, text=True)

        assert run.returncode == 0, f"{replay}: {run.stderr}"
        (new,) = (w["object"]["data"]["config.yaml"] for w in json.loads(run.stdout)["writes"]
                  if w["kind"] == "ConfigMap")
        kept = len(os.path.commonprefix([old, new]))
        assert new.endswith(old[kept:]), f"{replay} became {new!r}"
        before, after = yaml.safe_load(old) or {}, yaml.safe_load(new)
        theirs = before.pop("rules", None) or []
        rules = after.pop("rules")
        assert after == before and rules[:len(theirs)] == theirs, f"{replay} became {new!r}"
        ours = rules[len(theirs):]
        assert 0 < len(ours) == len({rule["name"]["as"] for rule in ours}), f"{replay} became {new!r}"


# ---- the real API server


def path_of(cluster, o, known={}):
    """Where the API server keeps an object; `known` holds the plurals by version and kind."""
    version, kind, meta = o["apiVersion"], o["kind"], o["metadata"]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    if (version, kind) not in known:
        resources = cluster.request("GET", root)[1]["resources"]
        known.update(((version, r["kind"]), r["name"]) for r in resources if "/" not in r["name"])
    return f"{root}/namespaces/{meta['namespace']}/{known[version, kind]}/{meta['name']}"


def dry_run(cluster, o):
    """Server-side apply, strict and without effect; (status, answer)."""
    query = [("dryRun", "All"), ("fieldValidation", "Strict"), ("fieldManager", "inference-autoscaler"),
             ("force", "true")]
    return cluster.request("PATCH", path_of(cluster, o), o, query, content="application/apply-patch+yaml")


@contextlib.contextmanager
def namespaces_of(cluster, objects):
    """The objects' namespaces, for as long as it takes; those that are new go again."""
    new = {o["metadata"]["namespace"] for o in objects} - {n.metadata.name for n in cluster.core.list_namespace().items}
    for name in new:
        cluster.core.create_namespace({"metadata": {"name": name}})
    yield
    for name in new:
        cluster.core.delete_namespace(name)


def test_the_api_server_takes_a_sample(cluster, crd, stack, namespace, schema):  # noqa: F811
    made, shared = rendered_specs(schema, "sample/", SAMPLE, lambda _: namespace)
    children = [child for one in made for child in one.children.values()]
    with namespaces_of(cluster, children + shared):
        for one in made:
            for o in [one.autoscaler, *one.children.values()]:
                status, answer = dry_run(cluster, o)
                assert status == 201, f"{o['kind']}: {answer['message']}: {one}"
        for o in shared:
            status, answer = dry_run(cluster, o)
            assert status in (200, 201), f"{answer['message']}: {REPLAY}: {json.dumps(o)}"
