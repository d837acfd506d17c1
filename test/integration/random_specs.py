"""Random InferenceAutoscalers that the CRD accepts, made from its own schema.

What the schema gains, gains values here: types, enums, bounds and the regular expressions of its rules are read. The
few rules that compute something are followed by name, in MADE and mended(); that they all are is shown by the API
server, which must take what is made here.
"""

import functools
import random
import re
from re import _parser

from conftest import smallest

# Strings that something else than a string could be read from.
TRICKY = ["null", "true", "no", "on", "y", "1", "0", "1e3", "0x1f", "012", "1.0", "a", "null-1", "n.a"]
OWN_LABELS = ("app.kubernetes.io/managed-by", "inference-autoscaler.io/")
EDGES = [0, 1, 2, 15, 100, 2147483647]


parsed = functools.lru_cache(_parser.parse)


def random_text(rng, patterns, longest):
    """A string that the first pattern, anchored, describes and all of them match."""
    def pick(nodes):
        return "".join(part(op, arg) for op, arg in nodes)

    def part(op, arg):
        name = str(op)
        if name == "LITERAL":
            return chr(arg)
        if name == "IN":
            kind, inner = rng.choice(arg)
            return chr(inner if str(kind) == "LITERAL" else rng.randint(*inner))
        if name == "MAX_REPEAT":
            low, high, inner = arg
            return "".join(pick(inner) for _ in range(rng.randint(low, min(high, low + rng.choice([0, 1, 3, 20])))))
        if name == "SUBPATTERN":
            return pick(arg[-1])
        if name == "BRANCH":
            return pick(rng.choice(arg[1]))
        assert name == "AT", f"random_text() has no case for {name} in {patterns}"
        return ""

    while True:
        text = rng.choice(TRICKY) if rng.random() < 0.2 else pick(parsed(patterns[0]))
        if len(text) <= longest and all(re.search(pattern, text) for pattern in patterns):
            return text


def patterns_of(schema, subject):
    """The regular expressions that the rules hold the subject to."""
    written = " ".join(rule["rule"] for rule in schema.get("x-kubernetes-validations", []))
    return re.findall(rf"(?<![\w\]]){re.escape(subject)}\.matches\('(.*?)'\)", written)


def make(rng, schema, path):
    if path in MADE:
        return MADE[path](rng)
    if "enum" in schema:
        return rng.choice(schema["enum"])
    kind = schema.get("type", "int-or-string")
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "integer":
        low, high = schema.get("minimum", 1), schema.get("maximum", 2147483647)
        return rng.choice([n for n in EDGES if low <= n <= high] + [low, high, rng.randint(low, high)])
    if kind == "string":
        text = random_text(rng, patterns_of(schema, "self"), schema["maxLength"])
        # Segments of dots alone, which a second rule forbids, are too rare to draw again for.
        return re.sub(r"(?<=/)\.{1,2}(?=/|$)", "_", text)
    if kind == "int-or-string":
        return rng.choice([rng.randint(1, 65535), random_text(rng, patterns_of(schema, "string(self)"),
                                                              schema["maxLength"])])
    if kind == "array":
        count = rng.randint(schema["minItems"], rng.choice([2, schema["maxItems"]]))
        return [make(rng, schema["items"], path + "[]") for _ in range(count)]
    assert kind == "object", f"make() has no case for {schema}"
    return make_map(rng, schema) if "additionalProperties" in schema else make_object(rng, schema, path)


def make_object(rng, schema, path):
    made = {}
    for name, inner in schema["properties"].items():
        if name in schema.get("required", []) or rng.random() < 0.5:
            made[name] = make(rng, inner, f"{path}.{name}".lstrip("."))
    return made


def make_map(rng, schema):
    most = schema["maxProperties"]
    made = {}
    for _ in range(rng.randint(schema.get("minProperties", 0), rng.choice([2, most]))):
        key = random_text(rng, patterns_of(schema, "key"), 317)
        if not key.startswith(OWN_LABELS):
            made[key] = random_text(rng, patterns_of(schema, "self[key]"), schema["additionalProperties"]["maxLength"])
    return made or {"release": "prometheus"}


def duration(rng):
    milli = rng.choice([1000, 120000, rng.randint(1000, 120000), 1000 * rng.randint(1, 120)])
    forms = [f"{milli}ms"]
    if milli % 1000 == 0:
        forms += [f"{milli // 1000}s", f"{milli // 60000}m{milli // 1000 % 60}s"]
    return rng.choice(forms)


def quantity(rng, most=None):
    """From a thousandth to a million; with `most`, no more than that."""
    whole = rng.choice([1, 4, 80, 100, rng.randint(1, most or 10**6)])
    forms = [whole, str(whole), f"{whole}.0", f"{whole * 1000}m", f"0{whole}", "0.001", "2.5", "99.999"]
    return rng.choice(forms if most else [*forms, f"{min(whole, 1000)}k", f"{min(whole, 900)}Ki", "0.5M", "1M"])


