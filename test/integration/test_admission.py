"""The chart's admission policies on a real API server: what roles allow and the policies do not, and that nothing else is
in their way."""

import copy
import uuid

import pytest
from conftest import Cluster, eventually, has_policies, smallest, tool
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    Autoscaler,
    adapter_configmap,
    engine_port,
    operator,
    operator_kubeconfig,
    stack,
    target,
    write_kubeconfig,
)

MERGE = "application/merge-patch+json"
SERVICES = "/api/v1/namespaces/{}/services"
MONITORS = "/apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors"
RULES = "/apis/monitoring.coreos.com/v1/namespaces/{}/prometheusrules"
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
HPAS = "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers"
OURS = {"app.kubernetes.io/managed-by": "inference-autoscaler", "inference-autoscaler.io/autoscaler": "gemma"}
SHARED = {"app.kubernetes.io/managed-by": "inference-autoscaler", "inference-autoscaler.io/shared": "gpu"}


def named(body, name, labels=None, **meta):
    return {**copy.deepcopy(body), "metadata": {"name": name, "labels": labels or {}, **meta}}


def service(**spec):
    return {"apiVersion": "v1", "kind": "Service",
            "spec": {"clusterIP": "None", "selector": {"app": "x"}, "ports": [{"port": 80}], **spec}}


def monitor(selector=None, endpoint=None, **spec):
    selector = selector or {"matchLabels": {"inference-autoscaler.io/autoscaler": "gemma"}}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
            "spec": {"selector": selector, "endpoints": [{"port": "ias-metrics", **(endpoint or {})}], **spec}}


def rule(record="inference_autoscaler:gpu_utilization:percent", **more):
    one = {"expr": "vector(1)", **({"record": record} if record else {}), **more}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "spec": {"groups": [{"name": "x", "rules": [one]}]}}


def registration(group="custom.metrics.k8s.io", service="inference-autoscaler", labels=OURS, **spec):
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": f"v1beta1.{group}", "labels": labels},
            "spec": {"group": group, "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
                     "caBundle": "eA==", "service": {"namespace": "inference-autoscaler-system", "name": service, "port": 443},
                     **spec}}


HPA = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
       "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"}, "maxReplicas": 2}}
SECRET = {"name": "s", "key": "k"}
OTHERS = {"selector": {"matchLabels": {"app": "api"}}}

