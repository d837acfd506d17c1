"""The CRD on a real API server: what it takes, what it fills in, what it refuses and in which words.

crd_fields.py holds the values.
"""

import copy
import re

import pytest
import yaml
from conftest import CRD_FILE, GROUP, PLURAL, SAMPLES, VERSION, eventually, smallest
from crd_fields import CUSTOM, FIELDS, PLACES, TARGET

VALID = [(path, value) for path, valid, _, _ in FIELDS for value in valid]
INVALID = [(path, value, says) for path, _, invalid, _ in FIELDS for value, says in invalid]

# CEL's own words, which Kubernetes 1.29 has reserved for itself.
RESERVED = ("true false null in as break const continue else for function if import let loop package namespace "
            "return").split()


def walk(schema, path=""):
    """Every property below a schema: (path, schema)."""
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        yield here, inner
        yield from walk(inner, here)
    if "items" in schema:
        yield from walk(schema["items"], path + "[]")


def spec_schema(crd):
    return crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]


def attempt(cluster, resource, group=GROUP, dry_run=True, namespace="default"):
    """Creates strictly, as kubectl does: (status code, the answer)."""
    body = {**resource, "apiVersion": f"{group}/{VERSION}"}
    query = [("fieldValidation", "Strict")] + ([("dryRun", "All")] if dry_run else [])
    return cluster.request("POST", f"/apis/{group}/{VERSION}/namespaces/{namespace}/{PLURAL}", body, query)


def accepted(cluster, resource, **kwargs):
    status, answer = attempt(cluster, resource, **kwargs)
    assert status == 201, answer["message"]
    return answer


def refused(cluster, resource, *says, **kwargs):
    status, answer = attempt(cluster, resource, **kwargs)
    assert status == 422 or (status == 400 and "strict decoding" in answer["message"]), f"not refused: {answer}"
    for words in says:
        assert words in answer["message"]
    return answer


# ---- the schema itself


def test_every_field_has_a_text():
    schema = spec_schema(yaml.safe_load(CRD_FILE.read_text()))
    fields = dict(walk(schema))
    assert len(fields) > 60
    silent = [path for path, inner in fields.items() if not inner.get("description", "").strip()]
    assert silent == ["metadata", "metadata.name"], "the API server writes these itself"


def test_every_field_is_tried():
    spec = spec_schema(yaml.safe_load(CRD_FILE.read_text()))["properties"]["spec"]
    leaves = {p: s for p, s in walk(spec) if "properties" not in s}
    assert set(leaves) == set(PLACES)
    for path, valid, invalid, _ in FIELDS:
        possible = leaves[path].get("enum", [True, False] if leaves[path].get("type") == "boolean" else range(3))
        assert len(valid) >= min(3, len(possible)), path
        assert len(invalid) >= 2, path


def rules(schema):
    """Every CEL rule below a schema."""
    for name, inner in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if name == "x-kubernetes-validations":
            yield from (rule[key] for rule in inner for key in ("rule", "messageExpression") if key in rule)
        elif isinstance(inner, (dict, list)):
            yield from rules(inner)


def test_it_has_nothing_newer_than_the_oldest_kubernetes():
    """A strict client refuses a field that the API server does not know; the field of a version that came since."""
    crd = yaml.safe_load(CRD_FILE.read_text())
    assert set(crd["spec"]) == {"group", "scope", "names", "versions"}
    for version in crd["spec"]["versions"]:
        assert set(version) <= {"name", "served", "storage", "subresources", "additionalPrinterColumns", "schema"}


def test_no_rule_has_a_word_that_is_reserved():
    """Kubernetes 1.29 takes a field of such a name as __namespace__ only, later ones either way."""
    found = list(rules(spec_schema(yaml.safe_load(CRD_FILE.read_text()))))
    assert len(found) > 20
    assert [rule for rule in found if re.search(rf"[.]({'|'.join(RESERVED)})\b", rule)] == []


@pytest.mark.parametrize("how", [[], ["--server-side", "--force-conflicts"]], ids=["client-side", "server-side"])
def test_a_strict_client_installs_it(cluster, crd, how):
    done = cluster.kubectl("apply", "--dry-run=server", "--validate=strict", *how, "-f", str(CRD_FILE.parent))
    assert f"{PLURAL}.{GROUP}" in done.stdout
    assert "unknown field" not in done.stderr


def test_established_without_complaint(cluster, crd):
    conditions = cluster.extensions.read_custom_resource_definition(crd["metadata"]["name"]).status.conditions
    states = {c.type: c.status for c in conditions}
    assert states["Established"] == states["NamesAccepted"] == "True"
    assert "NonStructuralSchema" not in states


def test_discovery(cluster, crd):
    _, found = cluster.request("GET", f"/apis/{GROUP}/{VERSION}")
    resources = {r["name"]: r for r in found["resources"]}
    assert set(resources) == {PLURAL, f"{PLURAL}/status"}, "a scale subresource would invite a second HPA"
    assert resources[PLURAL]["shortNames"] == ["ias"]
    assert resources[PLURAL]["categories"] == ["inference"]
    assert resources[PLURAL]["namespaced"] is True


