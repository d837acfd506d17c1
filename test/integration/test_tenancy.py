"""Tenants on a real API server: who may write InferenceAutoscalers in one namespace changes nothing in another.

Each attack is written by a user with the role `edit` in team-a alone, who may also write monitoring's objects there: a
spec, an object, or a request elsewhere. The API server refuses it, or the operator does, or it is harmless; either way
afterwards is what was before: the objects of team-b and of the platform, what team-b's autoscaler says, the adapter's
restarts, and how soon /healthz answers. By the audit log the operator has written nothing but what is its own.
"""

import json
import os
import time
import uuid

import pytest
import yaml
from conftest import Cluster, eventually, has_policies, smallest, tool
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    USER,
    Autoscaler,
    Operator,
    adapter_deployment,
    asks,
    deployment,
    engine_port,
    is_quiet,
    listening_port,
    make_pod_ready,
    operator_kubeconfig,
    pod_template,
    stack,
    write_kubeconfig,
)

MERGE = "application/merge-patch+json"
RESOURCE = "/apis/inference-autoscaler.io/v1alpha1/namespaces/{}/inferenceautoscalers"
# What is compared: in namespaces, and in none.
MONITORING = "/apis/monitoring.coreos.com/v1"
KINDS = (
    "/api/v1/services", "/api/v1/configmaps", "/apis/apps/v1/deployments", "/apis/apps/v1/daemonsets",
    "/apis/autoscaling/v2/horizontalpodautoscalers", f"{MONITORING}/servicemonitors", f"{MONITORING}/prometheusrules",
    f"{MONITORING}/prometheuses", "/apis/inference-autoscaler.io/v1alpha1/inferenceautoscalers",
)
RBAC = "/apis/rbac.authorization.k8s.io/v1"
CLUSTER_KINDS = (
    "/apis/apiregistration.k8s.io/v1/apiservices", f"{RBAC}/clusterroles", f"{RBAC}/clusterrolebindings",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
)
CUSTOM = {"type": "Custom", "selector": {"matchLabels": {"app": "server"}}, "port": "http"}
TRACKED = {"app.kubernetes.io/instance": "argo-app"}


def exporter(**more):
    return {"mode": "GPU", "gpu": {"exporter": {**CUSTOM, **more}}}


def own_engine(series, **more):
    return {"engine": {"type": "Custom", "signals": [{"name": "Waiting", "series": series, **more}]},
            "requests": {"signal": "Waiting", "target": 2}}


def moved(namespace, **labels):
    return {"monitor": {"namespace": namespace, **({"labels": labels} if labels else {})}}


# {victim} and {adapter} are other namespaces; the second is whether the API server takes it, and NOBODY that it does and the
# operator does not look at it.
NOBODY = "nobody's"
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
    "labels without end": ({"monitor": {"labels": {f"a{i}": "b" for i in range(17)}}}, False),
    "a label's value with a template": ({"monitor": {"labels": {"a": "{{ .Release }}"}}}, False),
    "a namespace in capitals": (moved("Kube-System"), False),
    "an exporter's port by a path": (exporter(namespace="{mine}", port="../9400"), False),
    "an exporter at home that is not there": (exporter(namespace="{mine}"), True),
    "an exporter of two kinds": ({"mode": "GPU", "gpu": {"exporter": {**CUSTOM, "type": "GKE", "namespace": "{victim}"}}}, False),
    "a target of GPUs beyond all": ({"mode": "GPU", "gpu": {"target": 101}}, False),
    "both signals of one who has none": ({"mode": "Combined"}, True),
    "samples of another namespace": (own_engine('up{namespace="{victim}"}'), False),
    "samples of another pod": (own_engine('queued{pod="victim-0"}'), False),
    "samples of any name": (own_engine('{__name__=~".+"}'), False),
    "samples by an expression": (own_engine('queued} or vector(1) or up{a="b"'), False),
    "samples by a template": (own_engine("<<.Series>>"), False),
    "samples that are the GPUs'": (own_engine("DCGM_FI_DEV_GPU_UTIL"), False),
    "samples that are what is recorded of the GPUs": (own_engine("inference_autoscaler:gpu_utilization:percent"), False),
    "samples that alerts are made of": (own_engine('kube_pod_status_ready{condition="true"}'), False),
    "samples that say whether a target is up": (own_engine('up{a=""}'), False),
    "samples of one's own": (own_engine('queued{model="up"}'), True),
    "a list of targets with an expression": ({"requests": {"signals": [{"signal": "Running", "target": '1"}) or vector(1)'}]}}, False),
    "a list of signals without end": (
        {"requests": {"signals": [{"signal": s, "target": 1} for s in ("Running", "Waiting", "InFlight", "KVCache", "Running")]}}, False),
    "TLS to a port of the kubelet": ({"engine": {"scheme": "https", "port": 10250}}, True),
    "another scheme": ({"engine": {"scheme": "file"}}, False),
    "no replicas at all": ({"minReplicas": 0}, False),
    "a floor above all": ({"fallback": {"replicas": 2147483647}}, False),
    "a floor at once": ({"fallback": {"replicas": 2, "after": "1s"}}, False),
    "steps as large as can be": ({"behavior": {"scaleUp": {"policies": [
        {"type": "Percent", "value": 2147483647, "periodSeconds": 1}]}}}, True),
    "another release's class": ({"operatorClass": "inference-autoscaler"}, NOBODY),
    "a class by a path": ({"operatorClass": "../{victim}"}, False),
    "the metrics API that nobody serves": ({"source": "Direct"}, True),
    "what is paused": ({"paused": True}, True),
}