# (what is made, by whose labels, the policy's words): each may be created by the roles.
MADE = {
    "another API": (APISERVICES, registration("external.metrics.k8s.io"), "only the custom metrics API"),
    "the API of another Service": (APISERVICES, registration(service="other"), "leads to its own Service"),
    "an API that is not labelled": (APISERVICES, registration(labels={}), "leads to its own Service"),
    "an API that nobody checks": (
        APISERVICES, {**registration(), "spec": {**registration()["spec"], "caBundle": None, "insecureSkipTLSVerify": True}},
        "whose certificates are checked"),
    "a Service that is not labelled": (SERVICES, named(service(), "a"), "may make only what bears its label"),
    "a Service of a load balancer": (SERVICES, named(service(type="LoadBalancer", clusterIP=""), "a", OURS), "without an address"),
    "a Service with an address": (SERVICES, named(service(clusterIP=""), "a", OURS), "without an address"),
    "a Service of external addresses": (SERVICES, named(service(externalIPs=["192.0.2.1"]), "a", OURS), "externalIPs"),
    "an external name": (SERVICES, named(service(type="ExternalName", externalName="x.example", clusterIP=""), "a", OURS), "without an"),
    "an HPA without an owner": (HPAS, named(HPA, "a", OURS), "InferenceAutoscaler that owns it"),
    "a ServiceMonitor that is not labelled": (MONITORS, named(monitor(), "a"), "the operator may make "),  # two refuse it
    "a token file": (MONITORS, named(monitor(endpoint={"bearerTokenFile": "/token"}), "a", OURS), "credentials"),
    "a token": (MONITORS, named(monitor(endpoint={"bearerTokenSecret": SECRET}), "a", OURS), "credentials"),
    "authorization": (MONITORS, named(monitor(endpoint={"authorization": {"credentials": SECRET}}), "a", OURS), "credentials"),
    "basic auth": (MONITORS, named(monitor(endpoint={"basicAuth": {"username": SECRET}}), "a", OURS), "credentials"),
    "oauth2": (MONITORS, named(monitor(endpoint={"oauth2": {
        "clientId": {"secret": SECRET}, "clientSecret": SECRET, "tokenUrl": "http://x"}}), "a", OURS), "credentials"),
    "a proxy": (MONITORS, named(monitor(endpoint={"proxyUrl": "http://x"}), "a", OURS), "proxy"),
    "parameters": (MONITORS, named(monitor(endpoint={"params": {"a": ["b"]}}), "a", OURS), "credentials"),
    "a key file": (MONITORS, named(monitor(endpoint={"tlsConfig": {"keyFile": "/key"}}), "a", OURS), "credentials"),
    "a CA file": (MONITORS, named(monitor(endpoint={"tlsConfig": {"caFile": "/ca"}}), "a", OURS), "credentials"),
    "a certificate": (MONITORS, named(monitor(endpoint={"tlsConfig": {"cert": {"secret": SECRET}}}), "a", OURS), "credentials"),
    "a scrape class": (MONITORS, named(monitor(scrapeClass="admin"), "a", OURS), "selector, namespaceSelector, endpoints"),
    "a scrape of others": (MONITORS, named(monitor(**OTHERS), "a", OURS), "only of its own Service"),
    "a scrape of all": (MONITORS, named(monitor(selector={"matchExpressions": [{"key": "app", "operator": "Exists"}]}), "a", OURS),
                        "only of its own Service"),
    "a scrape in all namespaces": (MONITORS, named(monitor(namespaceSelector={"any": True}), "a", OURS), "only of its own Service"),
    "a scrape in another namespace": (
        MONITORS, named(monitor(namespaceSelector={"matchNames": ["kube-system"]}), "a", OURS), "only of its own Service"),
    "an exporter's of all namespaces": (
        MONITORS, named(monitor(**OTHERS, namespaceSelector={"any": True}), "inference-autoscaler-gpu.a.b", SHARED), "only of its own"),
    "an exporter's of another name": (
        MONITORS, named(monitor(**OTHERS, namespaceSelector={"matchNames": ["b"]}), "inference-autoscaler-gpu.a.b", SHARED),
        "only of its own Service"),
    "a rule of another name": (RULES, named(rule(), "a", SHARED), "only the PrometheusRule"),
    "an alert": (RULES, named(rule(record=None, alert="X"), "inference-autoscaler-gpu", SHARED), "which records"),
    "another's series": (RULES, named(rule(record="up"), "inference-autoscaler-gpu", SHARED), "which records"),
}
# Somebody else's, made by the administrator.
FOREIGN = {
    "Service": (SERVICES, named(service(), "api", {"app": "api"}), {"spec": {"selector": {"app": "evil"}}}),
    "HorizontalPodAutoscaler": (HPAS, named(HPA, "api"), {"spec": {"maxReplicas": 1}}),
    "ServiceMonitor": (MONITORS, named(monitor(**OTHERS), "api", {"app": "api"}), {"spec": {"endpoints": []}}),
    "PrometheusRule": (RULES, named(rule(record="api:x"), "inference-autoscaler-gpu"), {"spec": {"groups": []}}),
}


@pytest.fixture(scope="module")
def as_operator(cluster, operator_kubeconfig):  # noqa: F811
    """The API server as the operator's user, once the policies are in force."""
    if not has_policies(cluster):
        pytest.skip("the API server has no ValidatingAdmissionPolicies")
    user = Cluster(operator_kubeconfig, tool("kubectl"))
    for path, body, _ in MADE.values():
        eventually(lambda path=path, body=body: user.request("POST", path.format("default"), body, query=[("dryRun", "All")])[0] in (403, 422))
    return user


