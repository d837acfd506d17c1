"""Tenants of the metrics API that the operator serves: who has the role `edit` in team-a reads no figures of team-b, and has
the operator read nothing that is not a pod of an autoscaler's target.
"""

import socket
import ssl
import threading
import time
import uuid

import pytest
import test_tenancy as tenancy
from conftest import eventually
from operator_fixtures import Autoscaler, Page, address, asks, is_quiet, pod_template, serving, set_status
from test_metrics_server import (  # noqa: F401  (fixtures are found by name)
    METRIC,
    VERSIONS,
    cluster,
    is_ready,
    kubeconfig,
    operator_kubeconfig,
    read,
    replicas,
    run_target,
)
from test_tenancy_pages import PAGES, Hostile, Secret

GROUP = "/apis/custom.metrics.k8s.io"
EDIT = "inference-autoscaler-system:inference-autoscaler:edit"


class Witness(Page):
    """A page that remembers from which addresses it was read."""

    readers = set()

    def do_GET(self):
        self.readers.add(self.client_address[0])
        super().do_GET()


@pytest.fixture(scope="module")
def page_port():
    """At all addresses of this machine, its loopback address among them."""
    with serving(Witness, "") as port:
        yield port


def team(cluster, name, port):  # noqa: F811
    """A namespace with an autoscaler that is Ready, of two pods with the labels that the others' have too."""
    made = f"{name}-{uuid.uuid4().hex[:8]}"
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": made}})
    eventually(lambda: cluster.core.read_namespaced_service_account("default", made))
    run_target(cluster, made, port)
    one = Autoscaler(cluster, made).create(source="Direct", maxReplicas=2)
    eventually(lambda: is_ready(one), timeout=60)
    return made


@pytest.fixture
def teams(cluster, replicas, page_port):  # noqa: F811
    replicas.start("one")
    made = [team(cluster, name, page_port) for name in ("team-a", "team-b")]
    yield made
    for name in made:
        cluster.core.delete_namespace(name)


def pods(cluster, namespace):  # noqa: F811
    return {pod.metadata.name for pod in cluster.core.list_namespaced_pod(namespace, label_selector="app=server").items}


def names(answer):
    return {item["describedObject"]["name"] for item in answer["items"]}


def test_figures_are_read_where_one_may(cluster, teams, tmp_path):  # noqa: F811
    """A selector leads out of no namespace, nor does a path."""
    mine, victim = teams
    tenant = tenancy.make_user(cluster, tmp_path, "edit", mine)
    cluster.kubectl("-n", mine, "create", "rolebinding", "ours", f"--clusterrole={EDIT}", f"--serviceaccount={mine}:{tenant.name}")
    cluster.kubectl("-n", mine, "create", "role", "figures", "--verb=get", "--resource=*.custom.metrics.k8s.io")
    cluster.kubectl("-n", mine, "create", "rolebinding", "figures", "--role=figures", f"--serviceaccount={mine}:{tenant.name}")
    eventually(lambda: read(tenant, mine)[0] == 200, timeout=30)
    pod = sorted(pods(cluster, victim))[0]
    for version in VERSIONS:
        code, answer = read(tenant, mine, version)
        assert code == 200 and names(answer) == pods(cluster, mine), answer
        there = f"{GROUP}/{version}/namespaces/{victim}"
        for path in (f"pods/*/{METRIC}", f"pods/{pod}/{METRIC}", f"inferenceautoscalers.inference-autoscaler.io/gemma/{METRIC}",
                     f"metrics/{METRIC}"):
            code, answer = tenant.request("GET", f"{there}/{path}", query=[("labelSelector", "app=server")])
            assert code == 403, (path, code, answer)
        code, answer = tenant.request("GET", f"{GROUP}/{version}/pods/*/{METRIC}")
        assert code == 403, answer
        # Another's pod has no figure in one's own namespace.
        code, answer = tenant.request("GET", f"{GROUP}/{version}/namespaces/{mine}/pods/{pod}/{METRIC}")
        assert code in (404, 503), answer
        code, answer = tenant.request("GET", f"{GROUP}/{version}/namespaces/{mine}/..%2F{victim}/pods/*/{METRIC}")
        assert code in (400, 403, 404), answer


