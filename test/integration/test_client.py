"""The operator's API client against a real API server: TLS, proxies, credentials that change, lost connections."""

import base64
import json
import os
import pty
import shutil
import socket
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
import yaml

from conftest import eventually
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Autoscaler,
    Operator,
    engine_port,
    operator_kubeconfig,
    stack,
    target,
)


@pytest.fixture
def server(cluster):
    """(host, port) of the real API server."""
    url = yaml.safe_load(open(cluster.kubeconfig))["clusters"][0]["cluster"]["server"]
    host, port = url.removeprefix("https://").rsplit(":", 1)
    return host, int(port)


@pytest.fixture
def pki(cluster):
    """The folder of the cluster's certificates and keys."""
    folder = Path(cluster.kubeconfig).parent / "pki"
    assert (folder / "ca.key").exists(), f"'{folder}' holds no CA to sign client certificates with"
    return folder


@pytest.fixture
def run(operator_kubeconfig, tmp_path):
    """Runs an operator whose kubeconfig has other fields: run(*args, cluster={…}, user={…}, env={…})."""
    started = []

    def start(*args, cluster=None, user=None, env=None):
        document = yaml.safe_load(open(operator_kubeconfig))
        document["clusters"][0]["cluster"].update(cluster or {})
        if user is not None:
            document["users"][0]["user"] = user
        if "certificate-authority" in (cluster or {}):
            del document["clusters"][0]["cluster"]["certificate-authority-data"]
        path = tmp_path / f"kubeconfig-{len(started)}"
        path.write_text(yaml.safe_dump(document))
        started.append(Operator(path, tmp_path / f"operator-{len(started)}.log", *args, env=env))
        return started[-1]

    yield start
    for operator in started:
        if operator.process.poll() is None:
            operator.stop()
        assert "Sanitizer" not in operator.log(), operator.log()


class Relay:
    """A TCP relay to the API server: plain, or as an HTTP proxy that is asked by CONNECT."""

    def __init__(self, upstream, host="127.0.0.1", connect=False):
        self.upstream, self.connect, self.asked = upstream, connect, []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.listener = socket.create_server((host, 0), family=family)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, peer = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client, peer), daemon=True).start()

    def serve(self, client, peer):
        if self.connect:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            self.asked.append(head.split(b"\r\n")[0].decode())
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            self.asked.append(peer)
        upstream = socket.create_connection(self.upstream)
        threading.Thread(target=self.pump, args=(client, upstream), daemon=True).start()
        self.pump(upstream, client)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


STREAM = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1"


def streamed(cluster):
    """How many streaming lists the API server has given."""
    lines = cluster.kubectl("get", "--raw", "/metrics").stdout.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines
               if line.startswith("apiserver_watch_list_duration_seconds_count"))


def test_the_list_is_streamed_where_the_server_can(run, cluster):
    first = cluster.kubectl("get", "--raw", f"/api/v1/namespaces?{STREAM}").stdout.splitlines()[0]
    able = json.loads(first)["type"] != "ERROR"
    before = streamed(cluster)
    operator = run("--log-level", "debug")
    eventually(operator.synced, timeout=20)
    fallbacks = operator.log().count("no streaming list to be had")
    print(f"\nthe API server {'streams' if able else 'cannot stream'}: {streamed(cluster) - before:.0f} streaming lists, "
          f"{fallbacks} in pages")
    if able:
        assert streamed(cluster) - before >= 5 and fallbacks == 0
    else:
        assert streamed(cluster) == before and fallbacks >= 5


def test_tls_server_name_is_what_is_verified(run):
    right = run(cluster={"tls-server-name": "kubernetes.default.svc"})
    eventually(right.synced, timeout=20)
    wrong = run(cluster={"tls-server-name": "elsewhere.example"})
    eventually(lambda: "cannot trust the certificate" in wrong.log(), timeout=20)
    assert not wrong.synced()


def test_an_ipv6_server_is_reached(run, server):
    relay = Relay(server, host="::1")
    operator = run(cluster={"server": f"https://[::1]:{relay.port}", "tls-server-name": "kubernetes.default.svc"})
    eventually(operator.synced, timeout=20)
    assert relay.asked


