"""The adapter restarts as rarely as it can: each restart makes every HPA of the cluster blind for a moment."""

import subprocess
import textwrap
import time

import pytest
import yaml

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    adapter_comes_up,
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import eventually
from operator_fixtures import (  # noqa: F401
    ADAPTER,
    FOREIGN,
    OPERATOR,
    Autoscaler,
    adapter_configmap,
    adapter_deployment,
    new_adapter,
    deployment,
    operator,
)

DEPLOYMENT = f"/apis/apps/v1/namespaces/{ADAPTER}/deployments/prometheus-adapter"
ENGINES = ("SGLang", "TGI", "TensorRTLLM", "Triton", "LMDeploy", "NIM", "LlamaCpp")
METRICS = {engine: f"{engine.lower()}_num_requests_running" for engine in ("VLLM", "SGLang", "TGI")}


def generation(cluster):
    return adapter_deployment(cluster)["metadata"]["generation"]


def rules(cluster):
    return adapter_configmap(cluster).data["config.yaml"]


def has_rules_of(cluster, *engines):
    text = rules(cluster)
    return all(f"'{METRICS[engine]}'" in text for engine in engines)


def first_rules(cluster, before):
    """The configuration with our rules, once they are written and the adapter's Deployment is to restart for them,
    which is a second write."""
    eventually(lambda: has_rules_of(cluster, "VLLM", "SGLang", "TGI") and generation(cluster) == before + 1)
    adapter_comes_up(cluster)
    return rules(cluster)


@pytest.fixture
def quiet(cluster, namespace, new_adapter, operator):
    """No rule of ours, an adapter at rest; makes autoscalers of engines that are told."""
    adapter_comes_up(cluster)

    def make(*engines):
        names = [engine.lower() for engine in engines]
        cluster.apply(*[deployment(name, namespace, {"app": name}, 8000) for name in names])
        return [
            Autoscaler(cluster, namespace, name).create(
                scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": name}, engine={"type": engine}
            )
            for name, engine in zip(names, engines)
        ]

    return make


def test_one_engine_after_the_other_is_one_restart(cluster, quiet):
    before = generation(cluster)
    quiet("VLLM")
    first = first_rules(cluster, before)
    for engine in ENGINES:
        (one,) = quiet(engine)
        one.waits_for("TargetFound", "TargetFound")
        assert (generation(cluster), rules(cluster)) == (before + 1, first)
    adapter_comes_up(cluster)
    time.sleep(3)
    assert (generation(cluster), rules(cluster)) == (before + 1, first)


def test_what_goes_costs_no_restart_and_takes_no_rule_along(cluster, quiet):
    at_rest = generation(cluster)
    (vllm,) = quiet("VLLM")
    ours = first_rules(cluster, at_rest)
    before = generation(cluster), ours
    vllm.delete()
    (sglang,) = quiet("SGLang")
    sglang.waits_for("TargetFound", "TargetFound")  # by then the operator has seen the other go
    time.sleep(3)
    assert (generation(cluster), rules(cluster)) == before


def test_a_rollout_that_hangs_is_said(cluster, working):
    deadline = [{"op": "add", "path": "/spec/progressDeadlineSeconds", "value": 3}]
    assert cluster.request("PATCH", DEPLOYMENT, deadline, content="application/json-patch+json")[0] == 200
    try:
        adapter_comes_up(cluster)
        before = generation(cluster)
        since = working.condition("Ready")["lastTransitionTime"]
        # An edit of our rules is mended, and the new pod never becomes ready: nobody plays the kubelet.
        write_rules(cluster, FOREIGN, "somebody")
        eventually(lambda: generation(cluster) == before + 1)
        # A rollout under way breaks nobody whose rules the old pods have.
        ready = working.condition("Ready")
        assert (ready["status"], ready["lastTransitionTime"]) == ("True", since)
        found = working.waits_for("AdapterConfigured", "RolloutStuck", timeout=30)
        assert found["status"] == "False" and f"'{ADAPTER}/prometheus-adapter'" in found["message"]
    finally:
        deadline[0]["value"] = 600
        cluster.request("PATCH", DEPLOYMENT, deadline, content="application/json-patch+json")


CONFIGMAP = f"/api/v1/namespaces/{ADAPTER}/configmaps/prometheus-adapter"


