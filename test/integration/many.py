"""Many healthy InferenceAutoscalers of one engine on a control plane without nodes, and what they cost at rest.

Real are etcd, the API server, the controllers, the Prometheus and the pages that it scrapes. Pods are objects that
are said to be ready at this machine's loopback address, and the metrics API is a stand-in: prometheus-adapter would
ask the same Prometheus whose queries are counted here.
"""

import collections
import concurrent.futures
import http.server
import json
import os
import re
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from datetime import datetime, timezone

from chain_fixtures import adapter_comes_up, answers, free_port, register_metrics_api, stop_serving_metrics
from conftest import GROUP, eventually, smallest, tool
from operator_fixtures import (
    USER, Operator, Page, adapter_configmap, deployment, listening_port, set_status, unsigned_tls,
)

METRIC = "vllm_num_requests_running"
# What the page says, and so must all that comes behind it: values that disagree are looked at again and again.
RUNNING = re.search(r"^vllm:num_requests_running\{.*\} (\d+)", Page.page.decode(), re.M)[1]
VERSION = "custom.metrics.k8s.io/v1beta1"
# The handlers of Prometheus that answer questions; the rest are its page and its probes.
QUESTIONS = re.compile(r"/api/v1/")
HERE = {
    "phase": "Running",
    "podIP": "127.0.0.1",
    "podIPs": [{"ip": "127.0.0.1"}],
    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
}


def serve(handler, context=None):
    """A server on a port of this machine, with a thread of its own."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def page_handler(counts):
    """The pods' port: a vLLM page, whose reads are counted."""
    class Counted(Page):
        def do_GET(self):
            counts["pages"] += self.path == "/metrics"
            super().do_GET()

    return Counted


def metrics_api_handler(pods):
    """custom.metrics.k8s.io as prometheus-adapter serves it: `pods` says which pod has the label app=NAME."""
    base = f"/apis/{VERSION}"

    def value(path, query):
        ns, metric = re.fullmatch(base + r"/namespaces/([^/]+)/pods/\*/([^/]+)", urllib.parse.unquote(path)).groups()
        name = urllib.parse.parse_qs(query)["labelSelector"][0].removeprefix("app=")
        item = {
            "describedObject": {"kind": "Pod", "namespace": ns, "name": pods[name], "apiVersion": "/v1"},
            "metricName": metric, "timestamp": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "value": RUNNING,
        }
        return {"kind": "MetricValueList", "apiVersion": VERSION, "metadata": {}, "items": [item]}

    known = {
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": VERSION,
        "resources": [{"name": f"pods/{METRIC}", "namespaced": True, "kind": "MetricValueList", "verbs": ["get"]}],
    }

    class MetricsApi(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            path, _, query = self.path.partition("?")
            try:
                code, answer = 200, known if path == base else value(path, query)
            except (AttributeError, KeyError):
                code, answer = 404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404}
            body = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    return MetricsApi


def samples(url):
    """[(name, labels, value)] of a metrics page."""
    text = urllib.request.urlopen(url, timeout=30).read().decode()
    found = []
    for name, labels, value in re.findall(r"^([a-z_:]+)(?:\{(.*)\})? ([0-9.e+-]+)$", text, re.M):
        found.append((name, dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)))
    return found