def test_only_a_pod_of_the_target_is_read(cluster, teams, tmp_path):  # noqa: F811
    """Neither one that has its labels alone, nor one at an address that no pod has; and a tenant writes no pod's status."""
    mine, _ = teams
    path = f"/api/v1/namespaces/{mine}/pods"
    tenant = tenancy.make_user(cluster, tmp_path, "edit", mine)
    wanted = pods(cluster, mine)
    claimed = {"phase": "Running", "podIP": address(), "podIPs": [{"ip": address()}],
               "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "claimant", "labels": {"app": "server"}},
            "spec": pod_template({})["spec"]}
    code, answer = eventually(lambda: (found := tenant.request("POST", path, body))[0] == 201 and found, timeout=30)
    assert code == 201, answer
    code, answer = tenant.request("PATCH", f"{path}/claimant/status", {"status": claimed}, content=tenancy.MERGE)
    assert code == 403, answer
    set_status(cluster, f"{path}/claimant", claimed)  # as if its node lied
    assert names(read(cluster, mine)[1]) == wanted
    elsewhere = sorted(wanted)[0]
    Witness.readers.clear()
    set_status(cluster, f"{path}/{elsewhere}", claimed | {"podIP": "127.0.0.1", "podIPs": [{"ip": "127.0.0.1"}]})

    def is_left_out():
        code, answer = read(cluster, mine)
        assert code == 200 and names(answer) == wanted - {elsewhere}, answer
        return bool(Witness.readers)  # else what was read within the second before was answered

    # What was read of it before counts for 15 s.
    eventually(is_left_out, timeout=40)
    assert Witness.readers == {address()}


def values(cluster, namespace):  # noqa: F811
    code, answer = read(cluster, namespace)
    assert code == 200, answer
    return {item["describedObject"]["name"]: item["value"] for item in answer["items"]}


def test_what_a_tenants_pods_serve_moves_no_figure_of_anothers(cluster, teams, replicas):  # noqa: F811
    """While the tenant asks for its own figures as fast as it can, from pages as bad as can be, the other's are read beside
    it: the same values, as fast as before, and its chain stays Ready."""
    mine, victim = teams
    (running,) = replicas.all
    attack, neighbour = Autoscaler(cluster, mine), Autoscaler(cluster, victim)
    before = values(cluster, victim)
    scaled = neighbour.child("HorizontalPodAutoscaler")["spec"]
    assert len(before) == 2
    ended, slowest = threading.Event(), {}

    def ask_on():
        while not ended.is_set():
            read(cluster, mine)

    with serving(Hostile, "") as port, serving(Secret) as other:
        Hostile.victim, Hostile.other_port = victim, other
        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for number, page in enumerate(PAGES):
                attack.patch({"engine": {"type": "VLLM", "port": port, "path": f"/page-{number}"}})
                eventually(lambda number=number: Hostile.came.get(f"/page-{number}"), timeout=30)
                for _ in range(4):
                    start = time.monotonic()
                    assert values(cluster, victim) == before, page
                    assert asks(running.http, "/healthz")[0] == 200
                    slowest[page] = max(slowest.get(page, 0), time.monotonic() - start)
                    time.sleep(0.3)
                assert is_ready(neighbour), page
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert not Secret.came
    latest = sorted(slowest, key=slowest.get)[-3:]
    print("\nthe other's reading and /healthz took longest beside", {page: round(slowest[page], 3) for page in latest})
    assert max(slowest.values()) <= (0.3 if is_quiet() else 2), slowest
    assert neighbour.child("HorizontalPodAutoscaler")["spec"] == scaled


def shake_hands(port, ended, count):
    """As a pod of anybody's: connects without a certificate, asks, is refused, and comes again; half of the connections say
    nothing for as long as they are let."""
    context, held = ssl._create_unverified_context(), []
    while not ended.is_set():
        try:
            client = socket.create_connection((address(), port), timeout=5)
            if len(held) < 150:
                held.append(client)
                continue
            with context.wrap_socket(client) as tls:
                tls.sendall(b"GET /apis/custom.metrics.k8s.io/v1beta1 HTTP/1.1\r\nHost: x\r\n\r\n")
                assert tls.recv(4096).startswith(b"HTTP/1.1 401 ")
                count.append(1)
        except OSError:
            held = [one for one in held if one.fileno() >= 0][50:]
    for client in held:
        client.close()


def test_strangers_at_the_port_hold_up_no_reading(cluster, teams, replicas):  # noqa: F811
    """The port is open to every pod, and only the API server is answered there."""
    _, victim = teams
    (running,) = replicas.all
    before, ended, refused, slowest = values(cluster, victim), threading.Event(), [], 0
    threads = [threading.Thread(target=shake_hands, args=(running.port, ended, refused)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        time.sleep(2)
        for _ in range(20):
            start = time.monotonic()
            assert values(cluster, victim) == before
            assert asks(running.http, "/healthz")[0] == 200
            slowest = max(slowest, time.monotonic() - start)
            time.sleep(0.2)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    print(f"\n{len(refused)} strangers refused; a reading and /healthz took {slowest:.3f} s at most")
    assert len(refused) > 50 and slowest <= (0.3 if is_quiet() else 2)
