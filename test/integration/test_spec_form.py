"""What the CRD refuses the operator refuses too: of a file nobody else checks the form, nor of a resource that is older
than a rule. The rows are those with which test_crd.py tries the API server."""

import json
import subprocess

import pytest
from conftest import smallest
from crd_fields import CUSTOM, FIELDS, PLACES
from operator_fixtures import OPERATOR

VALID = [(path, value) for path, values, _, _ in FIELDS for value in values]
INVALID = [(path, value) for path, _, rows, _ in FIELDS for value, _ in rows]
# Which namespaces may be named, and how often is scraped, are other questions.
EVERYWHERE = ["--tenant-monitor-namespaces", "*", "--tenant-exporter-namespaces", "*", "--tenant-min-scrape-interval", "1s"]


def render(resource):
    run = subprocess.run(
        [OPERATOR, "render", "-f", "-", *EVERYWHERE], input=json.dumps(resource), capture_output=True, text=True, timeout=10
    )
    return run.returncode, run.stdout, run.stderr


def refused(resource, *words):
    code, out, err = render(resource)
    assert code != 0 and "kind: " not in out, f"taken: {resource['spec']}"
    assert "Sanitizer" not in err
    for word in words:
        assert word in err, err


@pytest.mark.parametrize("path,value", VALID, ids=lambda v: str(v)[:40])
def test_valid(path, value):
    code, _, err = render(smallest(**PLACES[path](value)))
    assert code == 0, err


@pytest.mark.parametrize("path,value", INVALID, ids=lambda v: str(v)[:40])
def test_invalid(path, value):
    """With the field's name."""
    refused(smallest(**PLACES[path](value)), path.split("[")[0].rsplit(".", 1)[-1])


@pytest.mark.parametrize("spec,says", [
    ({"minReplicas": 6}, "raise maxReplicas"),
    ({"requests": {"signal": "KVCache", "target": 101}}, "write a number up to 100"),
    ({"requests": {"signal": "KVCache", "target": "100.5"}}, "write a number up to 100"),
    ({"gpu": {"exporter": {**CUSTOM, "type": "GKE"}}}, "write all three"),
    ({"gpu": {"exporter": {"port": "metrics"}}}, "write all three"),
    ({"gpu": {"exporter": {"type": "Custom"}}}, "write all three"),
])
def test_rules_over_fields(spec, says):
    refused(smallest(**spec), says)


@pytest.mark.parametrize("name", ["2gemma", "gemma.v2", "a" * 56])
def test_name_that_no_service_can_have(name):
    refused(smallest(name=name), "metadata.name", "at most 55")
