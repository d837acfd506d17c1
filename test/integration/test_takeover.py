"""Two providers of the custom metrics API in one cluster: the operator takes over the APIService of a real
prometheus-adapter, another team's HPA scales through it all the time, and the adapter gets its APIService back byte for
byte.

The cluster has no DNS: each operator is shown a hosts file of its own in which the adapter's Service is this machine.
"""

import json
import shlex
import statistics
import subprocess
import threading
import time
import urllib.parse
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import operator_fixtures
import pytest
import test_metrics_server as serving
import yaml
from chain_fixtures import Processes
from conftest import CHART, Cluster, eventually, tool
from operator_fixtures import Autoscaler, address, deployment, write_operator_kubeconfig
from test_metrics_server import (  # noqa: F401  (fixtures are found by name)
    APISERVICES,
    CERTIFICATES,
    METRIC,
    NAME,
    SYSTEM,
    ask,
    cluster,
    free_port,
    is_ready,
    kubeconfig,
    page_port,
    target,
)

ADAPTER = "monitoring"
PAGE_VALUE = "8"  # of vllm:num_requests_running
TAKES = ("--set", "metricsServer.takeOver=true")
RULES = "rules:\n" + "".join(f"""\
- seriesQuery: '{series}{{namespace!="",pod!=""}}'
  resources: {{overrides: {{namespace: {{resource: namespace}}, pod: {{resource: pod}}}}}}
  metricsQuery: sum(<<.Series>>{{<<.LabelMatchers>>}}) by (<<.GroupBy>>)
""" for series in ("http_requests", METRIC))

pytestmark = [
    pytest.mark.alone,  # others' reads go on without a pause
    pytest.mark.skipif(
        subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0, reason="may not show a hosts file"
    ),
]


class Prometheus(BaseHTTPRequestHandler):
    """As much of one as the adapter asks: each pod has the value, of http_requests; each of the engine's has `recorded`."""

    namespace, pods, value = "", (), 3
    engines, recorded = (), 0

    def do_GET(self, asked=""):
        path = urllib.parse.urlsplit(self.path).path
        ours = METRIC in self.path + asked
        name, pods, value = (METRIC, self.engines, self.recorded) if ours else ("http_requests", self.pods, self.value)
        series = [{"__name__": name, "namespace": self.namespace, "pod": pod} for pod in pods]
        if path.endswith("/series"):
            data = series
        else:
            data = {"resultType": "vector", "result": [
                {"metric": {"pod": one["pod"]}, "value": [time.time(), str(value)]} for one in series
            ]}
        body = json.dumps({"status": "success", "data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.do_GET(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def operator_kubeconfig(cluster, helm, tmp_path_factory):  # noqa: F811
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ADAPTER}})
    path = write_operator_kubeconfig(tmp_path_factory.mktemp("operator") / "kubeconfig", cluster, helm, *TAKES)
    cluster.apply(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CERTIFICATES, "namespace": SYSTEM}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": SYSTEM},
         "spec": {"ports": [{"name": "metrics-api", "port": 443}]}},
    )
    return path


