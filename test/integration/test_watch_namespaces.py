"""An operator for some namespaces: Roles in them are enough, and elsewhere nothing is seen or written."""

import json
import os
import re
import uuid

import pytest
import yaml
from conftest import CHART, eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    RIGHTS,
    Autoscaler,
    Operator,
    deployment,
    engine_port,
    make_pod_ready,
    new_adapter,
    stack,
    write_kubeconfig,
)

RELEASE = "few"
WRITES = {"create", "update", "patch", "delete", "deletecollection"}


def new_namespace(cluster, engine_port):  # noqa: F811
    """With a Deployment 'server' that has a ready pod."""
    name = f"few-{uuid.uuid4().hex[:8]}"
    cluster.core.create_namespace({"metadata": {"name": name}})
    eventually(lambda: cluster.core.read_namespaced_service_account("default", name))
    cluster.apply(deployment("server", name, {"app": "server"}, engine_port))
    make_pod_ready(cluster, name)
    return name


@pytest.fixture(scope="module")
def places(cluster, stack, engine_port):  # noqa: F811
    """Two that are watched, and one that is not."""
    made = [new_namespace(cluster, engine_port) for _ in range(3)]
    yield made
    for name in made:
        cluster.core.delete_namespace(name)


@pytest.fixture(scope="module")
def few(cluster, helm, places, tmp_path_factory):
    """The kubeconfig of an account with the rights of the chart for the first two, and the arguments of its operator."""
    system = f"few-system-{uuid.uuid4().hex[:8]}"
    cluster.core.create_namespace({"metadata": {"name": system}})
    version = cluster.request("GET", "/version")[1]["gitVersion"]
    done = helm("template", RELEASE, CHART, "--no-hooks", "--namespace", system, "--kube-version", version,
                "--set", f"watchNamespaces={{{','.join(places[:2])}}}", "--set", "rbac.aggregate=false",
                "--set", f"fullnameOverride={RELEASE}")
    assert done.returncode == 0, done.stderr
    rendered = [o for o in yaml.safe_load_all(done.stdout) if o]
    rights = [o for o in rendered if o["kind"] in RIGHTS]
    cluster.apply(*rights)
    (pod,) = [o["spec"]["template"]["spec"] for o in rendered if o["kind"] == "Deployment"]
    args = pod["containers"][0]["args"]
    first = args.index("--watch-namespaces")
    kubeconfig = write_kubeconfig(tmp_path_factory.mktemp("few") / "kubeconfig", cluster, system, RELEASE)
    yield kubeconfig, args[first:first + 4], f"system:serviceaccount:{system}:{RELEASE}"
    cluster.kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=yaml.safe_dump_all(rights))
    cluster.core.delete_namespace(system)


@pytest.fixture
def operators(few, tmp_path):
    """Starts operators with further arguments; each ends well."""
    started = []

    def start(*more, wait=True):
        kubeconfig, args, _ = few
        started.append(Operator(kubeconfig, tmp_path / f"operator-{len(started)}.log", *args, *more))
        if wait:
            eventually(started[-1].synced, timeout=20)
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            assert one.stop() == 0, one.log()
        assert "Sanitizer" not in one.log(), one.log()


def requests(cluster, user):
    """What the API server's audit log has of somebody: (code, verb, resource, namespace)."""
    log = os.path.join(os.path.dirname(cluster.kubeconfig), "logs", "audit.log")
    found = []
    with open(log) as lines:
        for line in lines:
            if user not in line:
                continue
            event = json.loads(line)
            of = event.get("objectRef", {})
            if event["user"]["username"] == user:
                found.append((event.get("responseStatus", {}).get("code"), event["verb"], of.get("resource"), of.get("namespace")))
    return found


