"""The custom metrics API that the operator serves itself, on a real API server: two replicas, spec.source Direct, no
Prometheus and no adapter.

The replicas are processes of this machine behind a Service without a selector; a thread plays the kubelet and keeps its
endpoints by what /readyz says.
"""

import base64
import json
import signal
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from conftest import CHART, Cluster, control_plane, eventually, install_our_crd, tool
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    OPERATOR,
    Autoscaler,
    Operator,
    Page,
    asks,
    deployment,
    listening_port,
    set_status,
    write_operator_kubeconfig,
)

SYSTEM = "inference-autoscaler-system"
NAME = "inference-autoscaler"
CERTIFICATES = f"{NAME}-certificates"
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
VERSIONS = ("v1beta1", "v1beta2")
METRIC = "vllm_num_requests_running"


def address():
    """This machine's own: an EndpointSlice may not name a loopback address."""
    return subprocess.run(["hostname", "-I"], check=True, capture_output=True, text=True).stdout.split()[0]


def free_port():
    import socket
    with socket.socket() as found:
        found.bind(("", 0))
        return found.getsockname()[1]


@pytest.fixture(scope="module")
def kubeconfig():
    with control_plane("--aggregate-to-endpoints") as started:
        yield started


@pytest.fixture(scope="module")
def cluster(kubeconfig):
    made = Cluster(kubeconfig, tool("kubectl"))
    install_our_crd(made)
    return made


@pytest.fixture(scope="module")
def page_port():
    """A port of this machine, at all its addresses, that serves a vLLM page."""
    server = ThreadingHTTPServer(("", 0), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()


@pytest.fixture(scope="module")
def operator_kubeconfig(cluster, helm, tmp_path_factory):
    """The chart's rights and policies, its ConfigMap, and its Service without a selector."""
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}})
    path = write_operator_kubeconfig(tmp_path_factory.mktemp("operator") / "kubeconfig", cluster, helm)
    cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CERTIFICATES, "namespace": SYSTEM}},
        {
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": SYSTEM},
            "spec": {"ports": [{"name": "metrics-api", "port": 443}]},
        },
    )
    return path


class Replica(Operator):
    """An operator that serves, and its endpoint, which is ready as long as it says so."""

    def __init__(self, cluster, kubeconfig, folder, name, validity):
        self.cluster, self.name, self.port, self.shown = cluster, name, free_port(), None
        super().__init__(
            kubeconfig, folder / f"{name}.log", "--leader-elect", "--lease-namespace", SYSTEM, "--lease-name", NAME,
            "--metrics-service", f"{SYSTEM}/{NAME}:443", "--metrics-certificates", CERTIFICATES,
            "--metrics-api-listen", f"0.0.0.0:{self.port}", "--metrics-certificate-validity", validity,
            env={"POD_NAME": name},
        )
        self.http = None

    def ready(self):
        if self.process.poll() is not None:
            return False
        try:
            self.http = self.http or listening_port(self.process.pid)
            return asks(self.http, "/readyz", timeout=2)[0] == 200
        except (ValueError, OSError):
            return False

    def show(self, ready):
        """As the kubelet and the EndpointSlice controller do."""
        if ready == self.shown:
            return
        self.shown = ready
        self.cluster.apply({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{NAME}-{self.name}", "namespace": SYSTEM,
                         "labels": {"kubernetes.io/service-name": NAME}},
            "ports": [{"name": "metrics-api", "port": self.port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [address()], "conditions": {"ready": ready, "serving": ready}}],
        })


class Replicas:
    def __init__(self, cluster, kubeconfig, folder):
        self.cluster, self.kubeconfig, self.folder = cluster, kubeconfig, folder
        self.all, self.done = [], threading.Event()
        self.kubelet = threading.Thread(target=self._watch, daemon=True)
        self.kubelet.start()

    def start(self, name, validity="24h"):
        self.all.append(Replica(self.cluster, self.kubeconfig, self.folder, name, validity))
        return self.all[-1]

    def _watch(self):
        while not self.done.wait(0.1):
            for replica in list(self.all):
                replica.show(replica.ready())

    def terminate(self, replica):
        """As a pod is deleted: its endpoint goes while it is told to stop."""
        self.all.remove(replica)
        replica.process.send_signal(signal.SIGTERM)
        replica.show(False)

    def close(self):
        self.done.set()
        self.kubelet.join()
        for replica in self.all: print(replica.name, replica.log())  # DEBUG
        for replica in self.all:
            if replica.process.poll() is None:
                assert replica.stop() == 0, replica.log()
            assert "Sanitizer" not in replica.log(), replica.log()


