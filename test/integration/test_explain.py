"""`explain`: the chain of a live resource, read from its status; without an operator, so that each status is ours."""

import json
import os
import pty
import re
import subprocess
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import eventually, smallest
from operator_fixtures import (
    OPERATOR,
    Autoscaler,
    Page,
    address,
    deployment,
    explained,
    lets_get,
    listening_port,
    make_pod_ready,
    set_status,
    token_of,
    write_kubeconfig,
)

LINKS = [
    "Accepted", "TargetFound", "TargetExclusive", "MetricsExposed", "ScrapeSelected", "ScrapeHealthy", "SeriesFresh",
    "AdapterConfigured", "MetricServed", "ScalingActive",
]


@pytest.fixture
def explain(cluster):
    """Runs explain with arguments; a finished process."""
    def run(*args, kubeconfig=None, env=None):
        return subprocess.run(
            [OPERATOR, "explain", "--kubeconfig", str(kubeconfig or cluster.kubeconfig), *args],
            capture_output=True, text=True, timeout=60, env=os.environ | (env or {}),
        )

    return run


def condition(type, status, reason, message, generation=1):
    return {
        "type": type, "status": status, "reason": reason, "message": message, "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def status(broken=None, message="", generation=1, **more):
    """As the operator writes it; `broken` is the first link that is not True."""
    conditions, passed = [], False
    for link in LINKS:
        if link == broken:
            passed = True
            conditions.append(condition(link, "False", "ItBroke", message, generation))
        elif passed:
            conditions.append(condition(link, "Unknown", "UpstreamBroken", f"{broken} comes first", generation))
        else:
            conditions.append(condition(link, "True", "Works", f"{link} works", generation))
    if broken:
        conditions.append(condition("Ready", "False", "ItBroke", f"{broken}: {message}", generation))
    else:
        conditions.append(condition("Ready", "True", "Ready", "every link works", generation))
    return {
        "observedGeneration": generation,
        "engine": {"type": "VLLM", "port": 8000, "path": "/metrics"},
        "replicas": {"current": 2, "desired": 3},
        "signals": [{"name": "Running", "metric": "vllm_num_requests_running", "target": "4", "served": not broken}],
        "children": [{"kind": "Service", "namespace": "n", "name": "gemma-metrics"}],
        "conditions": conditions,
        **more,
    }


@pytest.fixture
def gemma(cluster, crd, namespace):
    """An InferenceAutoscaler without an operator."""
    cluster.apply(smallest("gemma", namespace))
    return Autoscaler(cluster, namespace)


def test_a_working_chain_is_0(cluster, gemma, explain):
    set_status(cluster, gemma.path, status())
    done = explain("gemma", "-n", gemma.namespace)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"{gemma.namespace}/gemma scales Deployment server, mode Requests"
    chain = lines[1:1 + len(LINKS)]
    assert [line.split()[:3] for line in chain[:-1]] == [["├─", "✓", link] for link in LINKS[:-1]]
    assert chain[-1].split()[:3] == ["└─", "✓", LINKS[-1]]
    assert "engine    VLLM, port 8000, path /metrics" in lines
    assert "signal    Running: vllm_num_requests_running, target 4 per replica, served" in lines
    assert "replicas  2 now, 3 wanted, from 1 to 5" in lines
    assert "children  Service gemma-metrics" in lines
    assert "\033" not in done.stdout


def test_the_broken_link_stands_apart(cluster, gemma, explain):
    says = "ServiceMonitor 'x' is selected by no Prometheus: set release=prometheus"
    set_status(cluster, gemma.path, status("ScrapeSelected", says))
    done = explain(f"{gemma.namespace}/gemma")
    assert (done.returncode, done.stderr) == (1, "")
    marks = [line.split()[1] for line in done.stdout.splitlines()[1:1 + len(LINKS)]]
    assert marks == ["✓"] * 4 + ["✗"] + ["?"] * 5
    tree, apart = done.stdout.split("\n\n")
    assert says not in tree
    heading, message = apart.splitlines()
    assert heading.startswith("✗ not ready: ItBroke, for ")
    assert message == f"  ScrapeSelected: {says}"


def test_advice_stands_beside_the_chain(cluster, gemma, explain):
    found = status(advice=[{"reason": "RelistLong", "message": "every 10m: set it to 1m"}])
    found["conditions"].append(condition("Advice", "True", "RelistLong", "every 10m: set it to 1m"))
    set_status(cluster, gemma.path, found)
    done = explain("gemma", "-n", gemma.namespace)
    assert (done.returncode, done.stderr) == (0, "")
    assert "advice    RelistLong: every 10m: set it to 1m" in done.stdout.splitlines()
    told = json.loads(explain("gemma", "-n", gemma.namespace, "-o", "json").stdout)
    assert told["works"] and told["advice"] == found["advice"]
    assert [link["type"] for link in told["chain"]] == LINKS


def test_a_stale_status_is_1_and_says_so(cluster, gemma, explain):
    set_status(cluster, gemma.path, status())
    gemma.patch({"maxReplicas": 7})
    done = explain("gemma", "-n", gemma.namespace)
    assert done.returncode == 1
    assert "! the status speaks of generation 1, the spec is at 2" in done.stdout


def test_no_conditions_point_at_the_operator(gemma, explain):
    done = explain("gemma", "-n", gemma.namespace)
    assert done.returncode == 1
    assert "! no operator has looked at it yet: is one running?" in done.stdout


def test_a_failed_write_is_told_although_all_links_work(cluster, gemma, explain):
    found = status()
    found["conditions"][-1] = condition("Ready", "False", "WriteFailed", "cannot apply Service 'a/b': forbidden")
    set_status(cluster, gemma.path, found)
    done = explain("gemma", "-n", gemma.namespace)
    assert done.returncode == 1
    assert "✗ not ready: WriteFailed" in done.stdout and "cannot apply Service 'a/b': forbidden" in done.stdout


def test_json_for_machines(cluster, gemma, explain):
    set_status(cluster, gemma.path, status("ScrapeHealthy", "refused: mend it"))
    done = explain("gemma", "-n", gemma.namespace, "-o", "json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["namespace"], told["name"], told["mode"]) == (gemma.namespace, "gemma", "Requests")
    assert (told["works"], told["ready"], told["stale"], told["warnings"]) == (False, "False", False, [])
    assert (told["broken"], told["reason"]) == ("ScrapeHealthy", "ItBroke")
    assert told["message"] == "ScrapeHealthy: refused: mend it"
    assert [link["type"] for link in told["chain"]] == LINKS
    assert told["replicas"] == {"current": 2, "desired": 3, "min": 1, "max": 5}
    assert told["signals"] == status("x")["signals"]


def test_several_at_once(cluster, gemma, explain):
    set_status(cluster, gemma.path, status())
    cluster.apply(smallest("second", gemma.namespace))
    done = explain("-n", gemma.namespace, "-o", "json")
    assert done.returncode == 1
    assert [(i["name"], i["works"]) for i in json.loads(done.stdout)["items"]] == [("gemma", True), ("second", False)]
    everywhere = explain("-A", "-o", "json")
    assert {"gemma", "second"} <= {
        i["name"] for i in json.loads(everywhere.stdout)["items"] if i["namespace"] == gemma.namespace
    }


def test_what_is_not_there(cluster, crd, namespace, explain):
    done = explain("nobody", "-n", namespace)
    assert done.returncode == 1 and "nobody" in done.stderr
    done = explain("-n", namespace)
    assert done.returncode == 1 and f"there is no InferenceAutoscaler in namespace {namespace}" in done.stderr


def test_no_connection_is_2(tmp_path, explain):
    done = explain("gemma", kubeconfig=tmp_path / "none")
    assert done.returncode == 2 and "none" in done.stderr
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {token: t}}]\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:9'}}]\n"
    )
    done = explain("gemma", kubeconfig=elsewhere)
    assert done.returncode == 2 and "127.0.0.1:9" in done.stderr


