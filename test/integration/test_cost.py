"""Prometheus pays for engines and signals, not for autoscalers: the short form of hack/bench rest."""

import time

import pytest
from many import Many
from operator_fixtures import engine_port, operator_kubeconfig, stack  # noqa: F401  (fixtures are found by name)

pytestmark = pytest.mark.alone

# One that became healthy looks once more within a second, and is at rest.
SETTLE_S = 5
WINDOW_S = 30
# Each of the two questions may come once more or less in a window, by where its edges are.
EDGES = 2 * 60 / WINDOW_S


@pytest.fixture
def many(cluster, stack, namespace, engine_port, tmp_path):
    found = Many(cluster, [namespace], tmp_path)
    try:
        found.start_prometheus(engine_port, interval=5)
        yield found
    finally:
        found.close()


def test_a_hundred_autoscalers_ask_prometheus_no_more_than_one(many, operator_kubeconfig, tmp_path):
    queries, pages = {}, {}
    for count in (1, 100):
        many.create(count)
        if not many.operator:
            many.start_operator(operator_kubeconfig, tmp_path / "operator.log")
        many.wait_healthy(timeout=300)
        time.sleep(SETTLE_S)
        cost, _ = many.measure(WINDOW_S)
        # A page that agreed is read again after minutes only, so all reads are counted.
        queries[count], pages[count] = sum(cost["queries"].values()), many.counts["pages"]
        assert not many.broken()
    assert queries[1] > 0, "no query was counted: this test would see nothing"
    assert queries[100] <= 1.1 * queries[1] + EDGES, queries
    assert pages[1] >= 1 and pages[100] >= 100, f"the hundred were not looked at: {pages}"
