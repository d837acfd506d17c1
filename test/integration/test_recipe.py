"""The hand-made recipe's HorizontalPodAutoscalers, reproduced by the samples: names, numbers and behavior."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import SAMPLES
from operator_fixtures import OPERATOR

RECIPE = Path(__file__).parent / "recipe"


def rendered(sample, kind):
    out = subprocess.run([OPERATOR, "render", "-f", sample, "-o", "json"], capture_output=True, text=True, check=True)
    return [o for o in map(json.loads, out.stdout.splitlines()) if o["kind"] == kind]


def stored(cluster, hpa):
    """As the API server keeps it, with its defaults."""
    namespace = hpa["metadata"].setdefault("namespace", "default")
    path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers"
    status, answer = cluster.request("POST", path, hpa, [("dryRun", "All"), ("fieldValidation", "Strict")])
    assert status == 201, answer
    return answer


@pytest.mark.parametrize("mode", ["requests", "gpu", "combined"])
def test_recipe(cluster, mode):
    wanted = yaml.safe_load((RECIPE / f"hpa-{mode}.yaml").read_text())
    (ours,) = rendered(SAMPLES / f"recipe-{mode}.yaml", "HorizontalPodAutoscaler")
    ours["metadata"]["namespace"] = "default"
    wanted, ours = stored(cluster, wanted), stored(cluster, ours)
    assert ours["metadata"]["name"] == wanted["metadata"]["name"]
    assert ours["spec"] == wanted["spec"]