def on_a_terminal(cluster, gemma, env):
    """What explain writes to a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [OPERATOR, "explain", "--kubeconfig", cluster.kubeconfig, "gemma", "-n", gemma.namespace],
        stdout=slave, env={k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | env,
    )
    os.close(slave)
    written = b""
    try:
        while piece := os.read(master, 65536):
            written += piece
    except OSError:  # the other end was closed
        pass
    process.wait(timeout=30)
    os.close(master)
    return written.decode()


def test_colour_only_on_a_terminal_that_wants_it(cluster, gemma):
    set_status(cluster, gemma.path, status())
    assert "\033[32m✓" in on_a_terminal(cluster, gemma, {})
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        written = on_a_terminal(cluster, gemma, env)
        assert "✓" in written and "\033" not in written


def test_a_strangers_words_cannot_command_the_terminal(cluster, gemma, explain):
    set_status(cluster, gemma.path, status("ScrapeHealthy", "red \033[31m, bell \007, \u009b31m, ümlaut"))
    done = explain("gemma", "-n", gemma.namespace)
    assert "red ?[31m, bell ?, ?31m, ümlaut" in done.stdout


class Hops(BaseHTTPRequestHandler):
    """A pod's page and a Prometheus in one; keeps the headers that it was sent."""

    def do_GET(self):
        self.server.heads.append((self.path, dict(self.headers)))
        answer = Page.page
        if self.path.startswith("/prefix/api/v1/query?"):
            promql = urllib.parse.parse_qs(self.path.partition("?")[2])["query"][0]
            assert f'namespace="{self.server.namespace}"' in promql and 'namespace!=""' not in promql
            answer = json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
                {"metric": {"namespace": self.server.namespace, "pod": pod}, "value": [0, value]}
                for pod, value in ((self.server.pod, "11"), ("somebody-elses", "99"))]}}).encode()
        elif self.path != "/metrics":
            answer = None
        self.send_response(200 if answer else 404)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(answer or b"")

    def log_message(self, *args):
        pass