def signals(rng):
    """Each at most once, and a target that any of them may have."""
    names = rng.sample(["Running", "Waiting", "InFlight", "KVCache"], rng.randint(1, 4))
    return [{"signal": name, **({"target": quantity(rng, 100)} if rng.random() < 0.7 else {})} for name in names]


def minutes(rng):
    return rng.choice(["30s", "3m", "1m30s", "1h", "60m", f"{rng.randint(30, 3600)}s"])


# Per path what no regular expression says.
MADE = {
    "scrapeInterval": duration,
    "requests.target": lambda rng: quantity(rng, 100),
    "requests.signals": signals,
    "fallback.after": minutes,
    "behavior.scaleUp.tolerance": lambda rng: rng.choice([0, 1, "0", "0.05", "50m", "1.0", "0.0001", "3"]),
    "behavior.scaleDown.tolerance": lambda rng: rng.choice([0, 1, "0", "0.05", "50m", "1.0", "0.0001", "3"]),
}


def mended(rng, spec, schema):
    """The spec with the rules kept that look at more than one field."""
    least = spec.get("minReplicas", 1)
    spec["maxReplicas"] = max(spec["maxReplicas"], least)
    if "fallback" in spec:
        spec["fallback"]["replicas"] = min(spec["fallback"]["replicas"], spec["maxReplicas"])
    if "/" not in spec["scaleTargetRef"]["apiVersion"]:
        spec["scaleTargetRef"]["kind"] = "ReplicationController"
    requests = spec.get("requests", {})
    if "signals" in requests:
        spec["requests"] = requests = {"signals": requests["signals"]}
    if "target" in requests and requests.get("signal") != "KVCache":
        requests["target"] = quantity(rng)
    exporter = spec.get("gpu", {}).get("exporter", {})
    described = ("namespace", "selector", "port")
    for name in described:
        if exporter.get("type") != "Custom":
            exporter.pop(name, None)
        elif name not in exporter:
            inner = schema["properties"]["gpu"]["properties"]["exporter"]["properties"][name]
            exporter[name] = make(rng, inner, f"gpu.exporter.{name}")
    return spec


def random_target(rng, name, namespace, kind, port):
    """A workload of that name: labels and ports as users have them, and none."""
    labels = {random_text(rng, ["^[a-z][-a-z0-9.]{0,9}[a-z]$"], 63): rng.choice([*TRICKY, "server"])
              for _ in range(rng.randint(1, 3))}
    ports = [{"name": f"p{n}", "containerPort": rng.choice([80, 8000, 8002, 30000, rng.randint(1, 65535)])}
             for n in range(rng.choice([0, 1, 3]))]
    if isinstance(port, str) and rng.random() < 0.8:
        ports.append({"name": port, "containerPort": 8080})
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": rng.randint(0, 5), "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels}, "spec": {"containers": [{"name": "server", "image": "server",
                                                                     "ports": ports}]}}},
    }


def random_autoscaler(rng, schema, namespace):
    """One InferenceAutoscaler, and usually its target: a list. The schema is that of the whole resource."""
    spec_schema = schema["properties"]["spec"]
    spec = mended(rng, make_object(rng, spec_schema, ""), spec_schema)
    # a name is what tells it from the others in a batch
    name = random_text(rng, patterns_of(schema, "self.metadata.name"), 44) + f"-{rng.getrandbits(40):x}"
    objects = [smallest(name, namespace)]
    if rng.random() < 0.8:
        kind = rng.choice(["Deployment", "StatefulSet"])
        spec["scaleTargetRef"].update(apiVersion="apps/v1", kind=kind)
        objects.append(random_target(rng, spec["scaleTargetRef"]["name"], namespace, kind,
                                     spec.get("engine", {}).get("port")))
    objects[0]["spec"] = spec
    return objects


def random_batch(seed, number, schema, count, namespace_of):
    """`count` autoscalers, with the Prometheuses of their cluster: (autoscalers, the other objects)."""
    rng = random.Random(f"{seed}/{number}")
    autoscalers, others = [], []
    for index in range(count):
        autoscaler, *target = random_autoscaler(rng, schema, namespace_of(index))
        autoscalers.append(autoscaler)
        others += target
    for index in range(rng.choice([0, 1, 2])):
        selector = rng.choice([{}, {"matchLabels": {"release": "prometheus"}}, {"matchLabels": {"team": "null"}}])
        others.append({
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Prometheus",
            "metadata": {"name": f"k8s-{index}", "namespace": "monitoring"},
            "spec": {"serviceMonitorSelector": selector, "serviceMonitorNamespaceSelector": {},
                     "ruleSelector": selector, "ruleNamespaceSelector": {}},
        })
    return autoscalers, others
