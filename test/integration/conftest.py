"""What the integration tests share: a real control plane, a namespace of one's own, our CRD, the tools.

A test asks for what it needs by naming the fixture:

    kubeconfig   path of a kubeconfig for a real API server (with etcd and kube-controller-manager)
    cluster      the same, with clients and kubectl
    crd          our CRD, established
    namespace    a new namespace, gone afterwards
    helm         runs helm
    render       the chart's objects, as helm renders them with --set arguments
"""

import contextlib
import functools
import json
import os
import shutil
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import pytest
import yaml
from kubernetes import client, config
from kubernetes.client.rest import ApiException

REPO = Path(__file__).resolve().parents[2]
CRD_FILE = REPO / "crds" / "inferenceautoscalers.yaml"
CHART = REPO / "config" / "helm" / "inference-autoscaler"
SAMPLES = REPO / "config" / "samples"

GROUP = "inference-autoscaler.io"
VERSION = "v1alpha1"
PLURAL = "inferenceautoscalers"

# The chart's release and namespace where a test does not need its own.
RELEASE, SYSTEM = "inference-autoscaler", "ia-system"
# A file descriptor: what a program tells there is no result of a benchmark's.
STDERR = 2
# The Kubernetes to test with, such as 1.29, one that hack/tools has beside today's; today's when empty.
KUBERNETES = os.environ.get("IA_TEST_KUBERNETES", "")
# The metric stack to test with: "oldest" for the oldest versions that the README names, today's when empty.
STACK = os.environ.get("IA_TEST_STACK", "")
# Of prometheus-operator there are its types alone; an option of hack/stack says whose.
OPERATOR_TYPES = ["--version", "0.85"] if STACK == "oldest" else []
# The oldest Kubernetes that the chart is for: helm takes its word for it, without a cluster.
OLDEST = ["--kube-version", "1.29.0"]
# What a newer one has beside it, by which the chart goes.
POLICIES = ["--api-versions", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy"]


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: measures time or the processor, so nothing else may run beside it")


def eventually(probe, timeout=30.0, interval=0.05):
    """The first result of probe() that is not None or False; what probe raised last when none comes in time.

    An AssertionError or an API error within probe() means "not yet".
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            result = probe()
            if result is not None and result is not False:
                return result
            failure = None
        except (AssertionError, ApiException) as error:
            failure = error
        if time.monotonic() >= deadline:
            raise TimeoutError(f"nothing came of {getattr(probe, '__name__', probe)} in {timeout} s") from failure
        time.sleep(interval)


def smallest(name="gemma", namespace="default", **spec):
    """The smallest useful InferenceAutoscaler, as in config/samples/requests.yaml, with more of a spec."""
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "InferenceAutoscaler",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"},
            "maxReplicas": 5,
            **spec,
        },
    }


def refusal(error):
    """The sentence with which the API server refused, from an ApiException."""
    return json.loads(error.body)["message"]


class Cluster:
    """A real API server: `api` is the official client, `kubectl` runs the tool, `request` is plain HTTP."""

    def __init__(self, kubeconfig, kubectl_path):
        self.kubeconfig = str(kubeconfig)
        self.api = config.new_client_from_config(self.kubeconfig)
        self.core = client.CoreV1Api(self.api)
        self.custom = client.CustomObjectsApi(self.api)
        self.extensions = client.ApiextensionsV1Api(self.api)
        self._kubectl = str(kubectl_path)

    def kubectl(self, *args, stdin=None, check=True):
        done = subprocess.run(
            [self._kubectl, "--kubeconfig", self.kubeconfig, *args],
            input=stdin, capture_output=True, text=True, timeout=60,
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(args)}: {done.stderr}"
        return done

    def apply(self, *objects):
        """Server-side apply, as the user of the kubeconfig; a kept control plane may hold an earlier run's values."""
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def request(self, method, path, body=None, query=(), accept="application/json", content="application/json"):
        """One request, answered by (status code, decoded body); errors are answers too."""
        try:
            answer = self.api.call_api(
                path, method, query_params=list(query), body=body, auth_settings=["BearerToken"],
                header_params={"Accept": accept, "Content-Type": content},
                _return_http_data_only=True, _preload_content=False,
            )
        except ApiException as error:
            answer = error
        text = answer.data if hasattr(answer, "data") else answer.body
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text


def has_policies(cluster):
    """Whether the API server has ValidatingAdmissionPolicies; Kubernetes 1.29 does not."""
    known = cluster.request("GET", "/apis/admissionregistration.k8s.io/v1")[1]["resources"]
    return "validatingadmissionpolicies" in {resource["name"] for resource in known}


def install_crd(cluster, crd):
    """Creates or updates a CRD and waits until the API server serves it."""
    cluster.apply(crd)
    name = crd["metadata"]["name"]

    def established():
        conditions = cluster.extensions.read_custom_resource_definition(name).status.conditions or []
        return {"Established": "True"}.items() <= {c.type: c.status for c in conditions}.items()

    eventually(established)
    version = crd["spec"]["versions"][0]["name"]
    path = f"/apis/{crd['spec']['group']}/{version}/{crd['spec']['names']['plural']}"
    eventually(lambda: cluster.request("GET", path)[0] == 200)


def install_our_crd(cluster):
    """Our CRD, established; the decoded file."""
    decoded = yaml.safe_load(CRD_FILE.read_text())
    install_crd(cluster, decoded)
    return decoded


def tool(name):
    """Path of a pinned program of hack/tools, built if need be."""
    build = REPO / "hack" / "tools" / "build"
    subprocess.run([build, name], check=True)
    return subprocess.run([build, "--print-path", name], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def oldest_prometheus(name):
    """Path of the program 'prometheus' or 'promtool' of the oldest Prometheus that the README names."""
    run = subprocess.run([REPO / "hack" / "tools" / "debian", "prometheus"], check=True, stdout=subprocess.PIPE, text=True)
    return Path(run.stdout.strip()) / name


@pytest.fixture(scope="session")
def promtool():
    return oldest_prometheus("promtool") if STACK == "oldest" else tool("promtool")


@pytest.fixture(scope="session")
def adapter_program():
    return tool("prometheus-adapter-0.11/adapter" if STACK == "oldest" else "adapter")


@pytest.fixture(scope="module")
def prometheus_program():
    """A module that tests with a certain one has a fixture of this name."""
    return oldest_prometheus("prometheus") if STACK == "oldest" else tool("prometheus")


@contextlib.contextmanager
def control_plane(*options):
    """The kubeconfig of a control plane without nodes, which is gone afterwards; options are those of hack/cluster up."""
    cli = REPO / "hack" / "cluster"
    state = tempfile.mkdtemp(prefix="ia-test-")
    where = ["--state", state]
    try:
        version = ["--kubernetes", KUBERNETES] if KUBERNETES else []
        subprocess.run([cli, "up", "--control-plane-only", *where, *version, *options], check=True, stdout=STDERR)
        yield subprocess.run(
            [cli, "kubeconfig", *where], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
    finally:
        subprocess.run([cli, "down", *where], check=True, stdout=STDERR)
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture(scope="session")
def kubeconfig():
    """IA_TEST_KUBECONFIG names a running control plane to use; otherwise one is started, and taken down."""
    if given := os.environ.get("IA_TEST_KUBECONFIG"):
        assert Path(given).exists(), f"IA_TEST_KUBECONFIG names '{given}', which does not exist"
        yield given
        return
    with control_plane() as started:
        yield started


@pytest.fixture(scope="session")
def cluster(kubeconfig):
    made = Cluster(kubeconfig, tool(f"kubernetes-{KUBERNETES}/kubectl" if KUBERNETES else "kubectl"))
    server = made.request("GET", "/version")[1]
    assert KUBERNETES in ("", f"{server['major']}.{server['minor']}"), f"the API server is {server['gitVersion']}"
    return made


@pytest.fixture(scope="session")
def crd(cluster):
    """Our CRD as the API server has it in crds/; the decoded file."""
    return install_our_crd(cluster)


@pytest.fixture
def namespace(cluster):
    """A new namespace. It is deleted afterwards, without waiting for it to be gone."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    cluster.core.create_namespace({"metadata": {"name": name}})
    # Pods are refused until the namespace has its service account.
    eventually(lambda: cluster.core.read_namespaced_service_account("default", name))
    yield name
    cluster.core.delete_namespace(name)


def helm_runner():
    """A function that runs helm with its arguments; the finished process. A failure is the caller's to judge."""
    path = tool("helm")

    def run(*args):
        return subprocess.run([path, *map(str, args)], capture_output=True, text=True, timeout=60)

    return run


@pytest.fixture(scope="session")
def helm():
    return helm_runner()


@pytest.fixture(scope="session")
def render(helm):
    """Renders the chart with --set arguments, --set-json ones as a dictionary: the decoded objects, hooks left out."""

    @functools.cache
    def template(*args):
        done = helm("template", RELEASE, CHART, *OLDEST, *POLICIES, "--namespace", SYSTEM, *args)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(*settings, hooks=False, **values):
        args = [] if hooks else ["--no-hooks"]
        args += [a for s in settings for a in ("--set", s)]
        args += [a for name, value in values.items() for a in ("--set-json", f"{name}={json.dumps(value)}")]
        return [d for d in yaml.load_all(template(*args), Loader=yaml.CSafeLoader) if d]

    return run


def only(objects, kind):
    """The one object of a kind."""
    found = [o for o in objects if o["kind"] == kind]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]
