"""The custom metrics API that the operator serves itself, on a real API server: two replicas, spec.source Direct, no
Prometheus and no adapter.

The replicas are processes of this machine behind a Service without a selector; a thread plays the kubelet and keeps its
endpoints by what /readyz says.
"""

import base64
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from conftest import KUBERNETES, Cluster, control_plane, eventually, install_our_crd, tool
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    OPERATOR,
    Autoscaler,
    Operator,
    Page,
    address,
    asks,
    deployment,
    listening_port,
    serving,
    set_status,
    write_operator_kubeconfig,
)

SYSTEM = "inference-autoscaler-system"
NAME = "inference-autoscaler"
CERTIFICATES = f"{NAME}-certificates"
APISERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
VERSIONS = ("v1beta1", "v1beta2")
METRIC = "vllm_num_requests_running"


def free_port():
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
    with serving(Page, "") as port:
        yield port


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


OWN_PAGE = b"""\
# TYPE serve_deployment_queued_queries gauge
serve_deployment_queued_queries{deployment="llm",replica="0"} 3
serve_deployment_queued_queries{deployment="llm",replica="1"} 4
serve_deployment_queued_queries{deployment="proxy",replica="0"} 90
# TYPE serve_cache_fill gauge
serve_cache_fill{replica="0"} 0.25
serve_cache_fill{replica="1"} 0.625
"""


class OwnPage(Page):
    """The page of an engine that nobody knows: two series a pod."""

    page = OWN_PAGE


@pytest.fixture(scope="module")
def own_page_port():
    with serving(OwnPage, "") as port:
        yield port


class Replica(Operator):
    """An operator that serves, and its endpoint, which is ready as long as it says so."""

    def __init__(self, cluster, kubeconfig, folder, name, validity, *more):
        self.cluster, self.name, self.port, self.shown = cluster, name, free_port(), None
        super().__init__(
            kubeconfig, folder / f"{name}.log", "--leader-elect", "--lease-namespace", SYSTEM, "--lease-name", NAME,
            "--metrics-service", f"{SYSTEM}/{NAME}:443", "--metrics-certificates", CERTIFICATES,
            "--metrics-api-listen", f"0.0.0.0:{self.port}", "--metrics-certificate-validity", validity,
            *more, env={"POD_NAME": name},
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
        self.cluster.apply({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"name": f"{NAME}-{self.name}", "namespace": SYSTEM,
                         "labels": {"kubernetes.io/service-name": NAME}},
            "ports": [{"name": "metrics-api", "port": self.port, "protocol": "TCP"}],
            "endpoints": [{"addresses": [address()], "conditions": {"ready": ready, "serving": ready}}],
        })
        self.shown = ready


