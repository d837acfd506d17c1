"""What others say reaches the status in its bounds: of any length, and in bytes that are no UTF-8, it is written.

The API server refuses a status of which one string is too long, as a whole; then nobody learns what is wrong.
"""

import http.client
import json
import re
import ssl
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler, Operator, Page, make_pod_ready, operator_kubeconfig, stack, target,
)

LONG = 40000
FRENCH = "café fermé".encode("latin-1")


def serve(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


class Talkative(Page):
    """A vLLM whose version is a whole story."""

    def do_GET(self):
        if self.path != "/version":
            super().do_GET()
            return
        body = json.dumps({"version": "0.32." + 4000 * "0"}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def engine_port():
    server = serve(Talkative)
    yield server.server_port
    server.shutdown()


@pytest.fixture
def failing_prometheus(namespace):
    """Prometheus as the operator asks it: the pod's scrape fails, with the line that it cannot read in its words."""
    class Prometheus(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = urllib.parse.unquote(self.path)
            if asked.startswith("/api/v1/targets"):
                pool = re.search(r"scrapePool=([^&]+)", asked)[1]
                error = f"expected equal, got \"BCLOSE\" (\"}}\") while parsing: \"{LONG * 'é'}\""
                data = {"activeTargets": [{"scrapePool": pool, "lastError": error, "labels": {}}]}
            elif "count_values" in asked:
                metric = {"namespace": namespace, "job": "gemma-metrics", "up": "0"}
                data = {"resultType": "vector", "result": [{"metric": metric, "value": [time.time(), "1"]}]}
            else:
                data = {"resultType": "vector", "result": []}
            body = json.dumps({"status": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    server = serve(Prometheus)
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def proxy(operator_kubeconfig, tmp_path):
    """A kubeconfig by way of a proxy that cannot write HorizontalPodAutoscalers, and says so in Latin-1."""
    config = yaml.safe_load(operator_kubeconfig.read_text())
    upstream = urllib.parse.urlsplit(config["clusters"][0]["cluster"]["server"])
    unverified = ssl._create_unverified_context()

    class Proxy(BaseHTTPRequestHandler):
        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.close_connection = True
            if self.command in ("POST", "PATCH") and "/horizontalpodautoscalers" in self.path:
                self.send_response(502)
                self.send_header("Content-Length", str(len(FRENCH)))
                self.end_headers()
                self.wfile.write(FRENCH)
                return
            there = http.client.HTTPSConnection(upstream.hostname, upstream.port, context=unverified)
            there.request(self.command, self.path, body, dict(self.headers) | {"Connection": "close"})
            answer = there.getresponse()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "text/plain"))
            self.send_header("Connection", "close")
            self.end_headers()
            try:
                while chunk := answer.read1(65536):
                    self.wfile.write(chunk)
            except (ConnectionError, http.client.HTTPException):
                pass  # a watch ends
            there.close()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = forward

        def log_message(self, *args):
            pass

    server = serve(Proxy)
    for cluster in config["clusters"]:
        cluster["cluster"] = {"server": f"http://127.0.0.1:{server.server_port}"}
    path = tmp_path / "proxied"
    path.write_text(yaml.safe_dump(config))
    yield path
    server.shutdown()


@pytest.fixture
def run(tmp_path):
    """Runs an operator that logs JSON; each line of it has to be an object with a message."""
    running = []

    def start(kubeconfig, *args):
        operator = Operator(kubeconfig, tmp_path / "operator.log", "--log-format", "json", *args)
        running.append(operator)
        eventually(operator.synced, timeout=30)
        return operator

    yield start
    for operator in running:
        code = operator.stop()
        assert code == 0 and "Sanitizer" not in operator.log(), operator.log()
        for line in operator.log().splitlines():
            assert json.loads(line)["message"] and len(line) < 16384, line


def test_prometheus_words_and_a_version_of_any_length(cluster, target, operator_kubeconfig, failing_prometheus, run):
    run(operator_kubeconfig, "--prometheus-url", failing_prometheus)
    autoscaler = Autoscaler(cluster, target).create()
    said = autoscaler.waits_for("Ready", "ScrapeFailing", timeout=60)["message"]
    assert "expected equal" in said and "…" in said and len(said) < 1024, said
    version = autoscaler.get()["status"]["engine"]["version"]
    assert version.startswith("0.32.00") and version.endswith("…") and len(version) <= 128


def test_words_that_are_no_utf8(cluster, target, proxy, run):
    run(proxy)
    said = Autoscaler(cluster, target).create().waits_for("Ready", "WriteFailed", timeout=60)["message"]
    assert "caf? ferm? (HTTP 502)" in said, said
