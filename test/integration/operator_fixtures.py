"""The operator under test, and the world that users have around it: an adapter, a Prometheus, a target.

The operator runs from build/asan (IA_OPERATOR names another binary) with the rights that the chart
gives it, so that a missing right, a leak or a bad access fails the tests.
"""

import contextlib
import functools
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from conftest import CHART, GROUP, OPERATOR_TYPES, REPO, STDERR, eventually, install_crd, smallest

OPERATOR = os.environ.get("IA_OPERATOR", str(REPO / "build" / "asan" / "inference-autoscaler"))
ADAPTER = "monitoring"
USER = "system:serviceaccount:inference-autoscaler-system:inference-autoscaler"
# What the chart says of who may do what.
RIGHTS = {
    "ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}

# Somebody else's rules, with everything that a careless writer would lose.
FOREIGN = (
    "# rules of the web team\n"
    "rules:\n"
    "  - seriesQuery: 'http_requests_total{namespace!=\"\",pod!=\"\"}'   # per pod\n"
    "    resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}\n"
    '    name: {matches: "^(.*)_total", as: "${1}_per_second"}\n'
    "    metricsQuery: 'sum(rate(<<.Series>>{<<.LabelMatchers>>}[2m])) by (<<.GroupBy>>)'\n"
    "\n"
    "  # trailing thought  \n"
)


def listening_port(pid, host="127.0.0.1"):
    """The port of a process that was told to take any."""
    sockets = subprocess.run(["ss", "-Hltnp"], check=True, stdout=subprocess.PIPE, text=True).stdout
    (port,) = re.findall(rf"{re.escape(host)}:(\d+) .*pid={pid},", sockets)
    return port


class Operator:
    """A running operator: its address, its log, its end."""

    def __init__(self, kubeconfig, log, *args, env=None, stdin=None):
        self.log_path = log
        self.process = subprocess.Popen(
            [OPERATOR, "run", "--kubeconfig", str(kubeconfig), "--listen", "127.0.0.1:0", *args],
            stdin=stdin, stderr=open(log, "wb"), env=os.environ | (env or {}),
        )

    def log(self):
        return self.log_path.read_text()

    def stop(self, how=signal.SIGTERM):
        """The exit code; an orderly stop that takes longer than 15 s fails."""
        self.process.send_signal(how)
        return self.process.wait(timeout=15)

    def synced(self):
        assert self.process.poll() is None, f"the operator ended {self.process.returncode}:\n{self.log()}"
        return "caches synced" in self.log()


class Page(BaseHTTPRequestHandler):
    """A pod's port: the real vLLM page at /metrics."""

    page = (REPO / "test" / "fixtures" / "vllm-0.32.0-load.txt").read_bytes()

    def do_GET(self):
        found = self.path == "/metrics"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")  # Prometheus wants one
        self.end_headers()
        self.wfile.write(self.page if found else b"")

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def serving(handler, host="127.0.0.1", context=None):
    """The port of a server with this handler, at this address ("" = at all of this machine's); `context` is for TLS."""
    server = ThreadingHTTPServer((host, 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture(scope="session")
def engine_port():
    """A port of this machine, at all its addresses, that serves a vLLM page."""
    with serving(Page, "") as port:
        yield port


def unsigned_tls(folder):
    """A server's TLS context with a certificate that nobody signed and that names nobody."""
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=nobody", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


@pytest.fixture
def https_port(tmp_path):
    """The same behind TLS that cannot be verified."""
    with serving(Page, context=unsigned_tls(tmp_path)) as port:
        yield port


def set_status(cluster, path, status):
    code, answer = cluster.request(
        "PATCH", f"{path}/status", {"status": status}, content="application/merge-patch+json"
    )
    assert code == 200, answer


def adapter_configmap(cluster):
    return cluster.core.read_namespaced_config_map("prometheus-adapter", ADAPTER)


def is_quiet():
    """Whether nothing else works on this machine, so that nobody waits for a processor."""
    return os.getloadavg()[0] <= os.cpu_count()


def adapter_deployment(cluster):
    return cluster.request("GET", f"/apis/apps/v1/namespaces/{ADAPTER}/deployments/prometheus-adapter")[1]


def pod_template(selector, port=None):
    container = {"name": "server", "image": "nowhere/none"}
    if port:
        container["ports"] = [{"name": "http", "containerPort": port}]
    return {"metadata": {"labels": selector}, "spec": {"containers": [container]}}


def deployment(name, namespace, selector, port=None, replicas=1):
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": selector},
            "template": pod_template(selector, port),
        },
    }


def install_stack(cluster):
    """prometheus-operator's types, a Prometheus that wants release=prometheus, an adapter with foreign rules."""
    env = os.environ | {"KUBECONFIG": cluster.kubeconfig}
    subprocess.run([REPO / "hack" / "stack", "crds", *OPERATOR_TYPES], check=True, env=env, stdout=STDERR)
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ADAPTER}},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "prometheus-adapter", "namespace": ADAPTER},
            "data": {"config.yaml": FOREIGN},
        },
        deployment("prometheus-adapter", ADAPTER, {"app": "adapter"}),
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Prometheus",
            "metadata": {"name": "k8s", "namespace": ADAPTER},
            "spec": {
                "serviceMonitorSelector": {"matchLabels": {"release": "prometheus"}},
                "serviceMonitorNamespaceSelector": {},
            },
        },
    )