def test_proxy_url_is_used(run, server):
    proxy = Relay(server, connect=True)
    operator = run(cluster={"proxy-url": f"http://127.0.0.1:{proxy.port}"})
    eventually(operator.synced, timeout=20)
    assert set(proxy.asked) == {f"CONNECT {server[0]}:{server[1]} HTTP/1.1"}


@pytest.mark.parametrize(("no_proxy", "through"), [("", True), ("127.0.0.0/8", False), ("10.96.0.0/12", True)])
def test_proxy_of_the_environment(run, server, no_proxy, through):
    proxy = Relay(server, connect=True)
    operator = run(env={"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "NO_PROXY": no_proxy})
    eventually(operator.synced, timeout=20)
    assert bool(proxy.asked) == through


def test_a_new_ca_is_trusted_without_a_restart(run, pki, tmp_path):
    ca = tmp_path / "ca.crt"
    shutil.copy(pki / "front-proxy-ca.crt", ca)
    operator = run(cluster={"certificate-authority": str(ca)})
    eventually(lambda: "cannot trust the certificate" in operator.log(), timeout=20)
    shutil.copy(pki / "ca.crt", ca)
    eventually(operator.synced, timeout=40)


def sign(pki, folder, name, ca="ca"):
    """A client certificate of a cluster admin called `name`: paths of certificate and key."""
    key, request, cert = (folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-subj", f"/O=system:masters/CN={name}", "-out", request], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", pki / f"{ca}.crt", "-CAkey", pki / f"{ca}.key",
                    "-set_serial", str(time.time_ns()), "-days", "1", "-out", cert], check=True, capture_output=True)
    return cert, key


def writers(cluster):
    """Names of all who wrote a HorizontalPodAutoscaler, in order, from the API server's audit log."""
    with open(Path(cluster.kubeconfig).parent / "logs" / "audit.log") as lines:
        events = [json.loads(line) for line in lines]
    return [e["user"]["username"] for e in events
            if e.get("objectRef", {}).get("resource") == "horizontalpodautoscalers" and e["verb"] not in {"get", "list"}]


def test_a_new_client_certificate_is_used_without_a_restart(run, cluster, target, pki, tmp_path):
    # One that the API server does not know, and then one that it does: after a 401 the files are read again.
    stranger, strangers_key = sign(pki, tmp_path, "stranger", ca="front-proxy-ca")
    cert, key = tmp_path / "client.crt", tmp_path / "client.key"
    shutil.copy(stranger, cert)
    shutil.copy(strangers_key, key)
    operator = run(user={"client-certificate": str(cert), "client-key": str(key)})
    eventually(lambda: "Unauthorized" in operator.log(), timeout=20)
    known, knowns_key = sign(pki, tmp_path, "known-by-files")
    shutil.copy(known, cert)  # in between the two do not belong together
    time.sleep(2)
    shutil.copy(knowns_key, key)
    eventually(operator.synced, timeout=40)
    Autoscaler(cluster, target).create().waits_for_children()
    assert "known-by-files" in writers(cluster)


PLUGIN = """#!/usr/bin/env python3
import datetime, json, os, pathlib, sys
here = pathlib.Path(__file__).parent
info = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
with open(here / "runs", "a") as runs:
    runs.write(json.dumps([sys.argv[1:], os.environ["ROLE"], info]) + "\\n")
name = (here / "name").read_text()
expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=12)
json.dump({
    "apiVersion": info["apiVersion"], "kind": "ExecCredential",
    "status": {
        "clientCertificateData": (here / f"{name}.crt").read_text(),
        "clientKeyData": (here / f"{name}.key").read_text(),
        "expirationTimestamp": expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    },
}, sys.stdout)
"""


def operators(cluster):
    """Who of the plugin's users wrote; the cluster's own controllers write all the time."""
    return [user for user in writers(cluster) if user.startswith("exec-")]


def test_certificates_of_an_exec_plugin_follow_each_other(run, cluster, target, pki, tmp_path):
    for name in ("exec-one", "exec-two"):
        sign(pki, tmp_path, name)
    plugin = tmp_path / "plugin"
    plugin.write_text(PLUGIN)
    plugin.chmod(stat.S_IRWXU)
    (tmp_path / "name").write_text("exec-one")
    operator = run(user={"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "args": ["--for", "$(cluster)"],
        "env": [{"name": "ROLE", "value": "operator"}], "interactiveMode": "Never", "provideClusterInfo": True,
    }})
    eventually(operator.synced, timeout=20)
    one = Autoscaler(cluster, target).create()
    one.waits_for_children()
    assert operators(cluster)[-1] == "exec-one"
    runs = [json.loads(line) for line in (tmp_path / "runs").read_text().splitlines()]
    arguments, role, info = runs[0]
    assert (arguments, role) == (["--for", "$(cluster)"], "operator")
    assert info["spec"]["cluster"]["server"].startswith("https://")
    assert b"BEGIN CERTIFICATE" in base64.b64decode(info["spec"]["cluster"]["certificate-authority-data"])

    # Two seconds of its twelve are left for use; then the next request brings the next certificate.
    (tmp_path / "name").write_text("exec-two")
    time.sleep(3)
    one.patch({"maxReplicas": 7})
    eventually(lambda: one.child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 7)
    assert operators(cluster)[-1] == "exec-two"


