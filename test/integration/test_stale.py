"""An operator that does not run proves nothing: what it last said of an older spec is not taken for today's truth."""

import signal

import pytest

from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    engine_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)


@pytest.fixture
def frozen(working):
    """The working autoscaler; its operator hangs."""
    process = working.operator.process
    process.send_signal(signal.SIGSTOP)
    try:
        yield working
    finally:
        process.send_signal(signal.SIGCONT)


def wait_ready(cluster, autoscaler, timeout):
    return cluster.kubectl(
        "wait", "--for=condition=Ready", f"--timeout={timeout}", f"inferenceautoscaler/{autoscaler.name}",
        "-n", autoscaler.namespace, check=False,
    )


def test_wait_does_not_pass_on_a_stale_generation(cluster, frozen):
    assert wait_ready(cluster, frozen, "5s").returncode == 0, frozen.get()["status"]["conditions"]
    frozen.patch({"scrapeInterval": "20s"})
    refused = wait_ready(cluster, frozen, "5s")
    assert refused.returncode != 0 and "timed out" in refused.stderr, refused
    frozen.operator.process.send_signal(signal.SIGCONT)
    passed = wait_ready(cluster, frozen, "60s")
    assert passed.returncode == 0, passed.stderr