@pytest.fixture(scope="session")
def stack(cluster, crd):
    install_stack(cluster)


def token_of(cluster, namespace, account):
    """A token of a service account, which is made when it is missing."""
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, "namespace": namespace}})
    return cluster.kubectl("-n", namespace, "create", "token", account, "--duration=3h").stdout.strip()


def lets_get(cluster, namespace, account, where=None):
    """Lets a service account get InferenceAutoscalers in the namespace `where`; None = in all."""
    role = "get-autoscalers"
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding" if where else "ClusterRoleBinding",
        "metadata": {"name": f"{role}-{namespace}-{account}", **({"namespace": where} if where else {})},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace}],
    }
    cluster.apply({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": role},
        "rules": [{"apiGroups": [GROUP], "resources": ["inferenceautoscalers"], "verbs": ["get"]}],
    }, binding)
    return binding


@functools.cache
def reader_token(cluster):
    """A token of somebody who may see every page of the operator's."""
    lets_get(cluster, "default", "reader")
    return token_of(cluster, "default", "reader")


def asks(port, path, token=None, host="127.0.0.1", timeout=30):
    """What the operator answers at its port, (status, text), to somebody with this token."""
    request = urllib.request.Request(f"http://{host}:{port}{path}")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def explained(cluster, port, path="/explain"):
    """What the operator explains, to somebody who may see all; decoded when it is JSON."""
    status, text = asks(port, path, reader_token(cluster))
    assert status == 200, (status, text)
    return text if path.startswith("/explain.txt") else json.loads(text)


def write_kubeconfig(path, cluster, namespace, account):
    """A kubeconfig with the rights of a service account, at path."""
    token = cluster.kubectl("-n", namespace, "create", "token", account, "--duration=3h").stdout.strip()
    admin = yaml.safe_load(open(cluster.kubeconfig))
    for context in admin["contexts"]:
        context["context"]["user"] = account
    path.write_text(yaml.safe_dump(admin | {"users": [{"name": account, "user": {"token": token}}]}))
    return path


def write_operator_kubeconfig(path, cluster, helm, *args):
    """A kubeconfig with just the rights that the chart gives the operator, with these arguments of helm's, at path. The
    API server has the chart's admission policies then."""
    system = "inference-autoscaler-system"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": system}})
    version = cluster.request("GET", "/version")[1]["gitVersion"]
    rendered = helm(
        "template", "inference-autoscaler", CHART, "--no-hooks", "--namespace", system, "--kube-version", version, *args
    )
    assert rendered.returncode == 0, rendered.stderr
    objects = [o for o in yaml.safe_load_all(rendered.stdout) if o and o["kind"] in RIGHTS]
    assert objects
    cluster.apply(*objects)
    account = next(o["metadata"]["name"] for o in objects if o["kind"] == "ServiceAccount")
    return write_kubeconfig(path, cluster, system, account)


@pytest.fixture(scope="session")
def operator_kubeconfig(cluster, helm, stack, tmp_path_factory):
    return write_operator_kubeconfig(tmp_path_factory.mktemp("operator") / "kubeconfig", cluster, helm)


def forget_rules(cluster):
    """An adapter that was never given our rules, which stay otherwise; no autoscaler is left that needs them."""
    def nobody_is_left():
        code, answer = cluster.request("GET", f"/apis/{GROUP}/v1alpha1/inferenceautoscalers")
        return code == 200 and answer["items"] == []

    eventually(nobody_is_left, timeout=60)
    nothing = {"metadata": {"annotations": {"inference-autoscaler.io/adapter-rules": None}}}
    for path, patch in (
        (f"/api/v1/namespaces/{ADAPTER}/configmaps/prometheus-adapter", nothing | {"data": {"config.yaml": FOREIGN}}),
        (f"/apis/apps/v1/namespaces/{ADAPTER}/deployments/prometheus-adapter", {"spec": {"template": nothing}}),
    ):
        code, answer = cluster.request("PATCH", path, patch, content="application/merge-patch+json")
        assert code == 200, answer


@pytest.fixture
def new_adapter(cluster, stack):
    """One that was never given our rules; named before the operator that is to find it so."""
    forget_rules(cluster)


