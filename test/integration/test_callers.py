"""Who may see the operator's pages: the API server says whose a token is, and what that one may."""

import re

import pytest

from conftest import eventually, smallest
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    Operator,
    asks,
    explained,
    lets_get,
    listening_port,
    operator,
    operator_kubeconfig,
    stack,
    token_of,
)


def port_of(running):
    return listening_port(running.process.pid)


@pytest.fixture
def two(cluster, crd, namespace):
    """A namespace beside the test's own, with an autoscaler in each."""
    other = f"{namespace}-b"
    cluster.core.create_namespace({"metadata": {"name": other}})
    eventually(lambda: cluster.core.read_namespaced_service_account("default", other))
    cluster.apply(smallest("gemma", namespace), smallest("gemma", other))
    yield namespace, other
    cluster.core.delete_namespace(other)


def knows(cluster, running, *namespaces):
    """Waits until the operator has seen the autoscalers."""
    def seen():
        found = {item["namespace"] for item in explained(cluster, port_of(running))["items"]}
        assert set(namespaces) <= found, found
        return True

    eventually(seen)


def test_without_a_token_nothing_is_told(operator, two):
    port = port_of(operator)
    for path in ("/explain", "/explain.txt", f"/explain/{two[0]}", f"/explain/{two[0]}/gemma", "/explain/no/body"):
        status, text = asks(port, path)
        assert status == 401 and "kubectl create token" in text, (path, text)
        status, text = asks(port, path, "eyJhbGciOiJub25lIn0.e30.")
        assert status == 401 and "does not take this token" in text, (path, text)
    assert asks(port, "/healthz") == (200, "ok\n")
    assert asks(port, "/metrics")[0] == 200


def test_a_token_for_somebody_else_opens_nothing(cluster, operator, two):
    """Of one who may see all, but made to be shown to another service: whoever has it there must not use it here."""
    mine = two[0]
    knows(cluster, operator, *two)
    token = token_of(cluster, mine, "elsewhere")
    lets_get(cluster, mine, "elsewhere")
    eventually(lambda: asks(port_of(operator), "/explain", token)[0] == 200, timeout=30)
    for audience in ("vault", "https://kubernetes.default.svc.cluster.local.example", "inference-autoscaler"):
        foreign = cluster.kubectl("-n", mine, "create", "token", "elsewhere", f"--audience={audience}").stdout.strip()
        status, text = asks(port_of(operator), "/explain", foreign)
        assert status == 401 and "does not take this token" in text, (audience, text)


def test_a_peer_that_guesses_is_sent_away_before_the_api_server_is_asked(cluster, operator, two):
    knows(cluster, operator, *two)
    port, mine = port_of(operator), token_of(cluster, two[0], "guesser")
    lets_get(cluster, two[0], "guesser", two[0])
    eventually(lambda: asks(port, f"/explain/{two[0]}", mine)[0] == 200, timeout=30)
    answers = [asks(port, "/explain", f"guess-{i}")[0] for i in range(100)]
    assert set(answers) == {401, 429} and answers.count(401) < 60, answers
    assert asks(port, "/explain", "one-more")[0] == 429
    # Who is known goes in beside it.
    assert asks(port, f"/explain/{two[0]}", mine)[0] == 200


def test_a_tenant_sees_its_own(cluster, operator, two):
    mine, other = two
    knows(cluster, operator, mine, other)
    port, token = port_of(operator), token_of(cluster, mine, "tenant")
    status, text = asks(port, "/explain", token)
    assert status == 403 and f"'system:serviceaccount:{mine}:tenant' may not get inferenceautoscalers" in text, text

    lets_get(cluster, mine, "tenant", where=mine)

    def listed():
        status, text = asks(port, "/explain.txt", token)  # a refusal is believed for two seconds
        assert status == 200, text
        return text

    text = eventually(listed)
    assert f"{mine}/gemma scales" in text and other not in text
    assert asks(port, f"/explain/{mine}/gemma", token)[0] == 200
    assert asks(port, f"/explain/{mine}", token)[0] == 200
    for path in (f"/explain/{other}", f"/explain/{other}/gemma", f"/explain/{other}/nobody", f"/explain.txt/{other}/gemma"):
        status, text = asks(port, path, token)
        assert status == 403 and text == (
            f"'system:serviceaccount:{mine}:tenant' may not get inferenceautoscalers.inference-autoscaler.io "
            f"in namespace '{other}': bind a role to it that lets it, such as view\n"), text
    assert asks(port, f"/explain/{mine}/nobody", token)[0] == 404


