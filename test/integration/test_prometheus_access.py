"""A Prometheus that not everybody may ask: what is said of a credential or a certificate that is not right, and that
the right one heals it, without a restart where only a file has changed."""

import socket
import threading

import pytest

from access_fixtures import (  # noqa: F401  (fixtures are found by name)
    Authority,
    Proxy,
    authority,
    engine_port,
    guarded,
    operator_kubeconfig,
    stack,
    target,
)
from conftest import eventually
from operator_fixtures import explained, listening_port


def fails(guarded, reason, *says):
    """Waits until this is said, by this operator; the message."""
    def told():
        condition = guarded.autoscaler.condition("ScrapeHealthy")
        assert condition and condition["reason"] == reason, condition
        for words in says:
            assert str(words) in condition["message"], condition
        return condition["message"]

    return eventually(told, timeout=30)


def works(guarded):
    """Waits until the operator has seen that Prometheus scrapes the pods, and asks for its word of that."""
    port, one = listening_port(guarded.operators[-1].process.pid), guarded.autoscaler

    def scraped():
        evidence = explained(one.cluster, port, f"/explain/{one.namespace}/{one.name}")["evidence"] or {}
        return evidence.get("prometheus", {}).get("up")

    eventually(scraped, timeout=40)
    if not (said := one.condition("ScrapeHealthy")) or said["reason"] != "Scraped":
        one.edit()
    return one.waits_for("ScrapeHealthy", "Scraped")


@pytest.fixture
def secret(tmp_path):
    """A file as the kubelet mounts one: replaced as a whole."""
    path = tmp_path / "secret"

    def write(text):
        new = path.with_suffix(".new")
        new.write_text(text)
        new.rename(path)
        return path

    return write


def test_basic_auth_over_tls(guarded, authority, secret):
    certificate, key = authority.sign("prometheus")
    guarded.configure({"cert_file": str(certificate), "key_file": str(key)}, {"operator": "right"})
    url = f"https://{guarded.prometheus()}"

    # Nothing is known of it: first its CA, then who may ask.
    guarded.operator(url)
    fails(guarded, "PrometheusTLSFailed", url, "cannot trust the certificate", "--prometheus-ca-file", "prometheus.tls")
    guarded.operator(url, ca_file=authority.ca)
    fails(guarded, "PrometheusUnauthorized", url, "HTTP 401", "--prometheus-token-file", "--prometheus-password-file")

    # A wrong password, which is then corrected in its file.
    password = secret("wrong\n")
    operator = guarded.operator(url, ca_file=authority.ca, username="operator", password_file=password)
    fails(guarded, "PrometheusUnauthorized", "user 'operator'", f"--prometheus-password-file '{password}'", "HTTP 401")
    secret("right\n")
    works(guarded)
    assert "right" not in operator.log() and "wrong" not in operator.log()

    # Both sides get a new one, the server first, as with two Secrets.
    guarded.configure({"cert_file": str(certificate), "key_file": str(key)}, {"operator": "new"})
    fails(guarded, "PrometheusUnauthorized", "user 'operator'")
    secret("new\n")
    works(guarded)


def test_another_ca(guarded, authority, tmp_path):
    certificate, key = authority.sign("prometheus")
    guarded.configure({"cert_file": str(certificate), "key_file": str(key)})
    url = f"https://{guarded.prometheus()}"
    trusted = tmp_path / "trusted.crt"
    trusted.write_bytes(Authority(tmp_path, "stranger").ca.read_bytes())

    guarded.operator(url, ca_file=trusted)
    fails(guarded, "PrometheusTLSFailed", "the CA of --prometheus-ca-file has not signed it")
    trusted.write_bytes(authority.ca.read_bytes())
    works(guarded)


def test_another_name(guarded, authority):
    certificate, key = authority.sign("prometheus", "DNS:prometheus.example")
    guarded.configure({"cert_file": str(certificate), "key_file": str(key)})
    url = f"https://{guarded.prometheus()}"

    guarded.operator(url, ca_file=authority.ca)
    fails(guarded, "PrometheusTLSFailed", "--prometheus-tls-server-name")
    guarded.operator(url, ca_file=authority.ca, tls_server_name="prometheus.example")
    works(guarded)