@pytest.fixture
def adapter(cluster, namespace, tmp_path):  # noqa: F811
    """A real one with its Service and its APIService of v1beta1, as its chart has it. Another team's Deployment 'shop',
    whose HPA reads from it."""
    prometheus = ThreadingHTTPServer(("127.0.0.1", 0), Prometheus)
    threading.Thread(target=prometheus.serve_forever, daemon=True).start()
    cluster.apply(deployment("shop", namespace, {"app": "shop"}, 80, replicas=2))
    pods = f"/api/v1/namespaces/{namespace}/pods"

    def names():
        items = cluster.request("GET", pods, query=[("labelSelector", "app=shop")])[1]["items"]
        return [item["metadata"]["name"] for item in items] if len(items) == 2 else None

    Prometheus.namespace, Prometheus.pods, Prometheus.value = namespace, eventually(names, timeout=60), 3
    for name in Prometheus.pods:
        operator_fixtures.set_status(cluster, f"{pods}/{name}", {
            "phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
        })
    processes = Processes(tmp_path)
    config = tmp_path / "config.yaml"
    config.write_text(RULES)
    port = free_port()
    access = [f"--{what}-kubeconfig={cluster.kubeconfig}" for what in ("lister", "authentication", "authorization")]
    processes.start(
        tool("adapter"), f"--secure-port={port}", "--bind-address=0.0.0.0", f"--cert-dir={tmp_path / 'cert'}",
        f"--config={config}", f"--prometheus-url=http://127.0.0.1:{prometheus.server_port}",
        "--metrics-relist-interval=1s", "--metrics-max-age=30s", *access,
    )
    cluster.apply(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "adapter", "namespace": ADAPTER},
         "spec": {"ports": [{"name": "https", "port": port}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
         "metadata": {"name": "adapter", "namespace": ADAPTER, "labels": {"kubernetes.io/service-name": "adapter"}},
         "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
         "endpoints": [{"addresses": [address()], "conditions": {"ready": True, "serving": True}}]},
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
         "metadata": {"name": "shop", "namespace": namespace},
         "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}, "maxReplicas": 2,
                  "metrics": [{"type": "Pods", "pods": {"metric": {"name": "http_requests"},
                                                        "target": {"type": "AverageValue", "averageValue": "100"}}}]}},
    )
    cluster.kubectl("apply", "-f", "-", stdin=yaml.safe_dump({
        "apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1beta1.custom.metrics.k8s.io", "labels": {"app": "adapter"},
                     "annotations": {"team": "platform"}},
        "spec": {"group": "custom.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                 "versionPriority": 100, "insecureSkipTLSVerify": True,
                 "service": {"name": "adapter", "namespace": ADAPTER, "port": port}},
    }))
    eventually(lambda: theirs(cluster, namespace)[0] == 200, timeout=60)
    yield processes
    processes.stop()
    prometheus.shutdown()


@pytest.fixture
def replicas(cluster, adapter, operator_kubeconfig, tmp_path, monkeypatch):  # noqa: F811
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{address()} adapter.{ADAPTER}.svc\n")
    shown = tmp_path / "operator"
    command = f"mount --bind {shlex.quote(str(hosts))} /etc/hosts && exec {shlex.quote(str(operator_fixtures.OPERATOR))} \"$@\""
    shown.write_text(f"#!/bin/sh\nexec unshare -m sh -c {shlex.quote(command)} operator \"$@\"\n")
    shown.chmod(0o755)
    monkeypatch.setattr(operator_fixtures, "OPERATOR", str(shown))
    made = serving.Replicas(cluster, operator_kubeconfig, tmp_path)
    yield made
    made.close()
    serving.forget(cluster)


def start(replicas, name, *args):
    """One replica with more arguments than those that it always has."""
    made = serving.Replica.__new__(serving.Replica)
    plain = operator_fixtures.Operator.__init__

    def more(self, config, log, *given, **named):
        plain(self, config, log, *given, *args, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operator_fixtures.Operator, "__init__", more)
        made.__init__(replicas.cluster, replicas.kubeconfig, replicas.folder, name, "24h")
    replicas.all.append(made)
    return made


def theirs(cluster, namespace, version="v1beta1"):
    return cluster.request(
        "GET", f"/apis/custom.metrics.k8s.io/{version}/namespaces/{namespace}/pods/*/http_requests",
        query=[("labelSelector", "app=shop")],
    )


class Readers:
    """Other teams, who read all the time; Counter of the status codes, and the first bodies that were no values."""

    def __init__(self, cluster, namespace):
        self.codes, self.failures, self.done = Counter(), [], threading.Event()
        self.took = []
        self.threads = [threading.Thread(target=self._read, args=(cluster, namespace)) for _ in range(3)]
        for thread in self.threads:
            thread.start()

    def _read(self, cluster, namespace):
        own = Cluster(cluster.kubeconfig, tool("kubectl"))
        while not self.done.wait(0.01):
            begun = time.monotonic()
            code, body = theirs(own, namespace)
            self.took.append(time.monotonic() - begun)
            self.codes[code] += 1
            if code != 200 or len(body["items"]) != 2:
                self.failures.append((code, body))

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def policies(cluster, helm):  # noqa: F811
    """Sets the chart's admission policies to those that it has with these arguments; with TAKES again afterwards."""

    def install(*args):
        rendered = helm("template", NAME, CHART, "--no-hooks", "--namespace", SYSTEM, "--kube-version", "1.36", *args)
        cluster.apply(*[o for o in yaml.safe_load_all(rendered.stdout) if o and o["kind"] == "ValidatingAdmissionPolicy"])

    yield install
    install(*TAKES)