class Many:
    """The autoscalers, and all around them that answers. close() ends it; the objects stay."""

    def __init__(self, cluster, namespaces, folder):
        self.cluster, self.namespaces, self.folder = cluster, namespaces, folder
        self.names, self.pods, self.counts = [], {}, collections.Counter()
        self.processes, self.operator = [], None
        self.page = serve(page_handler(self.counts))
        self.metrics_api = serve(metrics_api_handler(self.pods), unsigned_tls(folder))
        register_metrics_api(cluster, self.metrics_api.server_port)

    def close(self):
        stop_serving_metrics(self.cluster)
        if self.operator:
            self.stop_operator()
        for process in reversed(self.processes):
            process.terminate()
            process.wait(timeout=30)
        self.page.shutdown()
        self.metrics_api.shutdown()

    def namespace(self, name):
        """Each in turn."""
        return self.namespaces[int(name.removeprefix("server-")) % len(self.namespaces)]

    def start(self, program, *args):
        with open(self.folder / f"{os.path.basename(program)}.log", "wb") as log:
            self.processes.append(subprocess.Popen([program, *map(str, args)], stdout=log, stderr=log))
        return self.processes[-1]

    def start_prometheus(self, port, interval):
        """It scrapes the engine's page at this port once for each pod, every so many seconds."""
        self.interval, self.scraped, listen = interval, f"127.0.0.1:{port}", free_port()
        self.write_scrapes()
        self.prometheus = f"http://127.0.0.1:{listen}"
        self.start(
            tool("prometheus"), f"--config.file={self.folder / 'prometheus.yml'}", "--web.enable-lifecycle",
            f"--storage.tsdb.path={self.folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{listen}",
        )
        eventually(lambda: answers(f"{self.prometheus}/-/ready"), timeout=60)

    def write_scrapes(self):
        """As prometheus-operator would configure it for their ServiceMonitors; of a page's series those that count."""
        targets = [
            {"targets": [self.scraped], "labels": {
                "job": f"{name}-metrics", "service": f"{name}-metrics", "endpoint": "ias-metrics",
                "namespace": self.namespace(name), "pod": self.pods[name], "container": "server"}}
            for name in self.names
        ]
        (self.folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": f"{self.interval}s"},
            "scrape_configs": [{
                "job_name": "many", "static_configs": targets,
                "metric_relabel_configs": [
                    {"source_labels": ["__name__"], "regex": "vllm:num_requests_.*", "action": "keep"}],
            }],
        }))

    def create(self, count):
        """Adds autoscalers until there are so many, each with a Deployment and its pod, ready."""
        names = [f"server-{i:04}" for i in range(len(self.names), count)]
        port = self.page.server_port

        def post(path, body):
            code, answer = self.cluster.request("POST", path, body)
            assert code == 201, answer

        def make_deployment(name):
            ns = self.namespace(name)
            post(f"/apis/apps/v1/namespaces/{ns}/deployments", deployment(name, ns, {"app": name}, port))

        def make_ready(name):
            set_status(self.cluster, f"/api/v1/namespaces/{self.namespace(name)}/pods/{self.pods[name]}", HERE)

        def make_autoscaler(name):
            ns = self.namespace(name)
            # One replica: a new pod would never become ready here.
            target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
            post(f"/apis/{GROUP}/v1alpha1/namespaces/{ns}/inferenceautoscalers",
                 smallest(name, ns, scaleTargetRef=target, maxReplicas=1))

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(make_deployment, names))
            eventually(lambda: self.find_pods(count), timeout=60 + count, interval=1)
            list(pool.map(make_ready, names))
            list(pool.map(make_autoscaler, names))
        self.names += names
        self.write_scrapes()
        request = urllib.request.Request(f"{self.prometheus}/-/reload", method="POST")
        assert urllib.request.urlopen(request, timeout=60).status == 200

    def find_pods(self, count):
        for ns in self.namespaces:
            items = self.cluster.request("GET", f"/api/v1/namespaces/{ns}/pods")[1]["items"]
            self.pods.update((item["metadata"]["labels"]["app"], item["metadata"]["name"]) for item in items)
        return len(self.pods) == count

    def start_operator(self, kubeconfig, log):
        self.operator = Operator(kubeconfig, log, "--prometheus-url", self.prometheus)
        eventually(self.operator.synced, timeout=60)
        port = listening_port(self.operator.process.pid)
        self.operator_page = f"http://127.0.0.1:{port}/metrics"
        # The adapter is given the first one's rule, and rolls out.
        eventually(lambda: METRIC in adapter_configmap(self.cluster).data["config.yaml"], timeout=60)
        adapter_comes_up(self.cluster)

    def stop_operator(self):
        code = self.operator.stop() if self.operator.process.poll() is None else self.operator.process.returncode
        operator, self.operator = self.operator, None
        assert code == 0 and "Sanitizer" not in operator.log(), f"exit code {code}:\n{operator.log()}"

    def own(self, name):
        """A sample of the operator's own page."""
        return next(value for n, _, value in samples(self.operator_page) if n == f"inference_autoscaler_{name}")

    def broken(self):
        """How many are not Ready, by what their condition says."""
        path = f"/apis/{GROUP}/v1alpha1/namespaces/{{}}/inferenceautoscalers"
        items = [i for ns in self.namespaces for i in self.cluster.request("GET", path.format(ns))[1]["items"]]
        found = collections.Counter()
        for item in items:
            ready = [c for c in item.get("status", {}).get("conditions", []) if c["type"] == "Ready"]
            if not ready or ready[0]["status"] != "True":
                found[f"{ready[0]['reason']}: {ready[0]['message']}" if ready else "no status"] += 1
        return dict(found)

    def wait_healthy(self, timeout):
        def healthy():
            assert self.operator.process.poll() is None, f"the operator ended:\n{self.operator.log()}"
            return self.own("autoscalers_ready") == len(self.names)

        try:
            # Not often: the operator's page tells of each autoscaler, and is made for each read.
            eventually(healthy, timeout=timeout, interval=1 + len(self.names) / 200)
        except TimeoutError:
            raise TimeoutError(f"of {len(self.names)} autoscalers not Ready after {timeout} s: {self.broken()}") from None

    def counters(self):
        """What only grows, by name."""
        now = collections.Counter()
        for name, labels, value in samples(f"{self.prometheus}/metrics"):
            if QUESTIONS.match(labels.get("handler", "")):
                if name == "prometheus_http_requests_total":
                    now["queries", labels["handler"]] += value
                elif name == "prometheus_http_response_size_bytes_sum":
                    now["answered KiB", ""] += value / 1024
        for name in ("passes_total", "writes_total"):
            now[name.removesuffix("_total"), ""] = self.own(name)
        now["pages", ""] = self.counts["pages"]
        ticks = open(f"/proc/{self.operator.process.pid}/stat").read().rsplit(")", 1)[1].split()
        now["CPU seconds", ""] = (int(ticks[11]) + int(ticks[12])) / os.sysconf("SC_CLK_TCK")
        return now

    def requests(self, begin, end):
        """The operator's requests to the API server between these times of the wall, without watches, by its audit log."""
        found = collections.Counter()
        logs = os.path.join(os.path.dirname(self.cluster.kubeconfig), "logs")
        for log in sorted(os.listdir(logs)):
            if not log.startswith("audit"):
                continue
            with open(os.path.join(logs, log)) as lines:
                for line in lines:
                    if USER not in line:
                        continue
                    event = json.loads(line)
                    at = datetime.fromisoformat(event["requestReceivedTimestamp"]).timestamp()
                    if event["user"]["username"] == USER and begin <= at < end and event["stage"] == "ResponseComplete":
                        reference = event.get("objectRef", {})
                        group = reference.get("apiGroup", "")
                        resource = reference.get("resource", "")
                        found[event["verb"], f"{resource}.{group}" if group else resource] += 1
        return found

    def memory_mib(self):
        status = open(f"/proc/{self.operator.process.pid}/status").read()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M)[1]) / 1024

    def measure(self, seconds):
        """What these autoscalers cost per minute: {what: {detail: per minute}}, and the operator's memory."""
        begin, before, wall = time.monotonic(), self.counters(), time.time()
        time.sleep(seconds)
        after, minutes = self.counters(), (time.monotonic() - begin) / 60
        cost = collections.defaultdict(dict)
        for (what, detail), value in after.items():
            if value > before[what, detail] or not detail:
                cost[what][detail] = (value - before[what, detail]) / minutes
        for (verb, resource), count in sorted(self.requests(wall, time.time()).items()):
            cost["API requests"][f"{verb} {resource}"] = count / minutes
        return cost, self.memory_mib()
