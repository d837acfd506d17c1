"""Mode GPU in a cluster without a Prometheus resource: what reads the ServiceMonitor and the PrometheusRule is somebody
else's, as VictoriaMetrics' operator is, and `prometheus.url` is all that the operator is told of it. A real Prometheus
and a real adapter are given what those objects say."""

from http.server import ThreadingHTTPServer
import threading

import pytest
import yaml

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    ADAPTER,
    Autoscaler,
    Operator,
    Processes,
    adapter_comes_up,
    adapter_lists,
    engine_port,
    forget_rules,
    operator_kubeconfig,
    rules_with_ours,
    stack,
    start_adapter,
    start_prometheus,
    stop_serving_metrics,
    target,
)
from conftest import eventually
from operator_fixtures import Page

METRIC = "gpu_utilization_percent"
EXPORTER, SERVICE = "gpu-operator", "nvidia-dcgm-exporter"
MONITORING = "/apis/monitoring.coreos.com/v1"
PROMETHEUS = f"{MONITORING}/namespaces/{ADAPTER}/prometheuses"
RULE = f"{MONITORING}/namespaces/{ADAPTER}/prometheusrules/inference-autoscaler-gpu"
MONITOR = f"{MONITORING}/namespaces/{ADAPTER}/servicemonitors/inference-autoscaler-gpu.{EXPORTER}.{SERVICE}"


def pod_of(cluster, namespace):
    return cluster.core.list_namespaced_pod(namespace, label_selector="app=server").items[0].metadata.name


@pytest.fixture
def exporter(cluster, target):
    """The port of a DCGM exporter's page that says of the target's pod that its GPU is busy; its Service is there."""
    held = f'UUID="GPU-0",GPU_I_ID="",namespace="{target}",pod="{pod_of(cluster, target)}",container="server"'

    class Exporter(Page):
        page = f"# TYPE DCGM_FI_DEV_GPU_UTIL gauge\nDCGM_FI_DEV_GPU_UTIL{{{held}}} 40\n".encode()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cluster.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": EXPORTER}},
        {"apiVersion": "v1", "kind": "Service",
         "metadata": {"name": SERVICE, "namespace": EXPORTER, "labels": {"app": SERVICE}},
         "spec": {"selector": {"app": SERVICE}, "ports": [{"name": "gpu-metrics", "port": 9400}]}},
    )
    yield server.server_port
    server.shutdown()
    cluster.core.delete_namespace(EXPORTER)


@pytest.fixture
def without_resource(cluster, stack):
    """The Prometheus resource is away, and comes back at the end."""
    kept = cluster.request("GET", f"{PROMETHEUS}/k8s")[1]
    assert cluster.request("DELETE", f"{PROMETHEUS}/k8s")[0] == 200
    yield
    cluster.apply({"apiVersion": kept["apiVersion"], "kind": kept["kind"], "spec": kept["spec"],
                   "metadata": {"name": "k8s", "namespace": ADAPTER}})


@pytest.fixture
def processes(tmp_path, cluster):
    running = Processes(tmp_path)
    yield running
    stop_serving_metrics(cluster)
    running.stop()


def found(cluster, path):
    code, answer = cluster.request("GET", path)
    return answer if code == 200 else None


def evaluate(processes, rule):
    """Somebody loads the rule into Prometheus; a second is enough between two evaluations here."""
    rules, config = processes.folder / "rules.yml", processes.folder / "prometheus.yml"
    groups = [group | {"interval": "1s"} for group in rule["spec"]["groups"]]
    rules.write_text(yaml.safe_dump({"groups": groups}))
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"rule_files": [str(rules)]}))
    processes.scrapes.set(processes.scrapes.get())


def test_it_is_judged_by_its_series(cluster, target, without_resource, exporter, processes, operator_kubeconfig,
                                    prometheus_program, adapter_program, tmp_path):
    forget_rules(cluster)
    prometheus = "http://" + start_prometheus(processes, EXPORTER, "dcgm", "exporter-0", exporter,
                                              program=prometheus_program)
    scrapes = processes.scrapes.get()
    processes.scrapes.set([])
    operator = Operator(operator_kubeconfig, tmp_path / "operator.log", "--prometheus-url", prometheus,
                        "--monitor-labels", "team=metrics")
    try:
        eventually(operator.synced, timeout=20)
        autoscaler = Autoscaler(cluster, target).create(mode="GPU", maxReplicas=1)
        rule = eventually(lambda: found(cluster, RULE), timeout=30)
        monitor = eventually(lambda: found(cluster, MONITOR), timeout=30)
        assert rule["metadata"]["labels"]["team"] == monitor["metadata"]["labels"]["team"] == "metrics"
        autoscaler.waits_for("ScrapeSelected", "NoResource", timeout=30)

        processes.scrapes.set(scrapes)
        evaluate(processes, rule)
        start_adapter(processes, cluster, eventually(lambda: rules_with_ours(cluster), timeout=20), prometheus,
                      adapter_program)
        eventually(lambda: adapter_lists(cluster, METRIC), timeout=60)
        adapter_comes_up(cluster)
        autoscaler.waits_for("Ready", "Ready", timeout=120)
        autoscaler.waits_for("SeriesRecorded", "Recorded")
        autoscaler.delete()
        eventually(lambda: found(cluster, RULE) is None and found(cluster, MONITOR) is None, timeout=30)
    finally:
        operator.stop()
    assert "Sanitizer" not in operator.log(), operator.log()