OURS = {"app.kubernetes.io/managed-by": "inference-autoscaler"}
VICTIMS = {**OURS, "inference-autoscaler.io/autoscaler": "victim"}
ABROAD = {**VICTIMS, "inference-autoscaler.io/autoscaler-namespace": "{victim}"}
DCGM = {"app": "nvidia-dcgm-exporter", "app.kubernetes.io/name": "dcgm-exporter"}
RULES = {"inference-autoscaler.io/adapter-rules": "0123456789abcdef"}
EXPORTER_PORT = [{"name": "gpu-metrics", "port": 9400}]


def thing(api, kind, name, labels=None, annotations=None, **rest):
    meta = {"name": name, "labels": labels or {}, "annotations": annotations or {}}
    return {"apiVersion": api, "kind": kind, "metadata": meta, **rest}


def autoscaler(name="attack", **spec):
    """One whose target is nobody's, so that the tenant's own is the only one that works."""
    return smallest(name, "{mine}", **{"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"}, **spec})


def service(name, labels=None, annotations=None, ports=None, **spec):
    return thing("v1", "Service", name, labels, annotations, spec={"ports": ports or [{"name": "http", "port": 80}], **spec})


def monitoring(kind, name, labels=None, annotations=None, version="v1", **spec):
    return thing(f"monitoring.coreos.com/{version}", kind, name, labels, annotations, spec=spec)


def workload(kind, name, labels, annotations=None, args=(), **more):
    template = pod_template(labels)
    template["metadata"]["annotations"] = annotations or {}
    template["spec"]["containers"][0]["args"] = list(args)
    return thing("apps/v1", kind, name, labels, annotations,
                 spec={"selector": {"matchLabels": labels}, "template": template, **more})


def hpa(name, target, labels=None):
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", name, labels, spec={
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}, "maxReplicas": 3})


ANY = {"serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}, "ruleSelector": {}, "ruleNamespaceSelector": {},
       "podMonitorSelector": {}}
ENDPOINT = [{"port": "http", "interval": "1s"}]
RECORDED = [{"name": "g", "rules": [{"record": "gpu_utilization_percent", "expr": "vector(100)"}]}]
ADAPTER_ARGS = ["--prometheus-url=http://prom.example", "--config=/etc/adapter/config.yaml", "--metrics-relist-interval=30s"]