@pytest.fixture
def hops(cluster, stack, gemma):  # noqa: F811
    """A target whose pod can be reached, and a Prometheus resource whose Service leads to the same place."""
    own, ns = address(), gemma.namespace
    server = ThreadingHTTPServer((own, 0), Hops)
    server.heads, server.namespace = [], ns
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cluster.apply(deployment("server", ns, {"app": "server"}, server.server_port))
    make_pod_ready(cluster, ns)
    (pod,) = cluster.core.list_namespaced_pod(ns, label_selector="app=server").items
    server.pod = pod.metadata.name
    set_status(cluster, f"/api/v1/namespaces/{ns}/pods/{server.pod}",
               {"phase": "Running", "podIP": own, "podIPs": [{"ip": own}]})
    cluster.apply({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "prom", "namespace": ns},
        "spec": {"ports": [{"name": "web", "port": 80, "targetPort": server.server_port}]},
    }, {
        "apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "prom", "namespace": ns},
        # The API server proxies to pods only.
        "subsets": [{"addresses": [{"ip": own, "targetRef": {"kind": "Pod", "namespace": ns, "name": server.pod}}],
                     "ports": [{"name": "web", "port": server.server_port}]}],
    }, {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "prom", "namespace": ns},
        "spec": {"serviceName": "prom", "routePrefix": "/prefix",
                 "serviceMonitorSelector": {"matchLabels": {"team": "ours"}}},
    }, {
        "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "metadata": {"name": "gemma", "namespace": ns, "labels": {"team": "ours"}},
        "spec": {"selector": {}, "endpoints": [{"port": "metrics"}]},
    })
    # Until the API server has seen that there is somewhere to proxy to.
    proxied = f"/api/v1/namespaces/{ns}/services/prom:80/proxy/metrics"
    eventually(lambda: cluster.request("GET", proxied)[0] == 200, timeout=30)
    server.heads.clear()
    found = status()
    found["engine"]["port"] = server.server_port
    found["children"].append({"kind": "ServiceMonitor", "namespace": ns, "name": "gemma"})
    set_status(cluster, gemma.path, found)
    yield server
    cluster.kubectl("-n", ns, "delete", "prometheus", "prom")
    server.shutdown()