@pytest.fixture
def readers(cluster, namespace, adapter):  # noqa: F811
    made = Readers(cluster, namespace)
    yield made
    made.stop()


def apiservice(cluster, version="v1beta1"):
    """What an owner wrote, as text; None when it is absent."""
    code, found = cluster.request("GET", f"{APISERVICES}/{version}.custom.metrics.k8s.io")
    if code == 404:
        return None
    meta = {key: found["metadata"][key] for key in ("name", "labels", "annotations") if key in found["metadata"]}
    return json.dumps({"metadata": meta, "spec": found["spec"]}, sort_keys=True)


def leads_to_us(cluster, version):
    found = apiservice(cluster, version)
    assert found and json.loads(found)["spec"]["service"]["name"] == NAME, found
    api = cluster.request("GET", f"{APISERVICES}/{version}.custom.metrics.k8s.io")[1]
    conditions = {c["type"]: c for c in api.get("status", {}).get("conditions", [])}
    assert conditions.get("Available", {}).get("status") == "True", conditions
    return True


def is_given_back(cluster, before):
    assert (apiservice(cluster), apiservice(cluster, "v1beta2")) == (before, None)
    return True


def events(cluster):
    """What is told of the APIService that stands: (type, reason) and the note of each."""
    uid = cluster.request("GET", f"{APISERVICES}/v1beta1.custom.metrics.k8s.io")[1]["metadata"]["uid"]
    found = cluster.request("GET", "/apis/events.k8s.io/v1/namespaces/default/events")[1]["items"]
    return {(e["type"], e["reason"]): e["note"] for e in found if e["regarding"].get("uid") == uid}