def test_who_may_see_all_sees_all(cluster, operator, two):
    knows(cluster, operator, *two)
    text = explained(cluster, port_of(operator), f"/explain.txt/{two[1]}")
    assert f"{two[1]}/gemma scales" in text and f"{two[0]}/gemma" not in text


def test_a_right_that_is_taken_away_is_gone_soon(cluster, operator, two):
    mine = two[0]
    port, token = port_of(operator), token_of(cluster, mine, "leaver")
    lets_get(cluster, mine, "leaver", where=mine)
    eventually(lambda: asks(port, f"/explain/{mine}", token)[0] == 200)
    cluster.kubectl("-n", mine, "delete", "rolebinding", f"get-autoscalers-{mine}-leaver")
    eventually(lambda: asks(port, f"/explain/{mine}", token)[0] == 403, timeout=15)


@pytest.mark.parametrize("operator", [["--metrics-need-token"]], indirect=True)
def test_metrics_can_need_a_token(cluster, operator, namespace):
    port, token = port_of(operator), token_of(cluster, namespace, "scraper")
    assert asks(port, "/metrics")[0] == 401
    status, text = asks(port, "/metrics", token)
    assert status == 403 and "may not get /metrics" in text
    cluster.apply({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": f"scrapes-{namespace}"},
        "rules": [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}],
    }, {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": f"scrapes-{namespace}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"scrapes-{namespace}"},
        "subjects": [{"kind": "ServiceAccount", "name": "scraper", "namespace": namespace}],
    })
    eventually(lambda: asks(port, "/metrics", token)[0] == 200)
    assert asks(port, "/explain", token)[0] == 403
    cluster.kubectl("delete", "clusterrole,clusterrolebinding", f"scrapes-{namespace}")


def test_health_has_a_port_of_its_own(operator_kubeconfig, tmp_path):  # noqa: F811
    running = Operator(operator_kubeconfig, tmp_path / "operator.log", "--health-listen", "127.0.0.2:0")
    try:
        eventually(running.synced, timeout=20)
        pages = port_of(running)
        health = listening_port(running.process.pid, "127.0.0.2")
        assert asks(health, "/healthz", host="127.0.0.2") == (200, "ok\n")
        assert asks(health, "/readyz", host="127.0.0.2") == (200, "ok\n")
        for path in ("/explain", "/metrics"):
            assert asks(health, path, host="127.0.0.2")[0] == 404
        assert asks(pages, "/healthz")[0] == 404
        assert asks(pages, "/metrics")[0] == 200
    finally:
        assert running.stop() == 0


def test_a_right_that_the_operator_lacks_is_no_open_door(cluster, operator, two):
    """Without its right to ask, as where a chart of before left its roles."""
    role = "inference-autoscaler-system:inference-autoscaler"
    code, before = cluster.request("GET", f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}")
    assert code == 200
    without = [rule for rule in before["rules"] if rule["resources"] != ["tokenreviews"]]
    assert len(without) + 1 == len(before["rules"])
    patch = f"/apis/rbac.authorization.k8s.io/v1/clusterroles/{role}"
    cluster.request("PATCH", patch, {"rules": without}, content="application/merge-patch+json")
    try:
        def refused():
            status, text = asks(port_of(operator), "/explain", token_of(cluster, "default", "another"))
            assert status == 503 and re.search("cannot be found out: .*tokenreviews.*forbidden", text), (status, text)
            return True

        eventually(refused)
    finally:
        cluster.request("PATCH", patch, {"rules": before["rules"]}, content="application/merge-patch+json")
