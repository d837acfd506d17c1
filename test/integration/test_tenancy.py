"""Tenants on a real API server: who may write InferenceAutoscalers in one namespace changes nothing in another.

Each attack is a spec, written by a user with the role `edit` in team-a alone. The API server refuses it, or the operator
does, or it is harmless; either way the objects of team-b and of the platform are afterwards what they were before.
"""

import uuid

import pytest
import yaml
from conftest import Cluster, eventually, has_policies, smallest, tool
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    Autoscaler,
    deployment,
    engine_port,
    make_pod_ready,
    operator,
    operator_kubeconfig,
    stack,
    write_kubeconfig,
)

MERGE = "application/merge-patch+json"
RESOURCE = "/apis/inference-autoscaler.io/v1alpha1/namespaces/{}/inferenceautoscalers"
KINDS = "services,horizontalpodautoscalers,servicemonitors,prometheusrules,deployments,inferenceautoscalers"
CUSTOM = {"type": "Custom", "selector": {"matchLabels": {"app": "server"}}, "port": "http"}
TRACKED = {"app.kubernetes.io/instance": "argo-app"}


def exporter(**more):
    return {"mode": "GPU", "gpu": {"exporter": {**CUSTOM, **more}}}


def moved(namespace, **labels):
    return {"monitor": {"namespace": namespace, **({"labels": labels} if labels else {})}}


# {victim} and {adapter} are other namespaces; the second is whether the API server takes it.
ATTACKS = {
    **{f"a ServiceMonitor in {place}": (moved(place), False) for place in ("{victim}", "kube-system", "{adapter}", "default")},
    "a tracked ServiceMonitor in {victim}": (moved("{victim}", **TRACKED), False),
    "a ServiceMonitor nowhere": (moved("none-such"), False),
    "a ServiceMonitor by a path": (moved("../{victim}"), False),
    **{f"an exporter in {place}": (exporter(namespace=place), False) for place in ("{victim}", "kube-system", "{adapter}", "default")},
    "an exporter nowhere": (exporter(namespace="none-such"), False),
    "an exporter at another's port": (exporter(namespace="{victim}", port="grpc"), False),
    "an exporter by any label": (exporter(namespace="{victim}", selector={"matchLabels": {"app": ""}}), False),
    "an exporter by a path": (exporter(namespace="{victim}/x"), False),
    "another's label": ({"monitor": {"labels": {"inference-autoscaler.io/autoscaler": "victim"}}}, False),
    "another's namespace as label": ({"monitor": {"labels": {"inference-autoscaler.io/autoscaler-namespace": "{victim}"}}}, False),
    "a shared label": ({"monitor": {"labels": {"inference-autoscaler.io/shared": "gpu"}}}, False),
    "another manager": ({"monitor": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}}, False),
    "another's target by a path": (
        {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "../../{victim}/deployments/server"}}, False),
    "another's target by its name": (
        {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "victim"}}, True),
    "a kind by a path": ({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment/scale", "name": "server"}}, False),
    "a group by a path": ({"scaleTargetRef": {"apiVersion": "../v1", "kind": "Deployment", "name": "server"}}, False),
    "a kind that is nobody's": ({"scaleTargetRef": {"apiVersion": "none.example/v1", "kind": "Thing", "name": "server"}}, True),
    "a path upwards": ({"engine": {"path": "/../../api"}}, False),
    "a path with a query": ({"engine": {"path": "/metrics?namespace={victim}"}}, False),
    "a path with a header": ({"engine": {"path": "/metrics\r\nHost: x"}}, False),
    "a port of the kubelet": ({"engine": {"port": 10250}}, True),
    "a target of nothing": ({"requests": {"target": "0.0001"}}, False),
    "a target of all": ({"requests": {"target": "1e20"}}, False),
    "an expression as target": ({"requests": {"target": '1"}) or vector(1)'}}, False),
    "a scrape every millisecond": ({"scrapeInterval": "1ms"}, False),
    "a scrape every second": ({"scrapeInterval": "1s"}, True),
    "more replicas than there are": ({"maxReplicas": 2147483647}, True),
    "an engine that no pod runs": ({"engine": {"type": "Triton"}}, True),
    "the exporter of another platform": ({"mode": "GPU", "gpu": {"exporter": {"type": "GKE"}}}, True),
    "tracking at home": ({"monitor": {"labels": TRACKED}}, True),
}


def filled(value, **places):
    """The value with its places written in, wherever a text has one."""
    if isinstance(value, str):
        for name, place in places.items():
            value = value.replace("{" + name + "}", place)
        return value
    if isinstance(value, dict):
        return {filled(key, **places): filled(inner, **places) for key, inner in value.items()}
    return value


@pytest.fixture(scope="module")
def victim(cluster, crd, stack, engine_port):  # noqa: F811
    """team-b: an autoscaler with all that belongs to it, and a Service like those of exporters."""
    name = f"team-b-{uuid.uuid4().hex[:8]}"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: cluster.core.read_namespaced_service_account("default", name))
    cluster.apply(deployment("victim", name, {"app": "server"}, engine_port), {
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "server", "namespace": name, "labels": {"app": "server"}},
        "spec": {"selector": {"app": "server"}, "ports": [{"name": "http", "port": 80}, {"name": "grpc", "port": 81}]}})
    make_pod_ready(cluster, name)
    cluster.apply(smallest("victim", name, scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "victim"}))
    yield name
    cluster.core.delete_namespace(name)