@pytest.fixture(scope="module")
def as_user(cluster, crd, operator_kubeconfig, tmp_path_factory):  # noqa: F811
    """A function: the API server as a new user who has a ClusterRole in these namespaces."""

    def make(role, *namespaces):
        name = f"user-{uuid.uuid4().hex[:8]}"
        cluster.kubectl("-n", "default", "create", "serviceaccount", name)
        for namespace in namespaces:
            cluster.kubectl("-n", namespace, "create", "rolebinding", name, f"--clusterrole={role}", f"--serviceaccount=default:{name}")
        kubeconfig = write_kubeconfig(tmp_path_factory.mktemp(name) / "kubeconfig", cluster, "default", name)
        return Cluster(kubeconfig, tool("kubectl"))

    return make


def refused(answer, words):
    code, body = answer
    assert code in (403, 422) and words in body["message"], answer


@pytest.mark.parametrize("what", MADE)
def test_the_operator_may_not_make(as_operator, namespace, what):
    path, body, words = MADE[what]
    refused(as_operator.request("POST", path.format(namespace), body), words)


@pytest.mark.parametrize("kind", FOREIGN)
def test_somebody_elses_is_left_alone(cluster, as_operator, namespace, kind):
    """Neither changed, nor labelled, nor deleted, nor taken over by server-side apply."""
    path, body, change = FOREIGN[kind]
    path = path.format(namespace)
    code, before = cluster.request("POST", path, body)
    assert code == 201, before
    one = f"{path}/{body['metadata']['name']}"
    words = "the operator may "  # of two policies that refuse, either may be the first to answer
    refused(as_operator.request("PATCH", one, change, content=MERGE), words)
    refused(as_operator.request("PATCH", one, {"metadata": {"labels": OURS}}, content=MERGE), words)
    apply = {"apiVersion": body["apiVersion"], "kind": body["kind"], "metadata": {"name": body["metadata"]["name"], "labels": OURS}}
    refused(as_operator.request(
        "PATCH", one, apply, query=[("fieldManager", "inference-autoscaler"), ("force", "true")],
        content="application/apply-patch+yaml"), words)
    refused(as_operator.request("DELETE", one), words)
    assert cluster.request("GET", one)[1] == before


def test_of_the_adapter_only_the_rules_and_the_restart(cluster, as_operator):
    """The roles let the operator patch every ConfigMap of the adapter's namespace, and the adapter's Deployment."""
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "others", "namespace": ADAPTER},
                   "data": {"a": "b"}})
    config = f"/api/v1/namespaces/{ADAPTER}/configmaps/others"
    deployment = f"/apis/apps/v1/namespaces/{ADAPTER}/deployments/prometheus-adapter"
    before = [cluster.request("GET", path)[1]["metadata"]["resourceVersion"] for path in (config,)]
    template = cluster.request("GET", deployment)[1]["spec"]
    block = "# BEGIN inference-autoscaler: x\n# END inference-autoscaler\n"
    rows = [
        (config, {"data": {"a": "c"}}, "only its own rules"),
        (config, {"data": {"a": None}}, "only its own rules"),
        (config, {"data": {"b": block}}, "only its own rules"),
        (config, {"binaryData": {"b": "eA=="}}, "only its own rules"),
        (config, {"immutable": True}, "only its own rules"),
        (config, {"metadata": {"annotations": {"note": "x"}}}, "annotations of its own"),
        (deployment, {"spec": {"replicas": 0}}, "restart a Deployment"),
        (deployment, {"spec": {"paused": True}}, "restart a Deployment"),
        (deployment, {"spec": {"template": {"spec": {"serviceAccountName": "admin"}}}}, "restart a Deployment"),
        (deployment, {"spec": {"template": {"spec": {"hostNetwork": True}}}}, "restart a Deployment"),
        (deployment, {"spec": {"template": {"metadata": {"labels": {"a": "b"}}}}}, "restart a Deployment"),
        (deployment, {"spec": {"template": {"metadata": {"annotations": {"a": "b"}}}}}, "annotations of its own"),
    ]
    for path, change, words in rows:
        refused(as_operator.request("PATCH", path, change, content=MERGE), words)
    assert before == [cluster.request("GET", path)[1]["metadata"]["resourceVersion"] for path in (config,)]
    assert template == cluster.request("GET", deployment)[1]["spec"]
    for path, change in (
        (config, {"data": {"a": block}, "metadata": {"annotations": {"inference-autoscaler.io/adapter-rules": "x"}}}),
        (config, {"data": {"a": "b"}, "metadata": {"annotations": None}}),
        (deployment, {"spec": {"template": {"metadata": {"annotations": {"inference-autoscaler.io/adapter-rules": "x"}}}}}),
    ):
        code, answer = as_operator.request("PATCH", path, change, query=[("dryRun", "All")] if path == deployment else (), content=MERGE)
        assert code == 200, answer