def test_it_serves_its_namespaces_with_roles_alone(cluster, places, few, new_adapter, operators):  # noqa: F811
    """In all modes and from both sources, with the rules written once; no request is refused, and none is made elsewhere."""
    one, other, outside = places
    user = few[2]
    operator = operators()  # noqa: F811
    mine = [Autoscaler(cluster, one).create(), Autoscaler(cluster, other, "both").create(mode="Combined")]
    untouched = Autoscaler(cluster, outside).create()
    for autoscaler in mine:
        autoscaler.waits_for_children()
    more = [Autoscaler(cluster, one, "gpus").create(mode="GPU"), Autoscaler(cluster, other, "direct").create(source="Direct"),
            Autoscaler(cluster, other, "custom").create(
                engine={"type": "Custom", "signals": [{"name": "Waiting", "series": "queued"}]},
                requests={"signal": "Waiting", "target": 2}, source="Prometheus")]
    for autoscaler in more:
        eventually(lambda autoscaler=autoscaler: autoscaler.condition("Ready"), timeout=30)
    mine[0].waits_for("MetricsExposed", "Exposed", timeout=30)
    mine[0].waits_for("ScrapeSelected", "Selected", timeout=30)
    mine[0].patch({"maxReplicas": 9})
    eventually(lambda: mine[0].child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 9, timeout=15)

    assert untouched.get()["status"] == {"observedGeneration": -1}
    children = cluster.kubectl("-n", outside, "get", "services,hpa,servicemonitors", "-o", "name").stdout
    assert children == ""
    assert "forbidden" not in operator.log(), operator.log()
    seen = requests(cluster, user)
    assert seen, "the audit log shows nothing of the operator's: this test would see nothing"
    assert not [one for one in seen if one[0] in (401, 403)]
    assert {place for _, _, _, place in seen} <= {*places[:2], ADAPTER, None}
    assert {place for _, verb, _, place in seen if verb in WRITES} <= {*places[:2], ADAPTER, None}
    assert {what for _, verb, what, place in seen if place is None and verb in WRITES} <= {
        "tokenreviews", "subjectaccessreviews"}
    # In the adapter's namespace its own two objects are written, and beside Prometheus the rule of the GPUs; nothing of an
    # autoscaler's.
    assert {what for _, verb, what, place in seen if place == ADAPTER and verb in WRITES} <= {
        "configmaps", "deployments", "prometheusrules"}
    for autoscaler in [*mine, *more, untouched]:
        autoscaler.delete()


def test_a_namespace_whose_role_is_gone_holds_up_no_other(cluster, places, few, operators):
    one, other, _ = places
    system = few[2].split(":")[2]
    name = f"{system}:{RELEASE}:watched"
    binding = cluster.request("GET", f"/apis/rbac.authorization.k8s.io/v1/namespaces/{other}/rolebindings/{name}")[1]
    cluster.kubectl("-n", other, "delete", "rolebinding", name)
    try:
        operator = operators()
        assert re.search("cannot watch", operator.log())
        mine = Autoscaler(cluster, one).create()
        mine.waits_for_children()
        mine.waits_for("ScrapeSelected", "Selected", timeout=30)
        assert operator.process.poll() is None
    finally:
        for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
            binding["metadata"].pop(field, None)
        cluster.apply(binding)
    mine.delete()


def test_what_it_may_not_read_is_unknown_and_not_broken(cluster, places, few, operators):
    """Without the one ClusterRole: Prometheus' selector of namespaces is empty, so that nothing is missed."""
    system = few[2].split(":")[2]
    name = f"{system}:{RELEASE}"
    binding = cluster.request("GET", f"/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/{name}")[1]
    cluster.kubectl("delete", "clusterrolebinding", name)
    try:
        operators()
        mine = Autoscaler(cluster, places[0]).create()
        assert mine.waits_for("ScrapeSelected", "Selected", timeout=30)["status"] == "True"
    finally:
        for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
            binding["metadata"].pop(field, None)
        cluster.apply(binding)
    mine.delete()


def test_a_prometheus_elsewhere_is_not_called_missing(cluster, places, few, tmp_path):
    kubeconfig, _, _ = few
    running = Operator(kubeconfig, tmp_path / "operator.log", "--watch-namespaces", ",".join(places[:2]))
    try:
        eventually(running.synced, timeout=20)
        mine = Autoscaler(cluster, places[0]).create()
        found = mine.waits_for("ScrapeSelected", "NotRead", timeout=30)
        assert found["status"] == "Unknown" and "--shared-namespaces" in found["message"]
        assert mine.condition("Ready")["status"] == "Unknown"
        mine.delete()
    finally:
        assert running.stop() == 0, running.log()


def test_more_namespaces_than_can_be_watched_are_refused(few, tmp_path):
    names = ",".join(f"n{i}" for i in range(51))
    refused = Operator(few[0], tmp_path / "operator.log", "--watch-namespaces", names)
    assert refused.process.wait(timeout=10) == 2
    assert "51 namespaces" in refused.log()


