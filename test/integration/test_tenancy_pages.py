"""Tenants on a real API server, beside what they write: what their pods serve, and what they ask the operator for. As in
test_tenancy.py, what was before an attack is after it.
"""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler

import pytest
from conftest import eventually, smallest
from operator_fixtures import Autoscaler, asks, serving
from test_tenancy import (  # noqa: F401  (fixtures are found by name)
    RESOURCE,
    engine_port,
    guard,
    operator_kubeconfig,
    stack,
    team_a,
    tenant,
    victim,
)

MIB = 1024 * 1024
RUNNING = "vllm:num_requests_running"


def samples(*lines):
    return ("# TYPE vllm:num_requests_running gauge\n" + "".join(f"{line}\n" for line in lines)).encode()


def body(data, kind="text/plain; version=0.0.4", status=200, **headers):
    """Serves this."""

    def answer(handler):
        whole = data.replace(b"{victim}", Hostile.victim.encode())
        handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(whole)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(whole)

    return answer


def stream(piece, pause=0.0, head=b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"):
    """Serves this again and again, until the reader has had enough."""

    def answer(handler):
        handler.wfile.write(head)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)

    return answer


def silent(handler):
    handler.connection.settimeout(20)
    handler.connection.recv(1)


def elsewhere(handler):
    """To what only this machine may ask, a port at which somebody waits for it."""
    body(b"", status=302, Location=f"http://127.0.0.1:{Hostile.other_port}/secret")(handler)


FORGED = samples(
    RUNNING + '{namespace="{victim}",pod="victim-0"} 1e9', RUNNING + '{exported_namespace="{victim}",exported_pod="victim-0"} 1e9',
    'DCGM_FI_DEV_GPU_UTIL{namespace="{victim}",pod="victim-0",UUID="GPU-0"} 100', 'up{namespace="{victim}"} 0',
    'inference_autoscaler:gpu_utilization:percent{namespace="{victim}",pod="victim-0"} 100')
PAGES = {
    "forged labels": body(FORGED),
    "no figure": body(samples(RUNNING + "{} NaN", RUNNING + '{a="b"} +Inf', RUNNING + '{a="c"} -1e308')),
    "one name twice": body(samples(RUNNING + "{} 1", RUNNING + "{} 2")),
    "many ranks": body(samples(*(RUNNING + '{' + 'a="",' * 10 + f'dp_rank="{i}"}} 1' for i in range(4096)))),
    "many labels": body(samples(RUNNING + "{" + ",".join(f'l{i}="x"' for i in range(4000)) + "} 1")),
    "a label without end": body(samples(RUNNING + '{a="' + "x" * MIB + '"} 1')),
    "lines without end": body(b"\n" * (4 * MIB)),
    "larger than is read": body(b"#" * (8 * MIB)),
    "no text": body(bytes(range(256)) * 4096),
    "words for a terminal": body(b"\x1b]0;x\x07\x1b[2J<script>alert(1)</script>", status=500),
    "another kind": body(b"\x0a\x00" * 1000, kind="application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily"),
    "packed": body(b"\x1f\x8b\x08" + b"\0" * MIB, Content_Encoding="gzip"),
    "a length that is not so": body(samples(RUNNING + " 1"), Content_Length=str(1 << 62)),
    "a length below nothing": body(samples(RUNNING + " 1"), Content_Length="-1"),
    "elsewhere": elsewhere,
    "a drip": stream(b"#", pause=0.2),
    "a stream": stream(b"#" * 65536 + b"\n"),
    "a head without end": stream(b"X-A: " + b"x" * 8000 + b"\r\n", head=b"HTTP/1.1 200 OK\r\n"),
    "heads before the head": stream(b"HTTP/1.1 100 Continue\r\n\r\n", head=b""),
    "no answer": silent,
    "no head": stream(b"\0", pause=0.01, head=b""),
}


class Hostile(BaseHTTPRequestHandler):
    """A pod's port, whose path says which page it serves; it counts who comes."""

    protocol_version = "HTTP/1.0"
    victim, other_port, came = "", 0, {}

    def do_GET(self):
        self.came[self.path] = self.came.get(self.path, 0) + 1
        where, _, number = self.path.rpartition("-")
        try:
            if where == "/page":
                PAGES[list(PAGES)[int(number)]](self)
            else:
                body(b"", status=404)(self)
        except OSError:
            pass  # the reader has had enough

    def log_message(self, *args):
        pass


