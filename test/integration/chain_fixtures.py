"""A chain that works from end to end without nodes: a real Prometheus and a real prometheus-adapter as processes
of this machine, in front of a page that the target's pod is said to serve.

    working        an InferenceAutoscaler 'gemma' that is Ready, and its running operator: working.operator; what Prometheus
                   scrapes: working.prometheus
    working_chain  the same of any spec, to be used with `with`
"""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import pytest
import yaml

from conftest import eventually, tool
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    Autoscaler,
    Operator,
    adapter_configmap,
    adapter_deployment,
    engine_port,
    forget_rules,
    make_pod_ready,
    operator_kubeconfig,
    stack,
    target,
)

API_SERVICE = "/apis/apiregistration.k8s.io/v1/apiservices"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except (urllib.error.URLError, OSError):
        return False


class Processes:
    """Programs that end with the test; what they say is in files of the folder."""

    def __init__(self, folder):
        self.folder, self.running, self.scrapes = folder, [], None

    def start(self, *args):
        log = open(self.folder / f"{Path(args[0]).name}.log", "wb")
        self.running.append(subprocess.Popen([str(a) for a in args], stdout=log, stderr=log))
        return self.running[-1]

    def stop(self):
        for process in reversed(self.running):
            process.terminate()
            process.wait(timeout=15)


class Scrapes:
    """What a running Prometheus scrapes; a list of scrape_configs."""

    def __init__(self, process, config):
        self.process, self.config = process, config

    def get(self):
        return yaml.safe_load(self.config.read_text())["scrape_configs"]

    def set(self, scrapes):
        self.config.write_text(yaml.safe_dump(yaml.safe_load(self.config.read_text()) | {"scrape_configs": scrapes}))
        self.process.send_signal(signal.SIGHUP)

    def obey(self, monitor):
        """The relabelings of a ServiceMonitor, as prometheus-operator writes them."""
        names = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
        (endpoint,) = monitor["spec"]["endpoints"]
        told = {
            written: [{names.get(key, key): value for key, value in one.items()} for one in endpoint[field]]
            for field, written in (("relabelings", "relabel_configs"), ("metricRelabelings", "metric_relabel_configs"))
        }
        self.set([scrape | told for scrape in self.get()])


def start_prometheus(processes, namespace, name, pod, port, *more, program=None):
    """As prometheus-operator would configure it for the autoscaler's ServiceMonitor; its HOST:PORT. `more` are
    arguments. What it scrapes is in processes.scrapes then. Today's Prometheus when no program is given."""
    labels = {
        "job": f"{name}-metrics", "service": f"{name}-metrics", "endpoint": "ias-metrics", "namespace": namespace,
        "pod": pod, "container": "server",
    }
    config = processes.folder / "prometheus.yml"
    config.write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{
            "job_name": f"serviceMonitor/{namespace}/{name}/0",
            "static_configs": [{"targets": [f"127.0.0.1:{port}"], "labels": labels}],
        }],
    }))
    listen = free_port()
    process = processes.start(
        program or tool("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={processes.folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{listen}", *more,
    )
    processes.scrapes = Scrapes(process, config)
    # Whoever may ask it, it says in its log when it is ready.
    log = processes.folder / "prometheus.log"
    eventually(lambda: "Server is ready to receive web requests" in log.read_text(), timeout=30)
    return f"127.0.0.1:{listen}"


def start_adapter(processes, cluster, rules, prometheus, program):
    """With these rules, behind the API server's custom.metrics.k8s.io."""
    config = processes.folder / "config.yaml"
    config.write_text(rules)
    port = free_port()
    access = [f"--{what}-kubeconfig={cluster.kubeconfig}" for what in ("lister", "authentication", "authorization")]
    processes.start(
        program, f"--secure-port={port}", "--bind-address=127.0.0.1", f"--cert-dir={processes.folder / 'cert'}",
        f"--config={config}", f"--prometheus-url={prometheus}", "--metrics-relist-interval=1s", "--metrics-max-age=30s",
        *access,
    )
    register_metrics_api(cluster, port)


def register_metrics_api(cluster, port):
    """Makes this port of the machine the API server's custom.metrics.k8s.io."""
    cluster.apply(
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter-process", "namespace": ADAPTER},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
        },
        {
            "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
            "metadata": {"name": "v1beta1.custom.metrics.k8s.io"},
            "spec": {
                "group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                "versionPriority": 100, "insecureSkipTLSVerify": True,
                "service": {"name": "adapter-process", "namespace": ADAPTER, "port": port},
            },
        },
    )

    def is_available():
        status = cluster.request("GET", f"{API_SERVICE}/v1beta1.custom.metrics.k8s.io")[1].get("status", {})
        return {c["type"]: c["status"] for c in status.get("conditions", [])}.get("Available") == "True"

    eventually(is_available, timeout=60)