def forget(cluster):
    """Nothing is registered, announced or served any more."""
    for version in VERSIONS:
        cluster.request("DELETE", f"{APISERVICES}/{version}.custom.metrics.k8s.io")
    cluster.kubectl("-n", SYSTEM, "delete", "endpointslices", "--all")
    cluster.kubectl("-n", SYSTEM, "delete", "lease", NAME, "--ignore-not-found")
    cluster.request("PATCH", f"/api/v1/namespaces/{SYSTEM}/configmaps/{CERTIFICATES}", {"data": None},
                    content="application/merge-patch+json")


@pytest.fixture
def replicas(cluster, operator_kubeconfig, tmp_path):
    made = Replicas(cluster, operator_kubeconfig, tmp_path)
    yield made
    made.close()
    forget(cluster)


@pytest.fixture
def target(cluster, namespace, page_port):
    """A Deployment with two ready pods at this machine's address; its namespace."""
    cluster.apply(deployment("server", namespace, {"app": "server"}, page_port, replicas=2))
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def names():
        items = cluster.request("GET", pods)[1]["items"]
        return [item["metadata"]["name"] for item in items] if len(items) == 2 else None

    for name in eventually(names):
        set_status(cluster, f"{pods}/{name}", {
            "phase": "Running", "podIP": address(), "podIPs": [{"ip": address()}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
            "containerStatuses": [{
                "name": "server", "ready": True, "started": True, "restartCount": 0, "image": "nowhere/none",
                "imageID": "", "containerID": "containerd://1",
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            }],
        })
    return namespace


def available(cluster):
    for version in VERSIONS:
        status, api = cluster.request("GET", f"{APISERVICES}/{version}.custom.metrics.k8s.io")
        conditions = {c["type"]: c for c in api.get("status", {}).get("conditions", [])}
        assert status == 200 and conditions["Available"]["status"] == "True", (status, conditions or api)
    return True


def is_ready(autoscaler):
    condition = autoscaler.condition("Ready")
    assert condition and condition["status"] == "True", condition
    return True


def read(cluster, namespace, version="v1beta2"):
    return cluster.request(
        "GET", f"/apis/custom.metrics.k8s.io/{version}/namespaces/{namespace}/pods/*/{METRIC}",
        query=[("labelSelector", "app=server")],
    )


def announced(cluster):
    return cluster.core.read_namespaced_config_map(CERTIFICATES, SYSTEM).data or {}


def bundle(cluster, version="v1beta1"):
    api = cluster.request("GET", f"{APISERVICES}/{version}.custom.metrics.k8s.io")[1]
    return base64.b64decode(api["spec"]["caBundle"]).decode()


def test_an_install_is_ready_within_ten_seconds(cluster, target, replicas):
    """Both versions are read, by kubectl and by the HPA."""
    start = time.monotonic()
    replicas.start("one")
    replicas.start("two")
    one = Autoscaler(cluster, target).create(source="Direct", maxReplicas=4)
    eventually(lambda: available(cluster), timeout=30)
    served = time.monotonic() - start
    try: eventually(lambda: is_ready(one), timeout=20)
    except TimeoutError: print(one.get()); raise
    print(f"\nserved after {served:.1f} s, Ready after {time.monotonic() - start:.1f} s")
    for version in VERSIONS:
        raw = cluster.kubectl(
            "get", "--raw",
            f"/apis/custom.metrics.k8s.io/{version}/namespaces/{target}/pods/*/{METRIC}?labelSelector=app%3Dserver",
        ).stdout
        items = json.loads(raw)["items"]
        assert len(items) == 2, raw
    def scaled():
        hpa = one.child("HorizontalPodAutoscaler")
        assert hpa and hpa["status"].get("currentMetrics"), hpa and hpa.get("status")
        return True

    eventually(scaled, timeout=20)
    assert set(announced(cluster)) == {"one", "two"}
    for version in VERSIONS:
        assert bundle(cluster, version).count("BEGIN CERTIFICATE") == 2
    assert not (one.child("ServiceMonitor") or one.child("Service"))