def test_explain(cluster, crd):
    def explained():
        text = cluster.kubectl("explain", "ias", "--recursive", check=False).stdout
        return "scaleTargetRef" in text and text

    text = eventually(explained, timeout=30)
    leaves = {path.rsplit(".", 1)[-1] for path, _ in walk(spec_schema(crd)["properties"]["spec"])}
    assert [name for name in leaves if not re.search(rf"^ *{name}\t", text, re.M)] == []
    assert "1500m" in cluster.kubectl("explain", "ias.spec.requests.target").stdout


# ---- what is taken, filled in, refused


@pytest.mark.parametrize("path,value", VALID, ids=lambda v: str(v)[:40])
def test_valid(cluster, crd, path, value):
    spec = PLACES[path](value)
    answer = accepted(cluster, smallest(**spec))
    for name in spec:
        assert contains(answer["spec"][name], spec[name]), f"{spec} became {answer['spec']}"


@pytest.mark.parametrize("path,value,says", INVALID, ids=lambda v: str(v)[:40])
def test_invalid(cluster, crd, path, value, says):
    spec = PLACES[path](value)
    top = path.split("[")[0].split(".")[0]
    refused(cluster, smallest(**spec), f"spec.{top}", says)


def test_smallest_gets_its_defaults(cluster, crd):
    answer = accepted(cluster, smallest())
    assert answer["spec"] == {
        "scaleTargetRef": TARGET,
        "mode": "Requests",
        "minReplicas": 1,
        "maxReplicas": 5,
        "engine": {"type": "Auto"},
        "scrapeInterval": "15s",
        "source": "Auto",
        "paused": False,
        "source": "Auto",
    }


def test_nested_defaults(cluster, crd):
    assert accepted(cluster, smallest(requests={}))["spec"]["requests"] == {}, "a default would stand beside a list"
    gpu = accepted(cluster, smallest(gpu={}))["spec"]["gpu"]
    assert gpu == {"signal": "Utilization", "target": 70, "exporter": {"type": "Auto"}}


def test_zero_is_a_value(cluster, crd):
    behavior = {d: {"stabilizationWindowSeconds": 0, "tolerance": 0} for d in ("scaleUp", "scaleDown")}
    assert accepted(cluster, smallest(behavior=behavior))["spec"]["behavior"] == behavior