def adapter_lists(cluster, metric="vllm_num_requests_running"):
    """Its API is there before its first list is. Nobody waits for that who reads of a relist of ten minutes, as the
    Deployment here has it."""
    code, answer = cluster.request("GET", "/apis/custom.metrics.k8s.io/v1beta1")
    return code == 200 and any(r["name"] == f"pods/{metric}" for r in answer.get("resources", []))


def stop_serving_metrics(cluster):
    """A dead APIService would hold up the deletion of every namespace."""
    code, answer = cluster.request("DELETE", f"{API_SERVICE}/v1beta1.custom.metrics.k8s.io")
    assert code in (200, 404), answer
    cluster.request("DELETE", f"/api/v1/namespaces/{ADAPTER}/services/adapter-process")


def adapter_comes_up(cluster):
    """Plays the kubelet until the adapter's Deployment has rolled out."""
    def rolled_out():
        make_pod_ready(cluster, ADAPTER, "app=adapter")
        found = adapter_deployment(cluster)
        status = found["status"]
        assert status.get("observedGeneration") == found["metadata"]["generation"], status
        assert [status.get(k) for k in ("replicas", "updatedReplicas", "availableReplicas")] == [1, 1, 1], status
        return True

    eventually(rolled_out, timeout=30)


@contextlib.contextmanager
def working_chain(cluster, target, port, kubeconfig, programs, log, **spec):
    """`programs` are Prometheus and its adapter; the pod's page is at the port of this machine."""
    folder = Path(tempfile.mkdtemp(prefix="ia-chain-"))
    processes = Processes(folder)
    operator = None
    pod = cluster.core.list_namespaced_pod(target, label_selector="app=server").items[0].metadata.name
    try:
        # Else an adapter that has the rule from an earlier test would be asked before its API is there.
        forget_rules(cluster)
        prometheus = "http://" + start_prometheus(processes, target, "gemma", pod, port, program=programs[0])
        operator = Operator(kubeconfig, log, "--prometheus-url", prometheus, "--tenant-min-scrape-interval", "1s")
        eventually(operator.synced, timeout=20)
        # One replica: a new pod would never become ready here.
        autoscaler = Autoscaler(cluster, target).create(maxReplicas=1, **spec)
        processes.scrapes.obey(eventually(lambda: autoscaler.child("ServiceMonitor"), timeout=20))
        rules = eventually(lambda: rules_with_ours(cluster), timeout=20)
        start_adapter(processes, cluster, rules, prometheus, programs[1])
        metric = autoscaler.child("HorizontalPodAutoscaler")["spec"]["metrics"][0]["pods"]["metric"]["name"]
        eventually(lambda: adapter_lists(cluster, metric), timeout=30)
        adapter_comes_up(cluster)
        autoscaler.operator, autoscaler.prometheus = operator, processes.scrapes
        autoscaler.waits_for("Ready", "Ready", timeout=90)
        yield autoscaler
    finally:
        stop_serving_metrics(cluster)
        code = operator.stop() if operator and operator.process.poll() is None else None
        processes.stop()
        shutil.rmtree(folder, ignore_errors=True)
    assert code in (None, 0) and "Sanitizer" not in operator.log(), operator.log()


@pytest.fixture
def working(cluster, target, engine_port, operator_kubeconfig, prometheus_program, adapter_program, tmp_path):
    with working_chain(cluster, target, engine_port, operator_kubeconfig, (prometheus_program, adapter_program),
                       tmp_path / "operator.log") as autoscaler:
        yield autoscaler


def rules_with_ours(cluster):
    rules = adapter_configmap(cluster).data["config.yaml"]
    return rules if "vllm_num_requests_running" in rules else None
