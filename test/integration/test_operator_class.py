"""Two operators in a cluster: each serves its own class, and one writes what all share."""

import urllib.request

import pytest

from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    FOREIGN,
    Autoscaler,
    Operator,
    adapter_configmap,
    adapter_deployment,
    asks,
    engine_port,
    listening_port,
    new_adapter,
    operator_kubeconfig,
    reader_token,
    stack,
    target,
)

BLUE = ("--operator-class", "blue", "--leave-shared")


@pytest.fixture
def operators(cluster, new_adapter, operator_kubeconfig, tmp_path):
    """Starts operators, by their arguments; each ends well."""
    started = []

    def start(*args):
        started.append(Operator(operator_kubeconfig, tmp_path / f"operator-{len(started)}.log", *args))
        eventually(started[-1].synced, timeout=20)
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            assert one.stop() == 0
        assert "Sanitizer" not in one.log(), one.log()


def explains(cluster, operator, autoscaler):
    port = listening_port(operator.process.pid)
    status, answer = asks(port, f"/explain/{autoscaler.namespace}/{autoscaler.name}", reader_token(cluster))
    assert status in (200, 404), answer
    return status == 200


def counted(operator):
    port = listening_port(operator.process.pid)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    (line,) = [line for line in page.splitlines() if line.startswith("inference_autoscaler_autoscalers ")]
    return int(line.split()[1])


def test_each_serves_its_own_and_one_writes_what_all_share(cluster, target, operators):
    blue = operators(*BLUE)
    own = Autoscaler(cluster, target, "own").create(operatorClass="blue")
    other = Autoscaler(cluster, target, "other").create(scaleTargetRef={
        "apiVersion": "apps/v1", "kind": "Deployment", "name": "nowhere"})
    own.waits_for_children()
    waiting = own.waits_for("MetricsExposed", "Exposed")
    assert waiting["status"] == "True"
    # The rule is another's to write, and the one that has no operator yet is nobody's.
    assert adapter_configmap(cluster).data["config.yaml"] == FOREIGN
    assert "annotations" not in adapter_deployment(cluster)["spec"]["template"]["metadata"]
    assert other.get()["status"] == {"observedGeneration": -1}
    assert explains(cluster, blue, own) and not explains(cluster, blue, other)
    assert counted(blue) == 1

    usual = operators()
    other.waits_for("TargetFound", "TargetNotFound", timeout=30)
    eventually(lambda: "vllm_num_requests_running" in adapter_configmap(cluster).data["config.yaml"], timeout=30)
    assert explains(cluster, usual, other) and not explains(cluster, usual, own)
    assert counted(usual) == 1

    # It moves with all that was made for it, and nothing is made anew.
    before = own.child("HorizontalPodAutoscaler")["metadata"]["uid"]
    assert blue.stop() == 0
    own.patch({"operatorClass": None, "maxReplicas": 7})
    eventually(lambda: own.child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 7, timeout=30)
    assert own.child("HorizontalPodAutoscaler")["metadata"]["uid"] == before
    eventually(lambda: explains(cluster, usual, own) and counted(usual) == 2)  # a page of /metrics stands for a moment


def test_a_class_is_a_name(cluster, stack, target):
    mine = Autoscaler(cluster, target)
    with pytest.raises(AssertionError, match="operatorClass is not a name"):
        mine.create(operatorClass="Blue_Team")
