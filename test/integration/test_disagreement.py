"""Values that one hop of a chain has and the next has not: found while every sample is fresh, and healed."""

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import eventually
from operator_fixtures import edit_pod, explained, listening_port


def values(autoscaler):
    """What page, Prometheus and metrics API say of the one pod, as the operator shows it."""
    (told,) = explained(autoscaler.cluster, listening_port(autoscaler.operator.process.pid))["items"]
    (pod,) = told["values"][0]["pods"]
    return pod["page"], pod["prometheus"], pod["served"]


def test_a_second_scrape_of_the_pods_is_found(cluster, working):
    (ours,) = working.prometheus.get()
    working.patch({"scrapeInterval": "1s"})  # as this Prometheus scrapes, whatever it was told
    working.waits_for("Ready", "Ready", timeout=30)

    theirs = ours | {"job_name": "somebody/all-pods", "static_configs": [
        {"targets": c["targets"], "labels": c["labels"] | {"job": "somebody/all-pods"}} for c in ours["static_configs"]
    ]}
    working.prometheus.set([ours, theirs])

    def told():
        edit_pod(cluster, working.namespace)  # a page that was read well stands for two minutes or so else
        condition = working.condition("SeriesFresh")
        assert condition and condition["reason"] == "ValuesDisagree", condition
        return condition

    # Sixteen samples are the proof, and Prometheus is asked for one every five seconds. The probes must not go in step with
    # its scrapes, which come each second.
    found = eventually(told, timeout=180, interval=1.1)
    assert found["status"] == "False"
    assert "has 16 of 'vllm:num_requests_running' for pod 'server-" in found["message"]
    assert "whose page says 8: job 'somebody/all-pods' " in found["message"]
    assert "remove the ServiceMonitor or PodMonitor behind that job" in found["message"]
    assert values(working) == ("8", "16", "16")

    # Of a job that is gone altogether Prometheus would count the last samples for five minutes more.
    working.prometheus.set([ours, theirs | {"static_configs": []}])
    working.waits_for("Ready", "Ready", timeout=60)
