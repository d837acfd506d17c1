"""A real Prometheus that not everybody may ask, and what stands before one in the field: a proxy that wants a token.

    authority    signs certificates: authority.sign("name") gives the files of one and its key
    guarded      starts a Prometheus with a web configuration, and operators that ask it
"""

import http.client
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from chain_fixtures import Processes, start_prometheus
from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    Operator,
    engine_port,
    operator_kubeconfig,
    stack,
    target,
)

# What bcrypt makes of these passwords, so that nothing has to be installed for it.
BCRYPT = {
    "right": "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC",
    "new": "$2b$04$abcdefghijklmnopqrstuusf96eeUQLgQWR72RBesvIE8CjOJNM9O",
}


class Authority:
    """A CA of our own, whose certificate is the file `ca`."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.ca, self.key = self.make(name, "-x509")

    def make(self, name, *how):
        certificate, key = (self.folder / f"{self.name}-{name}.{end}" for end in ("crt", "key"))
        subprocess.run(
            ["openssl", "req", *how, "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={name}", "-keyout", key, "-out", certificate],
            check=True, capture_output=True,
        )
        return certificate, key

    def sign(self, name, address="IP:127.0.0.1"):
        """A certificate for the address, and its key."""
        return self.make(name, "-x509", "-CA", self.ca, "-CAkey", self.key, "-addext", f"subjectAltName={address}")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


class Guarded:
    def __init__(self, processes, namespace, pod, port, kubeconfig, folder):
        self.processes, self.namespace, self.pod, self.port = processes, namespace, pod, port
        self.kubeconfig, self.folder, self.operators = kubeconfig, folder, []
        self.config = folder / "web.yml"

    def configure(self, tls=None, users=None):
        """The web configuration, which Prometheus reads anew for every request."""
        new = self.config.with_suffix(".new")
        new.write_text(yaml.safe_dump({
            **({"tls_server_config": tls} if tls else {}),
            **({"basic_auth_users": {user: BCRYPT[password] for user, password in users.items()}} if users else {}),
        }))
        new.rename(self.config)

    def prometheus(self, *more):
        """Starts one; its HOST:PORT."""
        if self.config.exists():
            more = (f"--web.config.file={self.config}", *more)
        return start_prometheus(self.processes, self.namespace, "gemma", self.pod, self.port, *more)

    def operator(self, url, **options):
        """Runs one with --prometheus-url and further options --prometheus-…; it is the only one."""
        self.stop_operator()
        args = [f"--prometheus-{name.replace('_', '-')}={value}" for name, value in options.items()]
        log = self.folder / f"operator-{len(self.operators)}.log"
        operator = Operator(self.kubeconfig, log, "--prometheus-url", url, *args)
        self.operators.append(operator)
        eventually(operator.synced, timeout=20)
        return operator

    def stop_operator(self):
        for operator in self.operators:
            if operator.process.poll() is None:
                assert operator.stop() == 0, operator.log()
            assert "Sanitizer" not in operator.log(), operator.log()


@pytest.fixture
def guarded(cluster, target, engine_port, operator_kubeconfig, tmp_path):
    pod = cluster.core.list_namespaced_pod(target, label_selector="app=server").items[0].metadata.name
    processes = Processes(tmp_path)
    guarded = Guarded(processes, target, pod, engine_port, operator_kubeconfig, tmp_path)
    try:
        guarded.autoscaler = Autoscaler(cluster, target).create(maxReplicas=1)
        yield guarded
        guarded.stop_operator()
    finally:
        for operator in guarded.operators:
            if operator.process.poll() is None:
                operator.process.kill()
                operator.process.wait()
        processes.stop()


class Proxy:
    """What stands before a Prometheus, over TLS: passes requests on whose `token` is right, and answers others as
    `otherwise` says: (status, headers, body)."""

    def __init__(self, prometheus, certificate, key, token):
        self.token, self.tokens, self.headers = token, [], {}
        self.otherwise = (401, {"WWW-Authenticate": "Bearer"}, b"Unauthorized\n")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                given = self.headers.get("Authorization", "")
                outer.tokens.append(given)
                outer.headers = dict(self.headers)
                status, headers, body = outer.otherwise
                if given == f"Bearer {outer.token}":
                    inner = http.client.HTTPConnection(prometheus, timeout=5)
                    inner.request("GET", self.path)
                    answer = inner.getresponse()
                    status, headers, body = answer.status, {"Content-Type": "application/json"}, answer.read()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": len(body)}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