def test_client_certificate(guarded, authority):
    certificate, key = authority.sign("prometheus")
    guarded.configure({
        "cert_file": str(certificate), "key_file": str(key), "client_ca_file": str(authority.ca),
        "client_auth_type": "RequireAndVerifyClientCert",
    })
    url = f"https://{guarded.prometheus()}"

    guarded.operator(url, ca_file=authority.ca)
    fails(guarded, "PrometheusTLSFailed", "--prometheus-client-tls-cert-file", "prometheus.tls.clientSecret")
    certificate, key = authority.sign("operator")
    guarded.operator(url, ca_file=authority.ca, client_tls_cert_file=certificate, client_tls_key_file=key)
    works(guarded)


def test_plain_and_tls_mixed_up(guarded, authority):
    certificate, key = authority.sign("prometheus")
    guarded.configure({"cert_file": str(certificate), "key_file": str(key)})
    place = guarded.prometheus()

    guarded.operator(f"http://{place}")
    fails(guarded, "PrometheusTLSFailed", "speaks TLS only", "--prometheus-url", "https")
    log = guarded.operator(f"https://{place}", insecure_skip_verify="true").log()
    works(guarded)
    assert "anybody may pass for Prometheus" in log


def test_tls_where_there_is_none(guarded):
    guarded.operator(f"https://{guarded.prometheus()}")
    fails(guarded, "PrometheusTLSFailed", "it speaks no TLS", "--prometheus-url", "with http")


def test_a_path_before_the_api(guarded):
    place = guarded.prometheus("--web.route-prefix=/team/prom", "--web.external-url=http://prometheus.example/team/prom")

    guarded.operator(f"http://{place}")
    fails(guarded, "NotPrometheus", f"'http://{place}'", "--prometheus-url", "path")
    guarded.operator(f"http://{place}/team/prom/")
    works(guarded)


@pytest.fixture
def proxy(guarded, authority):
    running = Proxy(guarded.prometheus(), *authority.sign("proxy"), token="first")
    yield running
    running.stop()


def test_a_token_that_rotates(guarded, authority, proxy, secret):
    token = secret("first")
    operator = guarded.operator(
        proxy.url, ca_file=authority.ca, token_file=token, header="X-Scope-OrgID: tenant"
    )
    since = works(guarded)["lastTransitionTime"]
    assert proxy.headers["X-Scope-OrgID"] == "tenant"

    # The kubelet writes the next one, and soon only that is taken.
    secret("second")
    proxy.token = "second"
    eventually(lambda: "Bearer second" in proxy.tokens, timeout=15)
    assert proxy.tokens.count("Bearer first") and proxy.tokens[-1] == "Bearer second"
    assert works(guarded)["lastTransitionTime"] == since, "a rotation is no failure"

    # One that nobody takes is told, and no secret with it.
    proxy.token = "third"
    message = fails(guarded, "PrometheusUnauthorized", f"--prometheus-token-file '{token}'", "HTTP 401", "Unauthorized")
    assert "second" not in message and "second" not in operator.log()
    secret("third")
    works(guarded)


def test_a_token_without_the_right(guarded, authority, proxy, secret):
    proxy.token = "another"
    proxy.otherwise = (403, {}, b"Forbidden (user=system:serviceaccount:a:b, verb=get, resource=, subresource=)\n")
    guarded.operator(proxy.url, ca_file=authority.ca, token_file=secret("first"))
    fails(guarded, "PrometheusUnauthorized", "HTTP 403: Forbidden (user=system:serviceaccount:a:b", "give it the right")


def test_a_login_page_gets_no_token(guarded, authority, proxy, secret):
    came = []
    with socket.create_server(("127.0.0.1", 0)) as login:
        threading.Thread(target=lambda: came.append(login.accept()), daemon=True).start()
        page = f"http://127.0.0.1:{login.getsockname()[1]}/login"
        proxy.token = "another"
        proxy.otherwise = (302, {"Location": f"{page}?state=s3cret"}, b"")
        guarded.operator(proxy.url, ca_file=authority.ca, token_file=secret("first"))
        message = fails(guarded, "NotPrometheus", f"'{page}'", "HTTP 302", "not followed", "login page")
        assert "s3cret" not in message and not came
    proxy.otherwise = (200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>Log in</html>")
    fails(guarded, "NotPrometheus", "a web page", "--prometheus-url")