@pytest.mark.parametrize("spec,says", [
    ({"minReplicas": 6}, "maxReplicas is less than minReplicas: raise maxReplicas"),
    ({"requests": {"signal": "KVCache", "target": 101}}, "write a number up to 100"),
    ({"requests": {"signal": "KVCache", "target": "100.5"}}, "write a number up to 100"),
    ({"requests": {"signals": [{"signal": "Running"}], "target": 4}}, "write the list alone, or signal and target"),
    ({"requests": {"signals": [{"signal": "Running"}], "signal": "Running"}}, "write the list alone"),
    ({"maxReplica": 5}, 'unknown field "spec.maxReplica"'),
    ({"scaleTargetRef": {"kind": "Deployment", "name": "server"}}, "spec.scaleTargetRef.apiVersion: Required value"),
    ({"scaleTargetRef": {"apiVersion": "apps/v1", "name": "server"}}, "spec.scaleTargetRef.kind: Required value"),
    ({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment"}}, "spec.scaleTargetRef.name: Required value"),
])
def test_rules_over_fields(cluster, crd, spec, says):
    refused(cluster, smallest(**spec), says)


@pytest.mark.parametrize("name", ["scaleTargetRef", "maxReplicas"])
def test_required(cluster, crd, name):
    resource = smallest()
    del resource["spec"][name]
    refused(cluster, resource, f"spec.{name}: Required value")


@pytest.mark.parametrize("spec", [
    {"requests": {"signal": "KVCache", "target": 100}},
    {"requests": {"signal": "KVCache", "target": "99.5"}},
    {"requests": {"signal": "Running", "target": 500}},
    {"minReplicas": 5},
])
def test_edges_are_taken(cluster, crd, spec):
    accepted(cluster, smallest(**spec))


@pytest.mark.parametrize("exporter", [
    {"type": "Custom"},
    {"type": "Custom", "namespace": "gpu", "port": "metrics"},
    {**CUSTOM, "type": "GKE"},
    {"port": "metrics"},
])
def test_custom_exporter_is_described_and_no_other(cluster, crd, exporter):
    refused(cluster, smallest(gpu={"exporter": exporter}), "write all three with type: Custom")


def test_custom_exporter(cluster, crd):
    accepted(cluster, smallest(gpu={"exporter": CUSTOM}))


@pytest.mark.parametrize("name", ["a", "gemma-2", "a" * 55])
def test_name_of_a_service(cluster, crd, name):
    accepted(cluster, smallest(name=name))


@pytest.mark.parametrize("name", ["2gemma", "gemma.v2", "a" * 56])
def test_name_that_no_service_can_have(cluster, crd, name):
    refused(cluster, smallest(name=name), f"metadata.name '{name}' cannot name a Service: write at most 55")


# ---- a resource's life


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.yaml")), ids=lambda p: p.name)
def test_samples(cluster, crd, sample):
    documents = list(yaml.safe_load_all(sample.read_text()))
    assert documents
    for resource in documents:
        resource["metadata"]["namespace"] = "default"
        accepted(cluster, resource)


def test_an_edit_never_needs_a_delete(cluster, crd, namespace):
    full, least = (
        yaml.safe_load((SAMPLES / name).read_text())["spec"] for name in ("requests-full.yaml", "requests.yaml")
    )
    other = {**copy.deepcopy(full), "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "b"}}
    accepted(cluster, smallest(namespace=namespace, **least), dry_run=False, namespace=namespace)
    for spec in (full, other, least):
        cluster.custom.patch_namespaced_custom_object(
            GROUP, VERSION, namespace, PLURAL, "gemma", [{"op": "replace", "path": "/spec", "value": spec}],
            _content_type="application/json-patch+json",
        )


def test_kubectl_goes_from_one_form_of_signals_to_the_other(cluster, crd, namespace):
    listed = {"signals": [{"signal": "Running", "target": 4}, {"signal": "KVCache", "target": 80}]}
    for requests in ({"signal": "Running", "target": 4}, listed, {"signal": "Waiting"}):
        resource = smallest(namespace=namespace, requests=requests)
        cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(resource))
        stored = cluster.custom.get_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, "gemma")
        assert stored["spec"]["requests"] == requests


def contains(whole, part):
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(k in whole and contains(whole[k], v) for k, v in part.items())
    return whole == part


@pytest.fixture
def live(cluster, crd, namespace):
    """A resource with the status of the design's picture, and its path."""
    accepted(cluster, smallest(namespace=namespace), dry_run=False, namespace=namespace)
    path = f"/apis/{GROUP}/{VERSION}/namespaces/{namespace}/{PLURAL}/gemma"
    return path


def condition(**change):
    return {
        "type": "Ready", "status": "False", "reason": "MonitorNotSelected", "observedGeneration": 1,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "message": "ServiceMonitor x/gemma is selected by no Prometheus: add label release=prometheus",
        **change,
    }


STATUS = {
    "observedGeneration": 1,
    "engine": {"type": "VLLM", "version": "0.32.0", "port": 8000, "path": "/metrics"},
    "replicas": {"current": 2, "desired": 3},
    "signals": [{"name": "Running", "metric": "vllm_num_requests_running", "target": "4", "served": True}],
    "children": [{"kind": "HorizontalPodAutoscaler", "namespace": "x", "name": "gemma"}],
    "advice": [{"reason": "OneAdapterReplica", "message": "scale it to 2"}],
    "conditions": [condition()],
}


def write_status(cluster, path, status):
    return cluster.request(
        "PATCH", path + "/status", {"status": status}, [("fieldValidation", "Strict")],
        content="application/merge-patch+json",
    )


def test_status_is_kept_whole(cluster, live):
    code, answer = write_status(cluster, live, STATUS)
    assert code == 200, answer
    assert answer["status"] == STATUS
    assert answer["metadata"]["generation"] == 1


def test_status_is_written_by_its_subresource_only(cluster, live):
    code, answer = cluster.request("PATCH", live, {"status": STATUS}, content="application/merge-patch+json")
    assert code == 200
    assert answer["status"] == {"observedGeneration": -1}


@pytest.mark.parametrize("status", [
    {"conditions": [condition(reason="")]},
    {"conditions": [condition(reason="two words")]},
    {"conditions": [condition(status="Maybe")]},
    {"conditions": [condition(lastTransitionTime="yesterday")]},
    {"conditions": [condition(message="x" * 32769)]},
    {"conditions": [condition(), condition()]},
    {"phase": "Running"},
], ids=lambda s: str(s)[:60])
def test_status_out_of_form(cluster, live, status):
    code, _ = write_status(cluster, live, status)
    assert code in (400, 422)


def test_columns(cluster, live):
    write_status(cluster, live, STATUS)
    _, table = cluster.request("GET", live, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    columns = {c["name"]: (c["priority"], cell) for c, cell in zip(table["columnDefinitions"], table["rows"][0]["cells"])}
    age = columns.pop("Age")
    assert age[0] == 0
    message = condition()["message"]
    assert columns == {
        "Name": (0, "gemma"), "Mode": (0, "Requests"), "Target": (0, "server"), "Min": (0, 1), "Max": (0, 5),
        "Replicas": (0, 2), "Ready": (0, "False"), "Reason": (0, "MonitorNotSelected"),
        "Engine": (1, "VLLM"), "Message": (1, message),
    }
    shown = cluster.kubectl("get", "ias", "-n", live.split("/")[5]).stdout.split("\n")[0].split()
    assert shown == ["NAME", "MODE", "TARGET", "MIN", "MAX", "REPLICAS", "READY", "REASON", "AGE"]
