"""The one-node cluster that the end-to-end tests run on, as hack/demo --prepare leaves it."""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import threading
import time
import urllib.parse

import pytest
import yaml
from kubernetes import client, config, dynamic
from kubernetes.utils.quantity import parse_quantity

ROOT = pathlib.Path(__file__).parents[2]
# On every namespace of these tests, so that only those are ever removed as what an interrupted run left.
LABEL = {"app.kubernetes.io/part-of": "inference-autoscaler-e2e"}
AUTOSCALER = ("inference-autoscaler.io/v1alpha1", "InferenceAutoscaler")
HPA = ("autoscaling/v2", "HorizontalPodAutoscaler")
RULES = ("v1", "ConfigMap", "prometheus-adapter", "monitoring")
ADAPTER = ("apps/v1", "Deployment", "prometheus-adapter", "monitoring")
# The cluster has no metric stack: the operator itself serves the metrics API (hack/demo --direct).
DIRECT = bool(os.environ.get("IA_DIRECT"))
PROMETHEUS = ("monitoring.coreos.com/v1", "Prometheus", "prometheus-kube-prometheus-prometheus", "monitoring")


def run(*command, stdin=None):
    """Runs a program of the tree; its output is the failure's text."""
    done = subprocess.run(command, cwd=ROOT, input=stdin, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, f"'{' '.join(command)}' ended {done.returncode}:\n{done.stdout[-6000:]}"
    return done.stdout


def has_metric_stack():
    kubeconfig = run("hack/cluster", "kubeconfig").strip()
    asked = subprocess.run(["kubectl", "--kubeconfig", kubeconfig, "get", "crd", "prometheuses.monitoring.coreos.com"],
                           capture_output=True, text=True)
    assert asked.returncode == 0 or "NotFound" in asked.stderr, asked.stderr
    return asked.returncode == 0


@pytest.fixture(scope="session")
def cluster():
    """KUBECONFIG of a node with the operator, and the metric stack unless DIRECT; taken down unless it was up before, or IA_KEEP is set.
    IA_TEST_KUBECONFIG names one that is prepared already, and stays as it is."""
    # A kubectl of another version may be on the path.
    os.environ["PATH"] = run("hack/tools/build", "--print-folder", "kubernetes").strip() + os.pathsep + os.environ["PATH"]
    if prepared := os.environ.get("IA_TEST_KUBECONFIG"):
        os.environ["KUBECONFIG"] = prepared
        yield prepared
        return
    kept = subprocess.run(["hack/cluster", "status"], cwd=ROOT, capture_output=True).returncode == 0
    if kept and has_metric_stack() == DIRECT:  # made for the other suites
        run("hack/cluster", "down")
        kept = False
    try:
        run("hack/demo", "--prepare", *(["--direct"] if DIRECT else []))
        kubeconfig = run("hack/cluster", "kubeconfig").strip()
        os.environ["KUBECONFIG"] = kubeconfig
        clear_earlier_runs()
        yield kubeconfig
    finally:
        if not kept and not os.environ.get("IA_KEEP"):
            run("hack/cluster", "down")


def clear_earlier_runs():
    """An interrupted run leaves its namespaces, and their autoscalers in what all share."""
    label = ",".join("=".join(pair) for pair in LABEL.items())
    run("kubectl", "delete", "namespaces", "-l", label, "--timeout=180s")


class Kube:
    """What the tests ask of a cluster, by kind and name."""

    def __init__(self, kubeconfig):
        self.api = config.new_client_from_config(kubeconfig)
        self.core = client.CoreV1Api(self.api)
        self.dynamic = dynamic.DynamicClient(self.api)

    def resource(self, api_version, kind):
        return self.dynamic.resources.get(api_version=api_version, kind=kind)

    def get(self, api_version, kind, name, namespace=None):
        """The object as a dictionary, or None when it is absent."""
        try:
            return self.resource(api_version, kind).get(name=name, namespace=namespace).to_dict()
        except client.exceptions.ApiException as error:
            if error.status == 404:
                return None
            raise

    def list(self, api_version, kind, namespace=None):
        return self.resource(api_version, kind).get(namespace=namespace).to_dict()["items"]

    def apply(self, wanted):
        """Server-side apply of a manifest's text, or of a list of objects."""
        text = wanted if isinstance(wanted, str) else yaml.safe_dump_all(wanted)
        run("kubectl", "apply", "--server-side", "-f", "-", stdin=text)

    def patch(self, api_version, kind, name, namespace, body):
        self.resource(api_version, kind).patch(name=name, namespace=namespace, body=body,
                                               content_type="application/merge-patch+json")

    def delete(self, api_version, kind, name, namespace):
        self.resource(api_version, kind).delete(name=name, namespace=namespace)

    def pods(self, namespace, selector):
        """Those that are not on their way out."""
        found = self.core.list_namespaced_pod(namespace, label_selector=selector).items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    @staticmethod
    def is_ready(pod):
        return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or [])

    def ask(self, path, body=None):
        """GETs a path of the API server, or POSTs the body; the answer's text, or None for 404, 502 and 503."""
        headers = {"Accept": "*/*", "Content-Type": "application/json"}
        try:
            answer = self.api.call_api(path, "GET" if body is None else "POST", body=body, header_params=headers,
                                       auth_settings=["BearerToken"], _preload_content=False,
                                       _return_http_data_only=True)
        except client.exceptions.ApiException as error:
            if error.status in (404, 502, 503):
                return None
            raise
        return answer.data.decode()

    def ask_pod(self, namespace, name, port, path, body=None):
        return self.ask(f"/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy{path}", body)

    def ask_prometheus(self, path):
        return self.ask("/api/v1/namespaces/monitoring/services/prometheus-kube-prometheus-prometheus:http-web/proxy" + path)

    def prometheus(self, query):
        """The result of an instant query; None while Prometheus does not answer."""
        answer = self.ask_prometheus(f"/api/v1/query?query={urllib.parse.quote(query)}")
        return answer and json.loads(answer)["data"]["result"]

    def metric(self, namespace, metric, selector):
        """What the metrics API says, for each pod: the same question that the HorizontalPodAutoscaler asks."""
        answer = self.ask(f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{namespace}/pods/*/{metric}"
                          f"?labelSelector={urllib.parse.quote(selector)}")
        found = json.loads(answer)["items"] if answer else []
        return {item["describedObject"]["name"]: parse_quantity(item["value"]) for item in found}

    def conditions(self, api_version, kind, name, namespace):
        found = self.get(api_version, kind, name, namespace) or {}
        return {c["type"]: c for c in found.get("status", {}).get("conditions") or []}

    def rules(self):
        """The text of the adapter's configuration."""
        return self.get(*RULES)["data"]["config.yaml"]

    def foreign_rules(self):
        """The same without our block, which stays once it was written."""
        return re.sub(r"(?ms)^ *# BEGIN inference-autoscaler.*?^ *# END inference-autoscaler\n", "", self.rules())

    def clear(self, *namespaces):
        """Removes what an interrupted run left."""
        left = [name for name in namespaces if self.get("v1", "Namespace", name)]
        for name in left:
            self.delete("v1", "Namespace", name, None)
        for name in left:
            eventually(f"namespace '{name}' is gone", lambda: self.get("v1", "Namespace", name) is None, 120)

    @contextlib.contextmanager
    def namespace(self, name):
        """A namespace for the time of a test file; only pods of the PodSecurity level restricted run in it."""
        self.clear(name)
        self.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": name, "labels": LABEL | {"pod-security.kubernetes.io/enforce": "restricted"}}}])
        try:
            yield name
        finally:
            # First of all, so that what they share goes at once and not when the last pod is gone.
            run("kubectl", "-n", name, "delete", "inferenceautoscalers", "--all", "--wait=false")
            self.delete("v1", "Namespace", name, None)

    @contextlib.contextmanager
    def watching(self, namespace, what, path):
        """A list that fills with each value that the JSON path of an object takes, in order."""
        command = ["kubectl", "-n", namespace, "get", what, "--watch", "-o", "jsonpath=" + path + "{'\\n'}"]
        process = subprocess.Popen(command, text=True, stdout=subprocess.PIPE)
        seen = []

        def read():
            for line in process.stdout:
                seen.append(line.strip())

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield seen
        finally:
            process.terminate()
            process.wait()
            reader.join()


@pytest.fixture(scope="session")
def kube(cluster):
    return Kube(cluster)


@pytest.fixture(scope="session")
def image():
    """The stand-in's, of this tree."""
    return f"localhost/vllm-standin:{run('hack/image', '--version').strip()}"


@pytest.fixture(scope="session")
def manifest(image):
    """Reads a manifest of the demo, with this tree's images in it."""

    def read(name):
        return (ROOT / "hack/demo.d" / name).read_text().replace("localhost/vllm-standin:VERSION", image)

    return read


def eventually(what, probe, seconds, period=0.5):
    """Asks until the answer is true, or fails with the last answer; returns the answer and the seconds it took."""
    start = time.monotonic()
    while True:
        answer = probe()
        took = time.monotonic() - start
        if answer:
            return answer, took
        if took > seconds:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(period)


def eventually_is(what, probe, wanted, seconds):
    """Asks until the answer is this one, or fails and shows the last."""
    last = []

    def is_wanted():
        last[:] = [probe()]
        return last[0] == wanted

    try:
        eventually(what, is_wanted, seconds)
    except pytest.fail.Exception as failure:
        pytest.fail(f"{failure}: {last[0]}, not {wanted}")