def hpa_reads(cluster, namespace, value):
    hpa = cluster.request("GET", f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/shop")[1]
    metrics = hpa["status"].get("currentMetrics") or []
    assert [m["pods"]["current"]["averageValue"] for m in metrics if m.get("pods")] == [str(value)], hpa["status"]
    return True


def take_over(cluster, target, replicas, most=4):  # noqa: F811
    start(replicas, "one", "--metrics-take-over")
    start(replicas, "two", "--metrics-take-over")
    made = Autoscaler(cluster, target).create(source="Direct", maxReplicas=most)
    eventually(lambda: leads_to_us(cluster, "v1beta1") and leads_to_us(cluster, "v1beta2"), timeout=60)
    return made


def test_both_are_served_and_nothing_is_lost(cluster, policies, target, replicas, readers, namespace):  # noqa: F811
    before = apiservice(cluster)
    eventually(lambda: hpa_reads(cluster, namespace, 3), timeout=40)
    alone = len(readers.took)
    one = take_over(cluster, target, replicas)
    eventually(lambda: is_ready(one), timeout=40)
    for version in ("v1beta1", "v1beta2"):
        code, body = theirs(cluster, namespace, version)
        assert code == 200 and body["apiVersion"].endswith(version), body
        assert [item["value"] for item in body["items"]] == ["3", "3"]
        assert ("metricName" in body["items"][0]) == (version == "v1beta1")
        listed = cluster.request("GET", f"/apis/custom.metrics.k8s.io/{version}")[1]["resources"]
        assert {"pods/http_requests", f"pods/{METRIC}"} <= {resource["name"] for resource in listed}
    code, body = theirs(cluster, "default")
    assert (code, body["kind"]) == (404, "Status")
    Prometheus.value = 7
    eventually(lambda: hpa_reads(cluster, namespace, 7), timeout=40)
    policies()  # the option goes, and with it what they allow beyond giving back
    third = start(replicas, "three")
    eventually(lambda: third.shown, timeout=30)
    for replica in list(replicas.all[:2]):
        replicas.terminate(replica)
    eventually(lambda: is_given_back(cluster, before), timeout=60)
    # As an API server asks that has not seen it yet.
    path = f"/namespaces/{namespace}/pods/*/http_requests?labelSelector=app%3Dshop"
    pki = Path(cluster.kubeconfig).parent / "pki"
    for version in ("v1beta1", "v1beta2"):
        code, body = ask(third.port, f"/apis/custom.metrics.k8s.io/{version}{path}",
                         [pki / "front-proxy.crt", pki / "front-proxy.key"])
        assert code == 200 and [item["value"] for item in json.loads(body)["items"]] == ["7", "7"], (version, body)
    given = len(readers.took)
    Prometheus.value = 9
    eventually(lambda: hpa_reads(cluster, namespace, 9), timeout=40)
    readers.stop()
    print(f"\nreads of another team: {dict(readers.codes)}, the slowest took {max(readers.took):.2f} s, "
          f"half of them {statistics.median(readers.took[alone:given]):.2f} s, afterwards {statistics.median(readers.took[given:]):.2f} s; the "
          "adapter asks its API server five times a second")
    assert not readers.failures, readers.failures[:3]


def test_an_uninstall_gives_it_back(cluster, target, replicas, readers):  # noqa: F811
    before = apiservice(cluster)
    take_over(cluster, target, replicas)
    done = subprocess.run(
        [replicas.all[0].process.args[0], "cleanup", "--yes", "--metrics-api-only", "--kubeconfig", cluster.kubeconfig,
         "--metrics-service", f"{SYSTEM}/{NAME}:443", "--metrics-certificates", CERTIFICATES],
        capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert "give back APIService 'v1beta1.custom.metrics.k8s.io'" in done.stdout
    assert is_given_back(cluster, before)
    readers.stop()
    assert not readers.failures, readers.failures[:3]
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": CERTIFICATES, "namespace": SYSTEM}})


def test_an_adapter_that_cannot_be_asked_has_it_back(cluster, adapter, target, replicas, namespace):  # noqa: F811
    before = apiservice(cluster)
    take_over(cluster, target, replicas)
    for process in adapter.running:
        process.kill()  # an orderly end would serve on for a while
    begun = time.monotonic()

    def given_back():
        theirs(cluster, namespace)
        return is_given_back(cluster, before)

    eventually(given_back, timeout=30)
    print(f"\ngiven back after {time.monotonic() - begun:.1f} s")
    assert any("it is given back" in replica.log() for replica in replicas.all)
    eventually(lambda: set(events(cluster)) >= {("Normal", "TakenOver"), ("Warning", "GivenBack")}, timeout=20)
    told = events(cluster)
    assert f"of Service '{ADAPTER}/adapter' leads to the operator" in told["Normal", "TakenOver"]
    assert "could not be passed on" in told["Warning", "GivenBack"]


class Watched:
    """An HPA that is looked at all the time: what it read, and when it did not."""

    def __init__(self, cluster, namespace, name):
        self.values, self.lost, self.done = [], [], threading.Event()
        own = Cluster(cluster.kubeconfig, tool("kubectl"))
        path = f"/apis/autoscaling/v2/namespaces/{namespace}/horizontalpodautoscalers/{name}"
        self.thread = threading.Thread(target=self._look, args=(own, path))
        self.thread.start()

    def _look(self, cluster, path):
        while not self.done.wait(0.1):
            code, hpa = cluster.request("GET", path)
            status = hpa.get("status", {})
            values = [m["pods"]["current"]["averageValue"] for m in status.get("currentMetrics") or [] if m.get("pods")]
            active = [c["status"] for c in status.get("conditions", []) if c["type"] == "ScalingActive"]
            if code != 200 or len(values) != 1 or active != ["True"]:
                self.lost.append((code, status))
            elif self.values[-1:] != values:
                self.values += values

    def stop(self):
        self.done.set()
        self.thread.join()


def test_the_source_is_changed_without_a_lost_reading(cluster, target, replicas, readers):  # noqa: F811
    """Prometheus, Direct and Prometheus again, under an HPA that reads all the time: Prometheus says 5 of each pod, the
    pages what they say."""
    pods = cluster.request("GET", f"/api/v1/namespaces/{target}/pods", query=[("labelSelector", "app=server")])[1]["items"]
    Prometheus.engines, Prometheus.recorded = [pod["metadata"]["name"] for pod in pods], 5
    one = take_over(cluster, target, replicas, most=2)
    one.patch({"source": "Prometheus"})

    def has_read(value):
        hpa = one.child("HorizontalPodAutoscaler")
        read = [m["pods"]["current"]["averageValue"] for m in hpa["status"].get("currentMetrics") or [] if m.get("pods")]
        assert read == [value], hpa["status"]
        return True

    eventually(lambda: has_read("5"), timeout=60)
    watched = Watched(cluster, target, one.child("HorizontalPodAutoscaler")["metadata"]["name"])
    try:
        eventually(lambda: watched.values == ["5"])
        one.patch({"source": "Direct"})
        eventually(lambda: watched.values[-1:] == [PAGE_VALUE], timeout=60)
        one.patch({"source": "Prometheus"})
        eventually(lambda: watched.values[-1:] == ["5"], timeout=60)
    finally:
        watched.stop()
        readers.stop()
        Prometheus.engines = ()
    assert not watched.lost, watched.lost[:3]
    assert watched.values == ["5", PAGE_VALUE, "5"]
    assert not readers.failures, readers.failures[:3]


def test_what_is_put_back_is_not_taken_again(cluster, target, replicas):  # noqa: F811
    before = json.loads(apiservice(cluster))
    one = take_over(cluster, target, replicas)
    cluster.request("PATCH", f"{APISERVICES}/v1beta1.custom.metrics.k8s.io",
                    {"spec": {"service": before["spec"]["service"], "caBundle": None, "insecureSkipTLSVerify": True}},
                    content="application/merge-patch+json")

    def is_said():
        condition = one.condition("Ready")
        assert condition and "somebody gave it back" in condition["message"], condition
        return True

    eventually(is_said, timeout=30)
    assert json.loads(apiservice(cluster))["spec"] == before["spec"]
    eventually(lambda: apiservice(cluster, "v1beta2") is None, timeout=20)
    eventually(lambda: "not by this operator" in events(cluster).get(("Warning", "GivenBack"), ""), timeout=20)


def test_the_policies_let_it_take_only_with_the_value(cluster, policies, operator_kubeconfig, adapter):  # noqa: F811
    """And give back to nobody else than the note names."""
    operator = Cluster(operator_kubeconfig, tool("kubectl"))
    path, merge = f"{APISERVICES}/v1beta1.custom.metrics.k8s.io", "application/merge-patch+json"
    before = cluster.request("GET", path)[1]
    note = {"inference-autoscaler.io/former": json.dumps({"spec": before["spec"]}, separators=(",", ":")),
            "inference-autoscaler.io/metrics-service": f"{SYSTEM}/{NAME}"}
    ours = {"service": {"namespace": SYSTEM, "name": NAME, "port": 443}, "caBundle": "UEVN", "insecureSkipTLSVerify": None}
    take = {"metadata": {"annotations": note}, "spec": ours}
    no_note = dict.fromkeys(note)

    def tried(patch):
        return operator.request("PATCH", path, patch, query=[("dryRun", "All")], content=merge)

    def refused(patch):
        code, answer = tried(patch)
        assert code in (403, 422) and "the operator may" in answer["message"], (code, answer)
        return True

    policies()
    eventually(lambda: refused(take))
    policies(*TAKES)
    eventually(lambda: tried(take)[0] == 200)
    refused({"spec": ours})  # without the note it could not be given back
    refused(take | {"spec": ours | {"versionPriority": 7}})
    refused({"metadata": {"annotations": note, "labels": {"app": "x"}}, "spec": ours})
    refused(take | {"spec": ours | {"service": {"namespace": "default", "name": "x", "port": 443}}})
    assert cluster.request("PATCH", path, take, content=merge)[0] == 200
    back = {"service": before["spec"]["service"], "caBundle": None, "insecureSkipTLSVerify": True}
    refused({"metadata": {"annotations": no_note}, "spec": back | {"service": {"namespace": "default", "name": "x", "port": 1}}})
    refused({"metadata": {"annotations": no_note | {"team": None}}, "spec": back})
    assert tried({"metadata": {"annotations": no_note}, "spec": back})[0] == 200
    assert cluster.request("PATCH", path, {"metadata": {"annotations": no_note}, "spec": back}, content=merge)[0] == 200