def make_user(cluster, folder, role, namespace):
    name = f"user-{uuid.uuid4().hex[:8]}"
    cluster.kubectl("-n", namespace, "create", "serviceaccount", name)
    cluster.kubectl("-n", namespace, "create", "rolebinding", name, f"--clusterrole={role}", f"--serviceaccount={namespace}:{name}")
    user = Cluster(write_kubeconfig(folder / name, cluster, namespace, name), tool("kubectl"))
    user.name = name
    return user


@pytest.fixture(scope="module")
def team_a(cluster, crd, stack, engine_port):  # noqa: F811
    name = f"team-a-{uuid.uuid4().hex[:8]}"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    eventually(lambda: cluster.core.read_namespaced_service_account("default", name))
    cluster.apply(deployment("server", name, {"app": "server"}, engine_port))
    make_pod_ready(cluster, name)
    yield name
    cluster.core.delete_namespace(name)


@pytest.fixture(scope="module")
def tenant(cluster, operator_kubeconfig, team_a, tmp_path_factory):  # noqa: F811
    if not has_policies(cluster):
        pytest.skip("the API server has no ValidatingAdmissionPolicies")
    user = make_user(cluster, tmp_path_factory.mktemp("tenant"), "edit", team_a)
    # The rights that the chart adds to `edit` come a moment later, and so do the policies.
    body = smallest("probe", team_a, monitor={"namespace": "kube-system"})
    eventually(lambda: "you may not create ServiceMonitors" in str(
        user.request("POST", RESOURCE.format(team_a), body, query=[("dryRun", "All")])[1]), timeout=30)
    return user


def state(cluster, *namespaces):
    """Of each object outside, what tells that somebody wrote it; statuses aside, which say what pods do."""
    found = {}
    for namespace in namespaces:
        for one in yaml.load(cluster.kubectl("-n", namespace, "get", KINDS, "-o", "yaml").stdout, Loader=yaml.CSafeLoader)["items"]:
            meta = one["metadata"]
            found[one["kind"], namespace, meta["name"]] = (
                meta["uid"], meta.get("generation"), meta.get("labels"), meta.get("annotations"), one.get("spec"))
    return found


def test_no_attack_reaches_another_namespace(cluster, operator, tenant, team_a, victim):  # noqa: F811
    """All, one after the other; what the API server takes is there until the operator has spoken of it."""
    others = Autoscaler(cluster, victim, "victim")
    others.waits_for_children()
    # The adapter's Deployment and rules are shared: they are made once, by the first of an engine.
    outside = (victim, "kube-system", "default")
    before = state(cluster, *outside)
    foreign = {key for key in state(cluster, ADAPTER) if key[0] in ("Service", "ServiceMonitor", "HorizontalPodAutoscaler")}
    places = {"victim": victim, "adapter": ADAPTER}
    for number, (attack, (spec, taken)) in enumerate(ATTACKS.items()):
        name = f"attack-{number}"
        code, answer = tenant.request("POST", RESOURCE.format(team_a), smallest(name, team_a, **filled(spec, **places)))
        assert (code == 201) == taken, (attack, answer)
        assert code in (201, 403, 422), (attack, answer)
        if taken:
            mine = Autoscaler(cluster, team_a, name)
            eventually(lambda mine=mine: mine.condition("Ready"), timeout=30)
            assert tenant.request("DELETE", f"{RESOURCE.format(team_a)}/{name}")[0] == 200
        assert state(cluster, *outside) == before, attack
    assert foreign == {key for key in state(cluster, ADAPTER) if key[0] in ("Service", "ServiceMonitor", "HorizontalPodAutoscaler")}
    assert others.get()["spec"]["maxReplicas"] == 5


@pytest.mark.parametrize("verb,body", [("GET", None), ("PATCH", {"spec": {"paused": True}}), ("DELETE", None)])
def test_anothers_resource_is_not_the_tenants(tenant, victim, verb, body):
    code, answer = tenant.request(verb, f"{RESOURCE.format(victim)}/victim", body, content=MERGE)
    assert code == 403, answer


def test_the_role_for_edit_is_enough_alone(cluster, operator_kubeconfig, team_a, tmp_path):  # noqa: F811
    """Bound without Kubernetes' own `edit`: apply, read, change and delete."""
    user = make_user(cluster, tmp_path, "inference-autoscaler-system:inference-autoscaler:edit", team_a)
    body = yaml.safe_dump(smallest("alone", team_a))
    eventually(lambda: user.kubectl("apply", "-f", "-", stdin=body, check=False).returncode == 0)
    user.kubectl("apply", "-f", "-", stdin=body.replace("maxReplicas: 5", "maxReplicas: 6"))
    assert "alone" in user.kubectl("-n", team_a, "get", "ias", "-o", "name").stdout
    user.kubectl("-n", team_a, "delete", "ias", "alone")


def test_the_role_for_view_is_enough_alone(cluster, operator_kubeconfig, team_a, tmp_path):  # noqa: F811
    user = make_user(cluster, tmp_path, "inference-autoscaler-system:inference-autoscaler:view", team_a)
    eventually(lambda: user.kubectl("-n", team_a, "get", "ias", check=False).returncode == 0)
    code, answer = user.request("POST", RESOURCE.format(team_a), smallest("alone", team_a))
    assert code == 403, answer
