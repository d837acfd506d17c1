"""The pods of a target are watched: what becomes of them is seen soon, and none are listed for it."""

import collections
import copy
import json
import os

import pytest
import yaml

from conftest import CHART, eventually, only
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    USER,
    Autoscaler,
    Operator,
    deployment,
    engine_port,
    explained,
    listening_port,
    operator,
    operator_kubeconfig,
    set_status,
    stack,
    target,
    write_kubeconfig,
)

# From the change of a pod to the probe that sees it: one begins each second at most.
SEEN_S = 3
SELECTOR = [("labelSelector", "app=server")]


def lists(cluster):
    """How often the operator has listed what so far, by the audit log."""
    found = collections.Counter()
    logs = os.path.join(os.path.dirname(cluster.kubeconfig), "logs")
    for log in sorted(name for name in os.listdir(logs) if name.startswith("audit")):
        with open(os.path.join(logs, log)) as lines:
            for line in lines:
                if USER not in line:
                    continue
                event = json.loads(line)
                if event["user"]["username"] == USER and (event["verb"], event["stage"]) == ("list", "ResponseComplete"):
                    found[event["objectRef"].get("apiGroup", ""), event["objectRef"]["resource"]] += 1
    return found


class Server:
    """The target's pods, as their kubelet and the operator's probes see them."""

    def __init__(self, cluster, namespace, operator):
        self.cluster, self.namespace = cluster, namespace
        self.pods = f"/api/v1/namespaces/{namespace}/pods"
        self.port = listening_port(operator.process.pid)

    def names(self):
        items = self.cluster.request("GET", self.pods, query=SELECTOR)[1]["items"]
        return sorted(i["metadata"]["name"] for i in items if i["status"]["phase"] != "Failed")

    def scale(self, replicas):
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/server"
        code, answer = self.cluster.request(
            "PATCH", path, {"spec": {"replicas": replicas}}, content="application/merge-patch+json")
        assert code == 200, answer
        return eventually(lambda: len(self.names()) == replicas and (self.names() or True))

    def runs(self, name, ready, since):
        set_status(self.cluster, f"{self.pods}/{name}", {
            "phase": "Running", "podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}],
            "conditions": [{"type": "Ready", "status": str(ready), "lastTransitionTime": since}],
            "containerStatuses": [{
                "name": "server", "image": "i", "imageID": "i", "ready": ready, "restartCount": 0,
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}],
        })

    def evidence(self):
        told = explained(self.cluster, self.port, f"/explain/{self.namespace}/gemma")
        return told["evidence"].get("pods", {})

    def sees(self, total, ready, unready=()):
        def seen():
            pods = self.evidence()
            found = (pods.get("total", 0), pods.get("ready", 0), sorted(pods.get("unready", {})))
            assert found == (total, ready, sorted(unready)), pods
            return True

        eventually(seen, timeout=SEEN_S)


def test_the_evidence_follows_the_pods_and_none_are_listed(cluster, target, operator):
    one = Autoscaler(cluster, target).create()
    one.waits_for("MetricsExposed", "Exposed")
    server = Server(cluster, target, operator)
    server.sees(total=1, ready=1)
    before = lists(cluster)
    assert before, "the audit log shows no list of the operator's: this test would see nothing"
    names = server.scale(3)
    server.sees(total=3, ready=1)
    for name in names:
        server.runs(name, True, "2026-01-01T00:01:00Z")
    server.sees(total=3, ready=3)
    server.runs(names[0], False, "2026-01-01T00:02:00Z")
    server.sees(total=3, ready=2, unready=[names[0]])
    server.runs(names[0], True, "2026-01-01T00:03:00Z")
    server.sees(total=3, ready=3)
    # One whose labels are taken away is the target's no more; its place is taken by another.
    cluster.request("PATCH", f"{server.pods}/{names[1]}", {"metadata": {"labels": {"app": "other"}}},
                    content="application/merge-patch+json")
    server.sees(total=3, ready=2)
    # One that ended is no pod any more, although it stands there still.
    set_status(cluster, f"{server.pods}/{names[2]}", {"phase": "Failed"})
    server.sees(total=3, ready=1)
    server.scale(0)
    server.sees(total=0, ready=0)
    one.waits_for("TargetFound", "NoPods", timeout=SEEN_S)
    (name,) = server.scale(1)
    server.runs(name, True, "2026-01-01T00:04:00Z")
    server.sees(total=1, ready=1)
    one.waits_for("MetricsExposed", "Exposed", timeout=SEEN_S)
    assert lists(cluster)["", "pods"] == before["", "pods"]


@pytest.fixture
def trimmed(cluster, helm, stack, tmp_path):  # noqa: F811
    """The kubeconfig of an account with all the operator's rights but that to pods; and its role, as it should be."""
    rendered = helm("template", "trimmed", CHART, "--no-hooks", "--namespace", "default")
    assert rendered.returncode == 0, rendered.stderr
    kinds = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
    objects = [o for o in yaml.safe_load_all(rendered.stdout) if o and o["kind"] in kinds]
    (role,) = [o for o in objects if o["kind"] == "ClusterRole" and any(r["resources"] == ["pods"] for r in o["rules"])]
    whole = copy.deepcopy(role)
    role["rules"] = [r for r in role["rules"] if r["resources"] != ["pods"]]
    cluster.apply(*objects)
    account = only(objects, "ServiceAccount")["metadata"]["name"]
    return write_kubeconfig(tmp_path / "trimmed", cluster, "default", account), whole


def test_without_the_right_the_status_says_so_until_it_is_given(cluster, target, trimmed, tmp_path):  # noqa: F811
    kubeconfig, role = trimmed
    running = Operator(kubeconfig, tmp_path / "operator.log")
    try:
        eventually(running.synced, timeout=20)
        one = Autoscaler(cluster, target).create()
        said = one.waits_for("TargetFound", "PodsNotReadable")["message"]
        assert 'cannot list resource "pods"' in said and "give the operator this right, by the chart's roles" in said
        cluster.apply(role)
        one.waits_for("TargetFound", "TargetFound", timeout=40)
        one.waits_for("MetricsExposed", "Exposed")
    finally:
        assert running.stop() == 0, running.log()
    assert "Sanitizer" not in running.log(), running.log()