class Replicas:
    def __init__(self, cluster, kubeconfig, folder):
        self.cluster, self.kubeconfig, self.folder = cluster, kubeconfig, folder
        self.all, self.done = [], threading.Event()
        self.kubelet = threading.Thread(target=self._watch, daemon=True)
        self.kubelet.start()

    def start(self, name, validity="24h", *more):
        self.all.append(Replica(self.cluster, self.kubeconfig, self.folder, name, validity, *more))
        return self.all[-1]

    def _watch(self):
        shown = None
        while not self.done.wait(0.1):
            replicas = list(self.all)
            for replica in replicas:
                replica.show(replica.ready())
            ready = {replica.port for replica in replicas if replica.shown}
            if KUBERNETES and ready != shown:
                self._show_endpoints(ready)
                shown = ready

    def _show_endpoints(self, ports):
        """The same once more, for an API server that does not read slices yet, as that of Kubernetes 1.29."""
        self.cluster.apply({
            "apiVersion": "v1", "kind": "Endpoints",
            "metadata": {"name": NAME, "namespace": SYSTEM, "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
            "subsets": [{"addresses": [{"ip": address()}], "ports": [{"name": "metrics-api", "port": port}]} for port in sorted(ports)],
        })

    def terminate(self, replica):
        """As a pod is deleted: its endpoint goes while it is told to stop."""
        self.all.remove(replica)
        replica.process.send_signal(signal.SIGTERM)
        replica.show(False)

    def close(self):
        self.done.set()
        self.kubelet.join()
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
    return run_target(cluster, namespace, page_port)


def run_target(cluster, namespace, port):
    cluster.apply(deployment("server", namespace, {"app": "server"}, port, replicas=2))
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def names():
        items = cluster.request("GET", pods, query=[("labelSelector", "app=server")])[1]["items"]
        return [item["metadata"]["name"] for item in items] if len(items) == 2 else None

    for name in eventually(names, timeout=60):
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
        assert status == 200, api
        conditions = {c["type"]: c["status"] for c in api.get("status", {}).get("conditions", [])}
        assert conditions.get("Available") == "True", api
    return True


def is_ready(autoscaler):
    condition = autoscaler.condition("Ready")
    assert condition and condition["status"] == "True", condition
    return True


def read(cluster, namespace, version="v1beta2", metric=METRIC):
    return cluster.request(
        "GET", f"/apis/custom.metrics.k8s.io/{version}/namespaces/{namespace}/pods/*/{metric}",
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
    eventually(lambda: is_ready(one), timeout=30)
    print(f"\nserved after {served:.1f} s, Ready after {time.monotonic() - start:.1f} s")
    assert time.monotonic() - start < 10 or os.getloadavg()[0] > os.cpu_count(), "a quiet machine needs half of it"
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


def test_an_engine_of_ones_own(cluster, namespace, own_page_port, replicas, operator_kubeconfig):
    """What the spec describes is what the API and the HPA have: the sum of a pod's series of one label, and the largest
    of its fills."""
    run_target(cluster, namespace, own_page_port)
    one = Autoscaler(cluster, namespace).create(
        source="Direct", maxReplicas=4,
        engine={"type": "Custom", "signals": [
            {"name": "Waiting", "series": 'serve_deployment_queued_queries{deployment="llm"}'},
            {"name": "KVCache", "series": "serve_cache_fill"},
        ]},
        requests={"signals": [{"signal": "Waiting", "target": 2}, {"signal": "KVCache", "target": 80}]},
    )
    replicas.start("one")
    eventually(lambda: is_ready(one), timeout=60)
    metrics = [signal["metric"] for signal in one.get()["status"]["signals"]]
    assert metrics == ["custom_num_requests_waiting", "custom_kv_cache_usage_percent"]
    for metric, value in zip(metrics, ("7", "62500m")):
        for version in VERSIONS:
            status, answer = read(cluster, namespace, version, metric)
            assert status == 200 and [item["value"] for item in answer["items"]] == [value, value], answer

    def averages():
        hpa = one.child("HorizontalPodAutoscaler")
        found = {m["pods"]["metric"]["name"]: m["pods"]["current"]["averageValue"]
                 for m in hpa["status"].get("currentMetrics") or [] if m.get("pods")}
        assert found == dict(zip(metrics, ("7", "62500m"))), hpa["status"]
        return True

    eventually(averages, timeout=40)
    done = subprocess.run(
        [OPERATOR, "explain", "gemma", "-n", namespace, "--values", "--kubeconfig", cluster.kubeconfig],
        capture_output=True, text=True, timeout=60)
    assert len(re.findall(r" 7 +7\n", done.stdout)) == len(re.findall(r" 62.5 % +62.5 %\n", done.stdout)) == 2, done.stdout
    # Its figures are asked of nobody else.
    assert not (one.child("ServiceMonitor") or one.child("Service"))


@pytest.fixture
def working(cluster, target, replicas):
    """Two replicas that serve an autoscaler's metric; the function starts them, and says with which certificates."""

    def start(validity="24h", *more, certificates=2):
        replicas.start("one", validity, *more)
        replicas.start("two", validity, *more)
        Autoscaler(cluster, target).create(source="Direct", maxReplicas=4)
        eventually(lambda: available(cluster), timeout=60)
        eventually(lambda: bundle(cluster).count("BEGIN CERTIFICATE") == certificates and all(r.shown for r in replicas.all), timeout=30)
        eventually(lambda: read(cluster, target)[0] == 200, timeout=30)
        return replicas

    return start


class Load:
    """Readers of a metric, one after the other each, until they are told to end; what came of it."""

    def __init__(self, cluster, namespace, readers=3):
        self.cluster, self.namespace = cluster, namespace
        self.good, self.bad, self.ended = 0, Counter(), threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(readers)]
        for thread in self.threads:
            thread.start()

    def _run(self):
        while not self.ended.is_set():
            status, answer = read(self.cluster, self.namespace)
            if status == 200 and len(answer["items"]) == 2:
                self.good += 1
            else:
                self.bad[f"{status} {answer}"] += 1

    def end(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        return self.good, self.bad


def test_certificates_turn_over_without_a_failed_read(cluster, target, working):
    """Of thirty seconds' certificates a new one is served every twenty; each replica's is another each time."""
    working("30s")
    load, seen = Load(cluster, target), set()
    end = time.monotonic() + 55
    while time.monotonic() < end:
        seen |= set(announced(cluster).values())
        time.sleep(0.2)
    good, bad = load.end()
    alone = {text for text in seen if text.count("BEGIN CERTIFICATE") == 1}
    print(f"\n{len(alone)} certificates served, {good} reads, failed: {dict(bad)}")
    assert len(alone) >= 6 and good > 100 and not bad


def test_one_replica_that_is_killed_is_not_missed(cluster, target, working):
    """Reads fail until the endpoint is known to be dead; the APIServices stay available, and the leader's entry goes in
    its time."""
    replicas = working()
    one = replicas.all[0]
    load = Load(cluster, target, readers=2)
    one.process.send_signal(signal.SIGKILL)
    one.process.wait()
    killed = time.monotonic()
    while time.monotonic() < killed + 5:
        available(cluster)
        time.sleep(0.1)
    load.end()
    load = Load(cluster, target, readers=2)
    time.sleep(3)
    good, bad = load.end()
    assert good > 20 and not bad, bad
    replicas.start("three")
    eventually(lambda: "three" in announced(cluster), timeout=10)
    # The other one leads after a while, and has the new one trusted.
    eventually(lambda: all(r.shown for r in replicas.all[1:]), timeout=40)
    load = Load(cluster, target, readers=2)
    time.sleep(3)
    good, bad = load.end()
    assert good > 20 and not bad, bad


def test_a_replica_that_is_told_to_stop_fails_nobody(cluster, target, working):
    replicas = working()
    load = Load(cluster, target, readers=2)
    time.sleep(1)
    one, two = replicas.all
    replicas.terminate(one)
    start = time.monotonic()
    assert one.process.wait(timeout=15) == 0, one.log()
    took = time.monotonic() - start
    time.sleep(2)
    good, bad = load.end()
    print(f"\nstopped after {took:.1f} s, {good} reads, failed: {dict(bad)}")
    assert good > 20 and not bad
    assert took < 10
    eventually(lambda: "leading" in two.log(), timeout=10)


def ask(port, path, certificate=None):
    """What a replica answers to somebody without a certificate, or with this one: its file and its key's."""
    context = ssl._create_unverified_context()
    if certificate:
        context.load_cert_chain(*certificate)
    try:
        with urllib.request.urlopen(f"https://127.0.0.1:{port}{path}", context=context, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_who_has_no_certificate_of_the_api_servers_gets_nothing(cluster, target, working):
    replicas = working()
    for path in (f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{target}/pods/*/{METRIC}", "/apis", "/metrics", "/"):
        for replica in replicas.all:
            status, text = ask(replica.port, path)
            assert status == 401 and json.loads(text)["kind"] == "Status", (path, status, text)
    # Nor does a token help, nor the name of somebody who may.
    assert read(cluster, target)[0] == 200


def test_the_api_server_has_another_authority(cluster, target, working, tmp_path):
    """What its ConfigMap says holds at once: with another authority alone nobody is believed; with both the old one is."""
    working()
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    before = cluster.request("GET", path)[1]["data"]["requestheader-client-ca-file"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
         "-subj", "/CN=another", "-keyout", tmp_path / "key", "-out", tmp_path / "ca"], check=True, capture_output=True)
    another = (tmp_path / "ca").read_text()

    def believe(text):
        patch = {"data": {"requestheader-client-ca-file": text}}
        code, answer = cluster.request("PATCH", path, patch, content="application/merge-patch+json")
        assert code == 200, answer

    load = Load(cluster, target, readers=2)
    believe(another + before)
    time.sleep(2)
    good, bad = load.end()
    assert good > 10 and not bad, bad
    believe(before)
    eventually(lambda: read(cluster, target)[0] == 200, timeout=10)


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def replace(path, data):
    """The file is whole at any moment."""
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(data)
    os.replace(fresh, path)


def test_the_api_server_has_a_new_certificate_of_a_new_authority(cluster, kubeconfig, target, working, tmp_path):
    """As an administrator renews both: the new authority beside the old, the new certificate, the old authority gone. No
    reading fails on the way, and the old certificate is worth nothing afterwards."""
    replicas = working()
    path = "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    pki = Path(kubeconfig).parent / "pki"
    files = {name: pki / f"front-proxy{name}" for name in ("-ca.crt", ".crt", ".key")}
    before = {name: file.read_bytes() for name, file in files.items()}
    for name, data in before.items():
        (tmp_path / f"old{name}").write_bytes(data)
    made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 1)
    openssl("req", "-x509", *made, "-subj", "/CN=front-proxy-ca-2", "-keyout", tmp_path / "ca.key", "-out", tmp_path / "ca.crt",
            "-addext", "basicConstraints=critical,CA:true")
    openssl("req", "-x509", *made, "-subj", "/CN=front-proxy", "-keyout", tmp_path / "new.key", "-out", tmp_path / "new.crt",
            "-CA", tmp_path / "ca.crt", "-CAkey", tmp_path / "ca.key", "-addext", "basicConstraints=CA:false",
            "-addext", "extendedKeyUsage=clientAuth")
    old, new = before["-ca.crt"], (tmp_path / "ca.crt").read_bytes()

    def announced_authorities():
        return cluster.request("GET", path)[1]["data"]["requestheader-client-ca-file"]

    def old_is_dropped():
        """The API server adds what its file has, and takes nothing away by itself."""
        cluster.request("PATCH", path, {"data": {"requestheader-client-ca-file": new.decode()}},
                        content="application/merge-patch+json")
        time.sleep(1)
        return announced_authorities().count("BEGIN CERTIFICATE") == 1

    def asks(certificate):
        return [ask(replica.port, f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{target}/pods/*/{METRIC}"
                    "?labelSelector=app%3Dserver", [tmp_path / f"{certificate}{end}" for end in (".crt", ".key")])[0]
                for replica in replicas.all]

    assert asks("old") == [200, 200]
    assert asks("new") == [401, 401]
    load = Load(cluster, target, readers=2)
    try:
        replace(files["-ca.crt"], old + new)
        eventually(lambda: announced_authorities().count("BEGIN CERTIFICATE") == 2, timeout=90)
        eventually(lambda: asks("new") == [200, 200], timeout=10)
        replace(files[".key"], (tmp_path / "new.key").read_bytes())
        replace(files[".crt"], (tmp_path / "new.crt").read_bytes())
        time.sleep(5)  # nothing shows when the API server has read them
        assert asks("old") == [200, 200]
        replace(files["-ca.crt"], new)
        eventually(old_is_dropped, timeout=90)
        eventually(lambda: asks("old") == [401, 401], timeout=10)
        time.sleep(3)  # more reads
        good, bad = load.end()
        print(f"\n{good} reads, failed: {dict(bad)}")
        assert asks("new") == [200, 200]
        assert good > 50 and not bad, bad
    finally:
        load.end()
        for name, file in files.items():
            replace(file, before[name])
        cluster.request("PATCH", path, {"data": {"requestheader-client-ca-file": (old + new).decode()}},
                        content="application/merge-patch+json")
    time.sleep(5)
    eventually(lambda: read(cluster, target)[0] == 200, timeout=30)


def issue(folder, authority, name):
    """tls.crt and tls.key of the folder, as cert-manager renews both in a Secret that is mounted."""
    fresh = folder / "fresh"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 1, "-subj", "/",
            "-keyout", f"{fresh}.key", "-out", f"{fresh}.crt", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
            "-addext", "basicConstraints=CA:false", "-addext", "extendedKeyUsage=serverAuth",
            "-addext", f"subjectAltName=DNS:{name}")
    for end in (".crt", ".key"):
        os.replace(f"{fresh}{end}", folder / f"tls{end}")


def test_a_certificate_that_is_given_is_served_and_renewed(cluster, target, working, tmp_path):
    """By another authority even: no reading fails, and what is served afterwards is the new one."""
    for number in (1, 2):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", 1, "-subj",
                f"/CN=authority-{number}", "-keyout", tmp_path / f"{number}.key", "-out", tmp_path / f"{number}.crt",
                "-addext", "basicConstraints=critical,CA:true")
    issue(tmp_path, tmp_path / "1", f"{NAME}.{SYSTEM}.svc")
    replicas = working("24h", "--metrics-api-cert-file", tmp_path / "tls.crt", "--metrics-api-key-file", tmp_path / "tls.key",
                       certificates=1)

    def served():
        return {ssl.get_server_certificate(("127.0.0.1", replica.port)).strip() for replica in replicas.all}

    given = (tmp_path / "tls.crt").read_text().strip()
    assert served() == {given} and bundle(cluster).strip() == given
    load = Load(cluster, target, readers=2)
    issue(tmp_path, tmp_path / "2", "another.name.svc")
    eventually(lambda: all("is for other names" in replica.log() for replica in replicas.all), timeout=40)
    assert served() == {given}
    issue(tmp_path, tmp_path / "2", f"{NAME}.{SYSTEM}.svc")
    renewed = (tmp_path / "tls.crt").read_text().strip()
    eventually(lambda: served() == {renewed}, timeout=60)
    eventually(lambda: bundle(cluster).strip() == renewed, timeout=30)
    time.sleep(2)  # more reads
    good, bad = load.end()
    print(f"\n{good} reads, failed: {dict(bad)}")
    assert good > 50 and not bad, bad