@pytest.mark.parametrize("operator", [("--tenant-monitor-namespaces", "*")], indirect=True)
def test_nothing_is_in_the_operators_way(cluster, as_operator, operator, target):  # noqa: F811
    """Children are made, mended, moved and deleted; what somebody took off them comes back."""
    autoscaler = Autoscaler(cluster, target).create()
    autoscaler.waits_for_children()
    eventually(lambda: "BEGIN inference-autoscaler" in adapter_configmap(cluster).data["config.yaml"], timeout=20)
    strip = {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
    edits = {
        "Service": {"spec": {"selector": {"app": "other"}}, **strip},
        "ServiceMonitor": {"spec": {"endpoints": [{"port": "x", "basicAuth": {"username": SECRET}}], "jobLabel": "x"}, **strip},
        "HorizontalPodAutoscaler": {"spec": {"maxReplicas": 9}, **strip},
    }
    for kind, edit in edits.items():
        wanted = autoscaler.child(kind)
        assert cluster.request("PATCH", autoscaler.child_path(kind), edit, content=MERGE)[0] == 200

        def mended(kind=kind, wanted=wanted):
            now = autoscaler.child(kind)
            return now["metadata"]["labels"] == wanted["metadata"]["labels"] and all(
                now["spec"].get(key) == value for key, value in wanted["spec"].items())

        eventually(mended, timeout=15)
    for kind in edits:
        assert cluster.request("DELETE", autoscaler.child_path(kind))[0] == 200
        eventually(lambda kind=kind: autoscaler.child(kind), timeout=15)

    autoscaler.patch({"monitor": {"namespace": "default"}})
    moved = f"{MONITORS.format('default')}/{target}.gemma"
    eventually(lambda: cluster.request("GET", moved)[0] == 200 and autoscaler.child("ServiceMonitor") is None, timeout=15)
    autoscaler.patch({"mode": "GPU"})
    eventually(lambda: autoscaler.child("Service") is None and cluster.request("GET", moved)[0] == 404, timeout=15)
    autoscaler.delete()
    eventually(lambda: autoscaler.child("HorizontalPodAutoscaler") is None, timeout=30)
    assert "ValidatingAdmissionPolicy" not in operator.log(), operator.log()


def test_others_delete_what_is_the_operators(cluster, as_operator, operator, target):  # noqa: F811
    """The policies are about the operator: a namespace goes with all of it, and so does an owner."""
    autoscaler = Autoscaler(cluster, target).create()
    autoscaler.waits_for_children()
    cluster.kubectl("delete", "namespace", target, "--wait=false")
    eventually(lambda: cluster.request("GET", autoscaler.child_path("Service"))[0] == 404, timeout=30)
    eventually(lambda: cluster.request("GET", autoscaler.child_path("HorizontalPodAutoscaler"))[0] == 404, timeout=30)
    # The fixture deletes it again.
    eventually(lambda: cluster.request("GET", f"/api/v1/namespaces/{target}")[0] == 404, timeout=60)
    cluster.core.create_namespace({"metadata": {"name": target}})


# ---- who names another namespace

CUSTOM = {"type": "Custom", "selector": {"matchLabels": {"app": "x"}}, "port": "metrics"}


def autoscaler_path(namespace, name=""):
    return f"/apis/inference-autoscaler.io/v1alpha1/namespaces/{namespace}/inferenceautoscalers{'/' if name else ''}{name}"


ABROAD = {
    "spec.monitor.namespace": lambda ns: {"monitor": {"namespace": ns}},
    "spec.gpu.exporter.namespace": lambda ns: {"gpu": {"exporter": {**CUSTOM, "namespace": ns}}},
}
HOME = {"spec.monitor.namespace": {"monitor": None}, "spec.gpu.exporter.namespace": {"gpu": None}}


@pytest.mark.parametrize("field", ABROAD)
def test_another_namespace_takes_rights_there(cluster, as_operator, as_user, namespace, field):
    tenant, platform = as_user("edit", namespace), as_user("admin", namespace)
    place = f"{namespace}-platform"
    cluster.core.create_namespace({"metadata": {"name": place}})
    name = f"{namespace}-monitors"
    cluster.kubectl("create", "clusterrole", name, "--verb=create", "--resource=servicemonitors.monitoring.coreos.com")
    try:
        spec = ABROAD[field]
        path = autoscaler_path(namespace)
        eventually(lambda: tenant.request("POST", path, smallest("probe", namespace), query=[("dryRun", "All")])[0] == 201)
        for body in (smallest("gemma", namespace, **spec(place)), smallest("gemma", namespace, **spec("none-such"))):
            code, answer = tenant.request("POST", path, body)
            assert code == 403 and f"{field} '" in answer["message"], answer
            assert "you may not create ServiceMonitors in that namespace" in answer["message"]
        assert tenant.request("POST", path, smallest("gemma", namespace, **spec(namespace)))[0] == 201

        one = autoscaler_path(namespace, "gemma")
        refused(tenant.request("PATCH", one, {"spec": spec(place)}, content=MERGE), field)
        # Who has the right may, and afterwards everybody may change the rest of it.
        user = platform.request("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})[1]["status"]["userInfo"]["username"]
        refused(platform.request("PATCH", one, {"spec": spec(place)}, content=MERGE), field)
        cluster.kubectl("-n", place, "create", "rolebinding", name, f"--clusterrole={name}", f"--user={user}")
        eventually(lambda: platform.request("PATCH", one, {"spec": spec(place)}, content=MERGE)[0] == 200)
        assert tenant.request("PATCH", one, {"spec": {"maxReplicas": 7}}, content=MERGE)[0] == 200
        assert tenant.request("PATCH", one, {"metadata": {"labels": {"a": "b"}}}, content=MERGE)[0] == 200
        # But not what is of choice there.
        more = ({"monitor": {"labels": {"a": "b"}}} if "monitor" in field
                else {"gpu": {"exporter": {"selector": {"matchLabels": {"app": "y"}}}}})
        refused(tenant.request("PATCH", one, {"spec": more}, content=MERGE), field)
        refused(tenant.request("PATCH", one, {"spec": spec("kube-system")}, content=MERGE), field)
        assert tenant.request("PATCH", one, {"spec": HOME[field]}, content=MERGE)[0] == 200
        refused(tenant.request("PATCH", one, {"spec": spec(place)}, content=MERGE), field)
        assert tenant.request("DELETE", one)[0] == 200
    finally:
        cluster.kubectl("delete", "clusterrole", name)
        cluster.core.delete_namespace(place)


def test_every_expression_is_of_the_right_type(cluster, as_operator):
    """The API server checks the types of a policy's expressions after it has taken it."""
    policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"

    def checked():
        found = cluster.request("GET", policies)[1]["items"]
        ours = [policy for policy in found if policy["metadata"]["name"].startswith("inference-autoscaler-system.")]
        assert len(ours) == 7 and all(p["status"]["observedGeneration"] == p["metadata"]["generation"] for p in ours)
        return ours

    for policy in eventually(checked):
        assert not policy["status"].get("typeChecking", {}).get("expressionWarnings"), policy["status"]