def test_values_are_read_with_ones_own_rights(cluster, gemma, hops, explain):
    (on_page,) = re.findall(rb"^vllm:num_requests_running\{.*\} ([0-9]+)", Page.page, re.MULTILINE)
    assert "PROMETHEUS" not in explain("gemma", "-n", gemma.namespace).stdout
    done = explain("gemma", "-n", gemma.namespace, "--values", "-o", "json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    (values,) = told["values"]
    assert values["pods"] == [{"pod": hops.pod, "page": on_page.decode(), "prometheus": "11"}], "\n".join(told["warnings"])
    # There is no metrics API here, and it is said.
    (warning,) = told["warnings"]
    assert warning.startswith("the metrics API's values are not known: ")
    # Nobody on the way was shown who asked.
    assert {path.partition("?")[0] for path, _ in hops.heads} == {"/metrics", "/prefix/api/v1/query"}
    assert not [head for _, head in hops.heads if "authorization" in {name.lower() for name in head}]
    text = explain("gemma", "-n", gemma.namespace, "--values").stdout
    assert re.search(rf"{hops.pod} +{on_page.decode()} +11 +-\n", text), text


def test_what_one_may_not_read_is_a_warning(cluster, gemma, hops, explain, tmp_path):
    lets_get(cluster, gemma.namespace, "tenant", where=gemma.namespace)
    token_of(cluster, gemma.namespace, "tenant")
    mine = write_kubeconfig(tmp_path / "tenant", cluster, gemma.namespace, "tenant")
    done = explain("gemma", "-n", gemma.namespace, "--values", "-o", "json", kubeconfig=mine)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert [item["pods"] for item in told["values"]] == [[]]
    warnings = " ".join(told["warnings"])
    for hop in ("the target's pods are not known: ", "Prometheus' values are not known: "):
        assert hop in warnings, warnings
    assert "forbidden" in warnings and not hops.heads


def test_a_real_chain(working, explain):
    done = explain(f"{working.namespace}/gemma", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["works"] and "broken" not in told
    assert {link["type"] for link in told["chain"]} >= set(LINKS)
    # The operator itself says the same over HTTP, with what its probes saw.
    port = listening_port(working.operator.process.pid)

    def said_alike():
        (served,) = explained(working.cluster, port)["items"]
        seen = served.pop("evidence"), served.pop("values")
        assert served == json.loads(explain(f"{working.namespace}/gemma", "-o", "json").stdout)
        return seen

    evidence, (values,) = eventually(said_alike)  # the HPA may report between the two
    # What the page says is what every hop has.
    (pod,) = values["pods"]
    (on_page,) = re.findall(rb"^vllm:num_requests_running\{.*\} ([0-9]+)", Page.page, re.MULTILINE)
    # The metrics API is read by the operator, or by the HPA for it.
    hops = ("page", "prometheus") if values.get("servedByHpa") else ("page", "prometheus", "served")
    assert [pod[hop] for hop in hops] == [on_page.decode()] * len(hops) and pod["ageMs"] < 45000
    assert evidence["signals"]["vllm_num_requests_running"]["metric"]["pods"] == 1
    page = explained(working.cluster, port, "/explain.txt")
    # Whether the HPA has read its metric by now is its own affair.
    assert "✓ MetricServed" in page and f"{working.namespace}/gemma scales" in page
    assert re.search(rf"{pod['pod']} +{on_page.decode()} +{on_page.decode()}, [0-9]+ s old +({on_page.decode()}|-)\n", page)
    assert working.operator.stop() == 0
    working.patch({"scrapeInterval": "20s"})
    eventually(lambda: explain(f"{working.namespace}/gemma").returncode == 1)