def test_nothing_hinders_a_namespace_after_the_cleanup(cluster, target, working, operator_kubeconfig):
    """Before the operator goes, its registration does, and it makes no other while it runs."""
    replicas = working()
    done = subprocess.run(
        [OPERATOR, "cleanup", "--yes", "--metrics-api-only", "--kubeconfig", cluster.kubeconfig,
         "--metrics-service", f"{SYSTEM}/{NAME}:443", "--metrics-certificates", CERTIFICATES],
        capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    time.sleep(3)  # nothing shows that an operator does not write
    for version in VERSIONS:
        assert cluster.request("GET", f"{APISERVICES}/{version}.custom.metrics.k8s.io")[0] == 404
    for replica in list(replicas.all):
        assert replica.stop() == 0, replica.log()
    name = f"{target}-more"
    cluster.core.create_namespace({"metadata": {"name": name}})
    cluster.core.delete_namespace(name)
    eventually(lambda: cluster.request("GET", f"/api/v1/namespaces/{name}")[0] == 404, timeout=30)
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CERTIFICATES, "namespace": SYSTEM}})


def test_an_adapter_that_is_installed_again_finds_its_place_free(cluster, target, replicas):
    """Helm refuses to install what somebody else has made meanwhile."""
    name = "v1beta1.custom.metrics.k8s.io"
    theirs = {
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "Helm"}},
        "spec": {"group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                 "versionPriority": 100, "insecureSkipTLSVerify": True,
                 "service": {"name": "adapter", "namespace": "monitoring", "port": 443}},
    }
    assert cluster.request("POST", APISERVICES, theirs)[0] == 201
    replicas.start("one")
    one = Autoscaler(cluster, target).create(source="Direct", maxReplicas=4)

    def says(words):
        condition = one.condition("MetricServed")
        assert condition and words in condition["message"], condition
        return True

    eventually(lambda: says("belongs to another server"), timeout=40)
    assert cluster.request("DELETE", f"{APISERVICES}/{name}")[0] == 200
    eventually(lambda: says("of another server is gone"), timeout=20)
    time.sleep(3)  # nothing shows that an operator does not write
    assert cluster.request("GET", f"{APISERVICES}/v1beta2.custom.metrics.k8s.io")[0] == 404
    assert cluster.request("POST", APISERVICES, theirs)[0] == 201
    eventually(lambda: says("belongs to another server"), timeout=20)