def write_rules(cluster, text, manager):
    """As a tool that delivers the adapter does, under its name."""
    code, answer = cluster.request("PATCH", CONFIGMAP, {"data": {"config.yaml": text}}, [("fieldManager", manager)],
                                   content="application/merge-patch+json")
    assert code == 200, answer


def test_a_tool_that_reverts_fifteen_times_costs_one_restart(cluster, quiet, operator):
    at_rest = generation(cluster)
    quiet("VLLM")
    ours = first_rules(cluster, at_rest)
    before = generation(cluster)
    for _ in range(15):
        write_rules(cluster, FOREIGN, "argocd-controller")
        time.sleep(1.3)
    assert generation(cluster) == before + 1
    assert rules(cluster) == FOREIGN
    assert "RevertedBy" in operator.log() and "argocd-controller" in operator.log()
    # It is over as soon as the rules are back; the adapter may have started without them in between.
    write_rules(cluster, ours, "argocd-controller")
    eventually(lambda: generation(cluster) == before + 2)
    time.sleep(3)
    assert generation(cluster) == before + 2 and rules(cluster) == ours


def test_a_hundred_reverts_cost_two_restarts_at_most(cluster, quiet, operator):
    """Each is another text, as of a tool that delivers a new version each time."""
    at_rest = generation(cluster)
    quiet("VLLM")
    first_rules(cluster, at_rest)
    before = generation(cluster)
    for number in range(100):
        write_rules(cluster, f"{FOREIGN}# version {number}\n", "argocd-controller")
        if number == 0:
            eventually(lambda: has_rules_of(cluster, "VLLM"))  # else the operator may see no version but the last
    eventually(lambda: "RevertedBy" in operator.log())
    assert generation(cluster) <= before + 2
    assert rules(cluster) == f"{FOREIGN}# version 99\n"


def test_who_reverts_is_said_and_what_helps(cluster, working):
    ours, before = rules(cluster), generation(cluster)
    write_rules(cluster, FOREIGN, "argocd-controller")
    eventually(lambda: rules(cluster) == ours)
    write_rules(cluster, FOREIGN, "argocd-controller")
    found = working.waits_for("AdapterConfigured", "RevertedBy")
    assert found["status"] == "False"
    for word in ("'argocd-controller'", f"'{ADAPTER}/prometheus-adapter'", "ignoreDifferences", "inference-autoscaler rules"):
        assert word in found["message"]
    write_rules(cluster, ours, "argocd-controller")
    eventually(lambda: generation(cluster) == before + 2)
    adapter_comes_up(cluster)
    working.waits_for("Ready", "Ready", timeout=60)


def deliver(cluster, text):
    """As Argo CD with server-side apply: it owns what it applies."""
    code, answer = cluster.request("PATCH", CONFIGMAP, {
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prometheus-adapter", "namespace": ADAPTER},
        "data": {"config.yaml": text}}, [("fieldManager", "argocd-controller"), ("force", "true")],
        content="application/apply-patch+yaml")
    assert code == 200, answer


def in_git(output):
    """The tool's source with what `inference-autoscaler rules` prints added to it, as its help says."""
    done = subprocess.run([OPERATOR, "rules", "-o", output], check=True, capture_output=True, text=True)
    if output == "config":
        return FOREIGN + textwrap.indent(done.stdout.removeprefix("rules:\n"), "  ")
    source = yaml.safe_load(FOREIGN)  # the adapter's chart writes its values anew, without comments
    return yaml.safe_dump({**source, "rules": source["rules"] + yaml.safe_load(done.stdout)["rules"]["custom"]})


@pytest.mark.parametrize("output", ["config", "chart"])
def test_the_commands_rules_in_git_end_it(cluster, working, output):
    """The remedy that the condition names, to the letter, against server-side apply of another manager."""
    before = generation(cluster)
    ours = rules(cluster)
    deliver(cluster, FOREIGN)
    eventually(lambda: rules(cluster) == ours)
    deliver(cluster, FOREIGN)
    found = working.waits_for("AdapterConfigured", "RevertedBy")
    assert "'argocd-controller'" in found["message"] and "inference-autoscaler rules" in found["message"]
    text = in_git(output)
    deliver(cluster, text)
    eventually(lambda: generation(cluster) == before + 2)  # the repair was the first
    adapter_comes_up(cluster)
    working.waits_for("Ready", "Ready", timeout=60)
    for _ in range(20):
        deliver(cluster, text)
    time.sleep(3)  # nothing shows that an operator does not write
    assert rules(cluster) == text and generation(cluster) <= before + 2