ASKING_PLUGIN = """#!/bin/sh
printf 'password? ' >&2
read -r answer
[ "$answer" = open ] || { echo "wrong: '$answer'" >&2; exit 1; }
cat "${0%/*}/credential"
"""


def test_an_exec_plugin_may_ask_at_the_terminal(operator_kubeconfig, tmp_path):
    document = yaml.safe_load(open(operator_kubeconfig))
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                  "status": document["users"][0]["user"]}
    (tmp_path / "credential").write_text(yaml.safe_dump(credential))
    plugin = tmp_path / "plugin"
    plugin.write_text(ASKING_PLUGIN)
    plugin.chmod(stat.S_IRWXU)
    document["users"][0]["user"] = {"exec": {
        "apiVersion": credential["apiVersion"], "command": "./plugin", "interactiveMode": "Always",
    }}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(document))
    ours, its = pty.openpty()
    operator = Operator(kubeconfig, tmp_path / "operator.log", stdin=its)
    try:
        eventually(lambda: "password? " in operator.log(), timeout=20)
        os.write(ours, b"open\n")
        eventually(operator.synced, timeout=20)
    finally:
        assert operator.stop() == 0, operator.log()


def test_a_missing_exec_plugin_is_named_with_its_hint(run):
    operator = run(user={"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin", "interactiveMode": "Never",
        "installHint": "install it from the cloud's console",
    }})
    eventually(lambda: "exec plugin 'no-such-plugin' cannot be run: no such file or directory: "
                       "install it from the cloud's console" in operator.log(), timeout=20)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("iptables"), reason="only root can make packets vanish")
def test_a_connection_that_vanished_is_noticed(run, cluster, target, server):
    """Half-open TCP: no packet of the connection arrives any more, in either direction, and nobody says so."""
    relay = Relay(server)
    host = f"https://127.0.0.1:{relay.port}"
    operator = run(cluster={"server": host})
    eventually(operator.synced, timeout=20)
    one = Autoscaler(cluster, target).create()
    one.waits_for_children()
    ours = [port for _, port in relay.asked]
    rules = [["OUTPUT", "-o", "lo", "-p", "tcp", way, str(ours_port), other, str(relay.port), "-j", "DROP"]
             for ours_port in ours for way, other in (("--sport", "--dport"), ("--dport", "--sport"))]
    try:
        for rule in rules:
            subprocess.run(["iptables", "-w", "-I", *rule], check=True, capture_output=True)
        start = time.monotonic()
        one.patch({"maxReplicas": 7})
        eventually(lambda: one.child("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 7, timeout=90)
        took = time.monotonic() - start
    finally:
        for rule in rules:
            subprocess.run(["iptables", "-w", "-D", *rule], check=True, capture_output=True)
    print(f"\na vanished connection was replaced, and the change acted on, after {took:.1f} s")
    assert took <= 60
