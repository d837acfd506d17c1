"""Values that one hop of a chain has and the next has not: found while every sample is fresh, and healed."""

import json
import urllib.request

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import eventually
from operator_fixtures import edit_pod, listening_port


def looks_until(cluster, autoscaler, link, reason, timeout):
    """Waits, and has the operator look at all anew meanwhile."""
    def reached():
        edit_pod(cluster, autoscaler.namespace)
        condition = autoscaler.condition(link)
        assert condition and condition["reason"] == reason, condition
        return condition

    return eventually(reached, timeout=timeout)


def test_a_second_scrape_of_the_pods_is_found(cluster, working):
    (ours,) = working.prometheus.get()
    working.patch({"scrapeInterval": "1s"})  # as this Prometheus scrapes, whatever it was told
    working.waits_for("Ready", "Ready", timeout=30)

    theirs = ours | {"job_name": "somebody/all-pods", "static_configs": [
        {"targets": c["targets"], "labels": c["labels"] | {"job": "somebody/all-pods"}} for c in ours["static_configs"]
    ]}
    working.prometheus.set([ours, theirs])
    found = looks_until(cluster, working, "SeriesFresh", "ValuesDisagree", timeout=120)
    assert found["status"] == "False"
    assert "has 16 of 'vllm:num_requests_running' for pod 'server-" in found["message"]
    assert "whose page says 8: job 'somebody/all-pods' " in found["message"]
    assert "remove the ServiceMonitor or PodMonitor behind that job" in found["message"]

    base = f"http://127.0.0.1:{listening_port(working.operator.process.pid)}"
    (told,) = json.load(urllib.request.urlopen(f"{base}/explain"))["items"]
    (pod,) = told["values"][0]["pods"]
    assert (pod["page"], pod["prometheus"], pod["served"]) == ("8", "16", "16")

    # Of a job that is gone altogether Prometheus would count the last samples for five minutes more.
    working.prometheus.set([ours, theirs | {"static_configs": []}])
    looks_until(cluster, working, "Ready", "Ready", timeout=60)