# What a tenant makes at home, all of a row one after the other.
OBJECTS = {
    "an autoscaler of another's name": [autoscaler("victim")],
    "an autoscaler that says it is elsewhere": [
        {**autoscaler(), "metadata": {"name": "attack", "labels": ABROAD, "annotations": {"inference-autoscaler.io/applied": "x"}}}],
    "an autoscaler with a status": [{**autoscaler(), "status": {"children": [
        {"kind": "HorizontalPodAutoscaler", "namespace": "{victim}", "name": "victim"}]}}],
    "an autoscaler with all the annotations that it may": [
        {**autoscaler(), "metadata": {"name": "attack", "annotations": {f"a.example/{i}": "x" * 4000 for i in range(60)}}}],
    "an autoscaler that is another's owner": [
        {**autoscaler(), "metadata": {"name": "attack", "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "Deployment", "name": "victim", "uid": "00000000-0000-0000-0000-000000000000"}]}}],
    "a flood of autoscalers": [autoscaler(f"flood-{i}") for i in range(40)],
    "a Service that is called ours": [service("attack", VICTIMS)],
    "a Service that is called another namespace's": [service("attack", ABROAD)],
    "a Service of the shared ones": [service("inference-autoscaler-gpu", {**OURS, "inference-autoscaler.io/shared": "gpu"})],
    "a Service of another's child's name": [service("victim-metrics", VICTIMS, {"inference-autoscaler.io/applied": "x"})],
    "a Service like an exporter's": [service("nvidia-dcgm-exporter", DCGM, ports=EXPORTER_PORT, selector={"app": "server"})],
    "a Service that leads elsewhere": [service("elsewhere", {"app": "server"}, type="ExternalName", externalName="server.{victim}.svc")],
    "a Service like Prometheus'": [service("prometheus-operated", {"operated-prometheus": "true"}, selector={"app": "server"},
                                           ports=[{"name": "web", "port": 9090}])],
    "a DaemonSet like an exporter's": [workload("DaemonSet", "nvidia-dcgm-exporter", DCGM)],
    "a Deployment like the adapter": [workload("Deployment", "prometheus-adapter", {"app": "adapter"}, args=ADAPTER_ARGS, replicas=0)],
    "a Deployment with the adapter's mark": [workload("Deployment", "marked", {"app": "marked"}, RULES, ADAPTER_ARGS, replicas=0)],
    "a ReplicaSet with our labels": [workload("ReplicaSet", "attack", {**VICTIMS, "app": "server-too"}, replicas=0)],
    "a ReplicaSet of the victim's pods": [workload("ReplicaSet", "victim", {"app": "server", "of": "attack"}, replicas=1)],
    "a StatefulSet of the victim's name": [workload("StatefulSet", "victim", {"app": "set"}, serviceName="x", replicas=0)],
    "pods like an exporter's": [thing("v1", "Pod", f"dcgm-{i}", DCGM, spec=pod_template({})["spec"]) for i in range(5)],
    "a pod with many ports": [thing("v1", "Pod", "ports", {"app": "server"}, spec={"containers": [
        {"name": "c", "image": "nowhere/none", "ports": [{"containerPort": 1000 + i} for i in range(300)]}]})],
    "a ConfigMap like the adapter's": [thing("v1", "ConfigMap", "prometheus-adapter", OURS, RULES, data={"config.yaml": "rules: []"})],
    "a ConfigMap as large as may be": [thing("v1", "ConfigMap", "prometheus-adapter", None, RULES, data={"config.yaml": "#" * 900000})],
    "a Secret of the operator's name": [thing("v1", "Secret", "inference-autoscaler", OURS, stringData={"token": "x"})],
    "a ServiceMonitor that is called ours": [monitoring("ServiceMonitor", "attack", VICTIMS, selector={}, endpoints=ENDPOINT)],
    "a ServiceMonitor that is called another namespace's": [monitoring("ServiceMonitor", "attack", ABROAD, selector={}, endpoints=ENDPOINT)],
    "a ServiceMonitor of the shared ones": [monitoring(
        "ServiceMonitor", "inference-autoscaler-gpu", {**OURS, "inference-autoscaler.io/shared": "gpu"}, selector={}, endpoints=ENDPOINT)],
    "a ServiceMonitor of the victim's pods": [monitoring(
        "ServiceMonitor", "attack", {"release": "prometheus"}, selector={}, namespaceSelector={"any": True}, endpoints=ENDPOINT)],
    "a rule of the shared one's name": [monitoring(
        "PrometheusRule", "inference-autoscaler-gpu", {**OURS, "inference-autoscaler.io/shared": "gpu", "release": "prometheus"},
        {"inference-autoscaler.io/exporters": "{victim}/server"}, groups=RECORDED)],
    "a rule that records the figure of the GPUs": [monitoring("PrometheusRule", "attack", {"release": "prometheus"}, groups=RECORDED)],
    "a Prometheus that selects all": [monitoring("Prometheus", "attack", **ANY)],
    "a Prometheus that wants a label of all": [
        monitoring("Prometheus", "attack", **{**ANY, "serviceMonitorSelector": {"matchLabels": TRACKED}, "ruleSelector": {"matchLabels": TRACKED}})],
    "a PrometheusAgent that wants a label of all": [
        monitoring("PrometheusAgent", "attack", version="v1alpha1", **{**ANY, "serviceMonitorSelector": {"matchLabels": TRACKED}})],
    "a Prometheus that wants no label of the platform's": [monitoring("Prometheus", "attack", **{
        **ANY, "serviceMonitorSelector": {"matchExpressions": [{"key": "release", "operator": "DoesNotExist"}]}})],
    "a Prometheus of the platform's name": [monitoring("Prometheus", "k8s", **ANY, paused=True)],
    "a PrometheusAgent that selects all": [monitoring("PrometheusAgent", "attack", version="v1alpha1", **ANY)],
    "a flood of Prometheuses": [monitoring("Prometheus", f"flood-{i}", **ANY, replicas=0) for i in range(30)],
    "an HPA that is called ours": [hpa("attack", "none", VICTIMS)],
    "an HPA that is called another namespace's": [hpa("victim", "victim", ABROAD)],
}

# What a tenant asks of others' objects, and is refused: (verb, path, body).
RIGHTS_PATH = "/apis/rbac.authorization.k8s.io/v1/namespaces/{mine}/rolebindings"
REQUESTS = {
    "the operator's Lease": ("PATCH", "/apis/coordination.k8s.io/v1/namespaces/inference-autoscaler-system/leases/inference-autoscaler",
                             {"spec": {"holderIdentity": "me"}}),
    "the adapter's ConfigMap": ("PATCH", "/api/v1/namespaces/{adapter}/configmaps/prometheus-adapter", {"data": {"config.yaml": ""}}),
    "the adapter's Deployment": ("PATCH", "/apis/apps/v1/namespaces/{adapter}/deployments/prometheus-adapter", {"spec": {"paused": True}}),
    "another's HPA": ("DELETE", "/apis/autoscaling/v2/namespaces/{victim}/horizontalpodautoscalers/victim", None),
    "another's ServiceMonitor": ("PATCH", "/apis/monitoring.coreos.com/v1/namespaces/{victim}/servicemonitors/victim", {"spec": {}}),
    "another's pods": ("GET", "/api/v1/namespaces/{victim}/pods", None),
    "all autoscalers": ("GET", "/apis/inference-autoscaler.io/v1alpha1/inferenceautoscalers", None),
    "a status of one's own": ("PATCH", "/apis/inference-autoscaler.io/v1alpha1/namespaces/{mine}/inferenceautoscalers/canary/status",
                              {"status": {"children": []}}),
    "the resource itself": ("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/inferenceautoscalers.inference-autoscaler.io", None),
    "the registration of the metrics API": ("POST", "/apis/apiregistration.k8s.io/v1/apiservices", {
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": {"name": "v1beta1.custom.metrics.k8s.io"},
        "spec": {"group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 1, "versionPriority": 1}}),
    "the policies": ("DELETE", "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies", None),
    "a label of one's namespace": ("PATCH", "/api/v1/namespaces/{mine}", {"metadata": {"labels": {"monitored": "x"}}}),
    "the operator's rights at home": ("POST", RIGHTS_PATH, {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "x"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "inference-autoscaler-system:inference-autoscaler"}}),
    "a token of the operator's": ("POST", "/api/v1/namespaces/inference-autoscaler-system/serviceaccounts/inference-autoscaler/token",
                                  {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}),
}


def filled(value, **places):
    """The value with its places written in, wherever a text has one."""
    if isinstance(value, str):
        for name, place in places.items():
            value = value.replace("{" + name + "}", place)
        return value
    if isinstance(value, dict):
        return {filled(key, **places): filled(inner, **places) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, **places) for inner in value]
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
    cluster.kubectl("-n", team_a, "create", "role", "monitoring", "--verb=*",
                    *(f"--resource={kind}.monitoring.coreos.com" for kind in (
                        "servicemonitors", "prometheusrules", "prometheuses", "prometheusagents")))
    cluster.kubectl("-n", team_a, "create", "rolebinding", "monitoring", "--role=monitoring",
                    f"--serviceaccount={team_a}:{user.name}")
    # The rights that the chart adds to `edit` come a moment later, and so do the policies.
    body = smallest("probe", team_a, monitor={"namespace": "kube-system"})
    eventually(lambda: "you may not create ServiceMonitors" in str(
        user.request("POST", RESOURCE.format(team_a), body, query=[("dryRun", "All")])[1]), timeout=30)
    return user


def state(cluster, *namespaces):
    """Of each object outside, what tells that somebody wrote it; statuses aside, which say what pods do."""
    found = {}
    for path in (*KINDS, *CLUSTER_KINDS):
        code, answer = cluster.request("GET", path)
        assert code == 200, answer
        for one in answer["items"]:
            meta = one["metadata"]
            if path in CLUSTER_KINDS or meta["namespace"] in namespaces:
                found[path, meta.get("namespace"), meta["name"]] = (
                    meta["uid"], meta.get("generation"), meta.get("labels"), meta.get("annotations"),
                    *(one.get(part) for part in ("spec", "data", "rules", "subjects")))
    return found


# Of an operator on a machine with nothing else to do; where others build or test, an answer waits for a processor.
HEALTHY_S, LATE_S = 0.1, 1


class Guard:
    """An operator with a victim that is settled and the tenant's canary; what was before an attack must be after it."""

    def __init__(self, cluster, operator, tenant, mine, victim):  # noqa: F811
        self.cluster, self.tenant, self.mine, self.victim = cluster, tenant, mine, victim
        self.port = listening_port(operator.process.pid)
        self.operator, self.edits = operator, 0
        self.places = {"mine": mine, "victim": victim, "adapter": ADAPTER}
        self.neighbour = Autoscaler(cluster, victim, "victim")
        self.neighbour.waits_for_children()
        # There is no Prometheus to reach: so far the chain goes, and there it stays.
        self.neighbour.waits_for("ScrapeHealthy", "PrometheusNotReachable", timeout=60)
        self.canary = Autoscaler(cluster, mine, "canary").create()
        self.canary.waits_for_children()
        time.sleep(1)  # of two that were made in one second the first by name has the target
        self.wait_seen()
        with open(self.audit_log()) as lines:
            self.audited = sum(len(line.encode()) for line in lines)
        self.begin()

    def audit_log(self):
        return os.path.join(os.path.dirname(self.cluster.kubeconfig), "logs", "audit.log")

    def figures(self):
        """What the victim's autoscaler says, and the adapter's restarts."""
        conditions = self.neighbour.get()["status"]["conditions"]
        said = sorted((c["type"], c["status"], c["reason"], c["message"]) for c in conditions)
        return said, self.neighbour.child("HorizontalPodAutoscaler")["spec"], adapter_deployment(self.cluster)["metadata"]["generation"]

    def slowest(self, times=10):
        worst = 0
        for _ in range(times):
            start = time.monotonic()
            assert asks(self.port, "/healthz")[0] == 200
            worst = max(worst, time.monotonic() - start)
        return worst

    def outside(self):
        return state(self.cluster, self.victim, "kube-system", "default", ADAPTER)

    def begin(self):
        self.before, self.said = self.outside(), self.figures()

    def wait_seen(self):
        """Until the operator has worked at something that came after the attack."""
        self.edits += 1
        wanted = 5 + self.edits % 40
        self.canary.patch({"maxReplicas": wanted})
        eventually(lambda: self.canary.child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == wanted, timeout=60)

    def writes(self):
        """(namespace, resource, name) of what the operator wrote since this was asked last, Events and Leases left out."""
        found = []
        with open(self.audit_log(), "rb") as log:
            log.seek(self.audited)
            new = log.read()
        whole = new[:new.rfind(b"\n") + 1]
        self.audited += len(whole)
        for line in whole.splitlines():
            event = json.loads(line)
            of = event.get("objectRef", {})
            if event["user"]["username"] == USER and event["verb"] in ("create", "update", "patch", "delete") and of.get(
                    "resource") not in ("leases", "events", "tokenreviews", "subjectaccessreviews"):
                found.append((of.get("namespace"), of.get("resource"), of.get("name")))
        return found

    def check(self, attack):
        """Nothing moved outside; what the operator wrote is the tenant's own, or the tenant's status."""
        slowest = self.slowest(20)
        self.wait_seen()
        assert self.operator.process.poll() is None, attack
        assert self.outside() == self.before, attack
        eventually(lambda: self.figures() == self.said, timeout=30)
        foreign = [one for one in self.writes() if one[0] != self.mine]
        assert not foreign, (attack, foreign)
        assert slowest <= (HEALTHY_S if is_quiet() else LATE_S), f"{attack}: /healthz took {slowest:.3f} s"


@pytest.fixture(scope="module")
def guard(cluster, operator_kubeconfig, tenant, team_a, victim, tmp_path_factory):  # noqa: F811
    def are_others_gone():
        """The autoscalers of tests before this, whose namespaces go in their own time: they would be written to."""
        found = cluster.kubectl("get", "inferenceautoscalers", "-A", "-o", "jsonpath={.items[*].metadata.namespace}").stdout
        return set(found.split()) <= {team_a, victim}

    eventually(are_others_gone, timeout=60)
    running = Operator(operator_kubeconfig, tmp_path_factory.mktemp("operator") / "operator.log")
    try:
        eventually(running.synced, timeout=20)
        yield Guard(cluster, running, tenant, team_a, victim)
    finally:
        code = running.stop() if running.process.poll() is None else running.process.returncode
    assert code == 0 and "Sanitizer" not in running.log(), running.log()


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_spec_reaches_no_other_namespace(guard, attack):
    spec, taken = ATTACKS[attack]
    path = RESOURCE.format(guard.mine)
    code, answer = guard.tenant.request("POST", path, smallest("attack", guard.mine, **filled(spec, **guard.places)))
    assert (code == 201) == bool(taken) and code in (201, 403, 422), answer
    if taken:
        if taken != NOBODY:
            eventually(lambda: Autoscaler(guard.cluster, guard.mine, "attack").condition("Ready"), timeout=60)
        assert guard.tenant.request("DELETE", f"{path}/attack")[0] == 200
    guard.check(attack)


@pytest.fixture(scope="module")
def edited(guard):
    """One of the tenant's that is harmless until it is edited."""
    path = RESOURCE.format(guard.mine)
    body = smallest("edited", guard.mine, scaleTargetRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "none"})
    code, answer = guard.tenant.request("POST", path, body)
    assert code == 201, answer
    yield Autoscaler(guard.cluster, guard.mine, "edited")
    assert guard.tenant.request("DELETE", f"{path}/edited")[0] == 200


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_edit_reaches_no_other_namespace(guard, edited, attack):
    """The same as an edit, and taken back: what is checked of a new one is checked of an old one too."""
    spec, taken = ATTACKS[attack]
    path = f"{RESOURCE.format(guard.mine)}/edited"
    before = edited.get()["spec"]
    code, answer = guard.tenant.request("PATCH", path, {"spec": filled(spec, **guard.places)}, content=MERGE)
    assert (code == 200) == bool(taken) and code in (200, 403, 422), answer
    if taken and taken != NOBODY:
        generation = answer["metadata"]["generation"]
        eventually(lambda: edited.get()["status"]["observedGeneration"] == generation, timeout=60)
    guard.check(attack)
    if taken:
        back = [{"op": "replace", "path": "/spec", "value": before}]
        code, answer = guard.tenant.request("PATCH", path, back, content="application/json-patch+json")
        assert code == 200, answer
    assert edited.get()["spec"] == before


def path_of(body, namespace):
    group = body["apiVersion"] if "/" in body["apiVersion"] else ""
    plural = body["kind"].lower() + ("es" if body["kind"].endswith("s") else "s")
    return f"/{'apis/' + group if group else 'api/v1'}/namespaces/{namespace}/{plural}"


@pytest.mark.parametrize("attack", OBJECTS)
def test_an_object_reaches_no_other_namespace(guard, attack):
    """All are the tenant's to make; the canary works on beside them, and when they are gone again."""
    bodies = filled(OBJECTS[attack], **guard.places)
    try:
        for body in bodies:
            body["metadata"]["namespace"] = guard.mine
            code, answer = guard.tenant.request("POST", path_of(body, guard.mine), body)
            assert code == 201, answer
        guard.check(attack)
    finally:
        for body in bodies:
            # What is called a child of an autoscaler that is not there is an orphan of ours, and may be gone already.
            code, answer = guard.tenant.request("DELETE", f"{path_of(body, guard.mine)}/{body['metadata']['name']}")
    assert code in (200, 202, 404), answer
    guard.check(attack)


@pytest.mark.parametrize("attack", REQUESTS)
def test_what_is_others_is_not_the_tenants(guard, attack):
    verb, path, body = REQUESTS[attack]
    code, answer = guard.tenant.request(verb, filled(path, **guard.places), filled(body, **guard.places),
                                        content=MERGE if verb == "PATCH" else "application/json")
    assert code == 403, answer
    guard.check(attack)


def test_there_are_many_attacks():
    """And as edits those of the first table once more; test_tenancy_pages.py has those of pages and of the operator's port."""
    assert len(ATTACKS) + len(OBJECTS) + len(REQUESTS) >= 110


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