class Secret(BaseHTTPRequestHandler):
    """What nobody is to be led to."""

    came = []

    def do_GET(self):
        self.came.append(self.path)
        body(b"secret")(self)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def hostile_port(guard):  # noqa: F811
    with serving(Hostile) as port, serving(Secret) as other:
        Hostile.victim, Hostile.other_port = guard.victim, other
        yield port


@pytest.mark.parametrize("page", PAGES)
def test_a_page_reaches_no_other_namespace(guard, hostile_port, page):  # noqa: F811
    """The tenant's pod serves it, and the operator reads it at least twice."""
    where = f"/page-{list(PAGES).index(page)}"
    path = RESOURCE.format(guard.mine)
    code, answer = guard.tenant.request("POST", path, smallest("attack", guard.mine, engine={
        "type": "VLLM", "port": hostile_port, "path": where}))
    assert code == 201, answer
    one = Autoscaler(guard.cluster, guard.mine, "attack")
    try:
        eventually(lambda: Hostile.came.get(where), timeout=60)
        guard.check(page)
        found = eventually(lambda: one.condition("MetricsExposed"), timeout=60)
        assert "secret" not in json.dumps(found) and "\x1b" not in found["message"]
        assert not Secret.came
    finally:
        assert guard.tenant.request("DELETE", f"{path}/attack")[0] == 200
    guard.check(page)


# What a tenant asks of the operator's port: (path, whose token, the status that is wanted).
ASKED = {
    "all without a token": ("/explain", None, 401),
    "all with a forged token": ("/explain", "eyJhbGciOiJub25lIn0.e30.", 401),
    "all with a token for others": ("/explain", "vault", 401),
    "the victim's": ("/explain/{victim}", "own", 403),
    "the victim's one": ("/explain/{victim}/victim", "own", 403),
    "the victim's as text": ("/explain.txt/{victim}/victim", "own", 403),
    "one that is not there": ("/explain/{victim}/none", "own", 403),
    "the operator's namespace": ("/explain/inference-autoscaler-system", "own", 403),
    "a path upwards": ("/explain/{mine}/../{victim}/victim", "own", (400, 403, 404)),
    "a path of codes": ("/explain/{mine}%2F..%2F{victim}%2Fvictim", "own", (400, 403, 404)),
    "a path with a query": ("/explain/{mine}?namespace={victim}", "own", (200, 403, 404)),
    "a path without end": ("/explain/" + "a" * 6000, "own", (400, 403, 404, 414, 431, 0)),
}


@pytest.fixture(scope="module")
def tokens(guard):  # noqa: F811
    def make(*more):
        return guard.cluster.kubectl("-n", guard.mine, "create", "token", guard.tenant.name, *more).stdout.strip()

    return {"own": make(), "vault": make("--audience=vault")}


@pytest.mark.parametrize("asked", ASKED)
def test_the_operators_port_tells_nothing_of_others(guard, tokens, asked):  # noqa: F811
    path, token, wanted = ASKED[asked]
    for name, place in guard.places.items():
        path = path.replace("{" + name + "}", place)
    try:
        status, text = asks(guard.port, path, tokens.get(token, token))
    except OSError:
        status, text = 0, ""  # hung up
    assert status in (wanted if isinstance(wanted, tuple) else (wanted,)), (status, text)
    # The refusal names what was asked for, and nothing else of it.
    assert "canary" in text or "ScrapeHealthy" not in text, text
    assert f"{guard.victim}/victim" not in text.replace(path, "") and "PrometheusNotReachable" not in text.split("canary")[0], text
    guard.check(asked)


def test_a_list_has_ones_own_alone(guard, tokens):  # noqa: F811
    for path in ("/explain", "/explain.txt", f"/explain/{guard.mine}"):
        status, text = asks(guard.port, path, tokens["own"])
        assert (status == 200 and "canary" in text) or (status == 403 and path != f"/explain/{guard.mine}"), (path, text)
        assert guard.victim not in text, path
    guard.check("a list")


def test_connections_that_ask_nothing_hold_up_nobody(guard):  # noqa: F811
    """Two hundred, of which half send a byte now and then."""
    ended, held = threading.Event(), []
    for number in range(200):
        client = socket.create_connection(("127.0.0.1", int(guard.port)), timeout=5)
        if number % 2:
            client.sendall(b"GET /explain HTTP/1.1\r\nHost: x\r\nX-A: ")
        held.append(client)

    def drip():
        while not ended.wait(0.5):
            for client in held[1::2]:
                try:
                    client.sendall(b"x")
                except OSError:
                    pass

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        guard.check("connections")
    finally:
        ended.set()
        thread.join()
        for client in held:
            client.close()
    guard.check("connections")
