"""The chain broken in every way that we know of: what is said, how soon, and whether its remedy mends it.

Each file of breakages/ is one way, see breakage.py. Those that break only their own namespace are played side by side;
those that break what all share come after them, one by one.
"""
import concurrent.futures
import statistics

import pytest
import yaml
from kubernetes import config

from breakage import FOLDER, Outcome, Player, Steps, broken_links, fill, is_ready, kubectl, read_cases
from conftest import DIRECT, LABEL, run
from statuses import Statuses

CASES = read_cases()
SIDE_BY_SIDE = 6
MEDIAN_SECONDS = 10


class Suite:
    """The chains of the cases that were selected, and what became of each case."""

    def __init__(self, cases, kubeconfig, image):
        self.cases = cases
        self.values = {"IMAGE": image}
        self.statuses = Statuses(config.new_client_from_config(kubeconfig))
        self.pool = concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE)
        self.under_way, self.outcomes, self.false_at_first = {}, [], []

    def namespaces(self):
        return sorted({case.namespace for case in self.cases})

    def setup(self):
        """All chains at once: what takes long, Prometheus' loading of a monitor, is waited for once."""
        self.clear(wait=True)
        self.statuses.start()
        apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": LABEL}}
               for name in self.namespaces()])
        if any(case.chain == "gpu" for case in self.cases):
            exporter = yaml.safe_load_all((FOLDER / "usual" / "exporter.yaml").read_text())
            apply(fill(list(exporter), self.values))
            code, text = kubectl("-n", "brk-exporter", "rollout", "status", "daemonset", "--timeout=60s")
            assert code == 0, text
        workloads, autoscalers, wanted = {}, {}, set()
        for case in self.cases:
            workload, autoscaler = case.objects(self.values["IMAGE"])
            workloads[case.namespace] = workload
            if case.start == "Ready":
                autoscalers[case.namespace] = autoscaler
                wanted.add(case.namespace)
            Steps(case.namespace, self.values | {"NAMESPACE": case.namespace}).all(case.given)
        apply(workloads.values())
        apply(autoscalers.values())
        late = [name for name in sorted(wanted) if not self.statuses.wait_now((name, "chat"), is_ready, 300)]
        assert not late, f"not Ready at first: { {name: self.statuses.last((name, 'chat')).get('Ready') for name in late} }"
        self.false_at_first = sorted({f"{namespace}: {link}: {reason}" for namespace in wanted
                                      for _, now in self.statuses.since((namespace, "chat"), 0)
                                      for link, reason in broken_links(now)
                                      if link != "ScalingActive"})
        for case in self.cases:
            if case.scope == "namespace":
                self.under_way[case.name] = self.pool.submit(self.play, case)

    def play(self, case):
        player = Player(case, self.statuses, self.values)
        outcome = player.play()
        for step in case.after:
            player.steps.play(step)
        # The chain stays until the end: with its autoscaler a rule might go, and the adapter would restart for all.
        return outcome

    def outcome(self, case):
        if case.scope == "namespace":
            outcome = self.under_way[case.name].result()
        else:
            concurrent.futures.wait(self.under_way.values())
            await_adapter()
            outcome = self.play(case)
        self.outcomes.append(outcome)
        return outcome

    def clear(self, wait=False):
        code, names = kubectl("get", "namespaces", "-o", "name")
        left = [name for name in names.split() if code == 0 and name.startswith("namespace/brk-")]
        if left:
            kubectl("delete", *left, f"--wait={str(wait).lower()}", "--timeout=180s")


def await_adapter():
    """Mending what the case before broke may have restarted it, which is said of every chain until the pod that was
    is gone and the API server knows the new one."""
    if DIRECT:
        return
    kubectl("-n", "monitoring", "rollout", "status", "deployment/prometheus-adapter", "--timeout=120s")
    _, leaving = kubectl("-n", "monitoring", "get", "pods", "-o",
                         "jsonpath={.items[?(@.metadata.deletionTimestamp)].metadata.name}")
    if leaving:
        kubectl("-n", "monitoring", "wait", "--for=delete", *(f"pod/{name}" for name in leaving.split()), "--timeout=60s")
    kubectl("wait", "--for=condition=Available", "apiservice/v1beta1.custom.metrics.k8s.io", "--timeout=60s")


def apply(objects):
    text = yaml.safe_dump_all(list(objects))
    code, output = kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text)
    assert code == 0, output


@pytest.fixture(scope="module")
def suite(cluster, request):
    chosen = {item.callspec.id for item in request.session.items if item.nodeid.split("::")[0].endswith("test_breakages.py")
              and hasattr(item, "callspec")}
    image = f"localhost/vllm-standin:{run('hack/image', '--version').strip()}"
    suite = Suite([case for case in CASES if case.name in chosen], cluster, image)
    try:
        suite.setup()
        yield suite
    finally:
        suite.pool.shutdown(cancel_futures=True)
        suite.statuses.over = True
        suite.clear()


def seconds(value):
    return "–" if value is None else f"{value:.1f}"


def table(outcomes):
    rows = [("breakage", "first broken link said", "expected", "s to say it", "s to Ready after mending")]
    for outcome in outcomes:
        case = outcome.case
        expected = "refused" if case.expect.get("refused") else f"{case.link}: {case.reason or case.status}"
        rows.append((case.name, "refused" if case.expect.get("refused") and not outcome.problems else outcome.said,
                     expected, seconds(outcome.say_seconds), seconds(outcome.ready_seconds)))
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return "\n".join(" · ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_breakage(suite, case):
    outcome: Outcome = suite.outcome(case)
    assert not outcome.problems, f"{case.about}\n" + "\n".join(outcome.problems)


def test_they_are_named_soon(suite, capsys):
    """The table, and the median of what it takes to say it."""
    told = [outcome.say_seconds for outcome in suite.outcomes if outcome.say_seconds is not None]
    named = sum(not outcome.problems for outcome in suite.outcomes)
    with capsys.disabled():
        print(f"\n\n{table(suite.outcomes)}\n\n{named} of {len(suite.outcomes)} named correctly; "
              f"median {seconds(statistics.median(told) if told else None)} s to say it")
    assert told, "no breakage was said"
    assert not suite.false_at_first, "said of chains that nothing had broken yet"
    assert statistics.median(told) <= MEDIAN_SECONDS