@pytest.fixture
def operator(request, operator_kubeconfig, tmp_path):
    """An operator, synced; it must end in order, without a sanitizer's report. Its parameter are further options."""
    running = Operator(operator_kubeconfig, tmp_path / "operator.log", *getattr(request, "param", ()))
    code = 0
    try:
        eventually(running.synced, timeout=20)
        yield running
    finally:
        if running.process.poll() is None:
            code = running.stop()
    assert code == 0, running.log()
    assert "Sanitizer" not in running.log(), running.log()


@pytest.fixture
def target(cluster, namespace, engine_port):
    """A Deployment 'server' with one ready pod whose port is engine_port; its namespace."""
    cluster.apply(deployment("server", namespace, {"app": "server"}, engine_port))
    make_pod_ready(cluster, namespace)
    return namespace


def address():
    """This machine's own: an EndpointSlice may not name a loopback address, no pod elsewhere has one, and to none the API
    server proxies."""
    return subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()[0]


def make_pod_ready(cluster, namespace, selector="app=server", ip="127.0.0.1"):
    """Plays the kubelet: the selected pods run at this address, which is this machine's."""
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def names():
        items = cluster.request("GET", pods, query=[("labelSelector", selector)])[1]["items"]
        return [item["metadata"]["name"] for item in items] or None

    for name in eventually(names):
        set_status(cluster, f"{pods}/{name}", {
            "phase": "Running",
            "podIP": ip,
            "podIPs": [{"ip": ip}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        })


def edit_pod(cluster, namespace):
    """A label that nobody asks for: at each change of a pod the operator looks at all anew, its page too."""
    pods = f"/api/v1/namespaces/{namespace}/pods"
    (pod,) = cluster.request("GET", pods, query=[("labelSelector", "app=server")])[1]["items"]
    edit = {"metadata": {"labels": {"edit": uuid.uuid4().hex}}}
    path = f"{pods}/{pod['metadata']['name']}"
    code, answer = cluster.request("PATCH", path, edit, content="application/merge-patch+json")
    assert code == 200, answer


class Autoscaler:
    """One InferenceAutoscaler on the server."""

    def __init__(self, cluster, namespace, name="gemma"):
        self.cluster, self.namespace, self.name, self.edits = cluster, namespace, name, 0
        self.path = f"/apis/{GROUP}/v1alpha1/namespaces/{namespace}/inferenceautoscalers/{name}"

    def create(self, **spec):
        self.cluster.apply(smallest(self.name, self.namespace, **spec))
        return self

    def get(self):
        return self.cluster.request("GET", self.path)[1]

    def patch(self, spec):
        code, answer = self.cluster.request(
            "PATCH", self.path, {"spec": spec}, content="application/merge-patch+json"
        )
        assert code == 200, answer

    def delete(self):
        code, answer = self.cluster.request("DELETE", self.path)
        assert code == 200, answer

    def condition(self, type):
        """The condition, once it speaks of the current generation."""
        found = self.get()
        for condition in found.get("status", {}).get("conditions", []):
            if condition["type"] == type and condition["observedGeneration"] == found["metadata"]["generation"]:
                return condition
        return None

    def waits_for(self, type, reason, timeout=15):
        def reached():
            condition = self.condition(type)
            assert condition and condition["reason"] == reason, condition
            return condition

        return eventually(reached, timeout=timeout)

    def edit(self):
        """A new generation, of which the operator speaks within three seconds: of how far the same one is on its way up
        it does every twenty."""
        self.edits += 1
        self.patch({"behavior": {"scaleUp": {"stabilizationWindowSeconds": self.edits}}})

    def child_path(self, kind):
        ns = self.namespace
        return {
            "Service": f"/api/v1/namespaces/{ns}/services/{self.name}-metrics",
            "ServiceMonitor": f"/apis/monitoring.coreos.com/v1/namespaces/{ns}/servicemonitors/{self.name}",
            "HorizontalPodAutoscaler": f"/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers/{self.name}",
        }[kind]

    def child(self, kind):
        code, answer = self.cluster.request("GET", self.child_path(kind))
        return answer if code == 200 else None

    def waits_for_children(self):
        for kind in ("Service", "ServiceMonitor", "HorizontalPodAutoscaler"):
            eventually(lambda kind=kind: self.child(kind), timeout=10)


def audit_writes(kubeconfig, user=USER):
    """(verb, resource, name) of each write the operator made, Leases left out, from the API server's audit log."""
    log = os.path.join(os.path.dirname(kubeconfig), "logs", "audit.log")
    writes = []
    with open(log) as lines:
        for line in lines:
            event = json.loads(line)
            if event["user"]["username"] != user or event.get("stage") != "ResponseComplete":
                continue
            reference = event.get("objectRef", {})
            if event["verb"] in {"create", "update", "patch", "delete"} and reference.get("resource") != "leases":
                writes.append((event["verb"], reference.get("resource"), reference.get("name")))
    return writes
