"""Half an hour of fifty autoscalers of all modes whose load moves all the time, in whose middle the operator's leader is
deleted: no healthy link is ever called broken."""
import collections
import os
import random
import threading
import time

import pytest

from breakage import broken_links, is_ready
from conftest import AUTOSCALER, eventually
from gpus import NAMESPACE as GPU_NAMESPACE
from gpus import Gpus
from standins import autoscaler, deployment
from statuses import Statuses

NAMESPACE = "steady-example"
MINUTES = float(os.environ.get("IA_STEADY_MINUTES", "30"))
SEED = int(os.environ.get("IA_STEADY_SEED", "1"))
Server = collections.namedtuple("Server", "name page port mode signal max_replicas")
SIGNALS = ("Running", "Waiting", "InFlight", "KVCache")
TARGETS = {"Running": 6, "Waiting": 6, "InFlight": 12, "KVCache": 60}
# Each may have two pods but ten: a kubelet takes 110.
SERVERS = [
    *(Server(f"vllm-{n}", "vllm", 8000, "Requests", SIGNALS[n % 4], 1 if n < 10 else 2) for n in range(24)),
    *(Server(f"sglang-{n}", "sglang", 30000, "Requests", "Running", 2) for n in range(8)),
    *(Server(f"llamacpp-{n}", "llamacpp", 8080, "Requests", "InFlight", 2) for n in range(8)),
    *(Server(f"gpu-{n}", "vllm", 8000, "GPU", None, 2) for n in range(5)),
    *(Server(f"combined-{n}", "vllm", 8000, "Combined", "Running", 2) for n in range(5)),
]


def manifests(server, image):
    requests = {"requests": {"signal": server.signal, "target": TARGETS[server.signal]}} if server.signal else {}
    gpu = {"gpu": {"target": 60}} if server.mode != "Requests" else {}
    work = deployment(NAMESPACE, server.name, image, "--page", server.page, port=server.port)
    # As rarely as a kubelet of two cores can do it for all of them.
    work["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["periodSeconds"] = 10
    return work, autoscaler(NAMESPACE, server.name, server.max_replicas, mode=server.mode, scrapeInterval="15s",
                            **requests, **gpu)


class Load(threading.Thread):
    """Gives some of the servers another load every few seconds, each of their pods another one."""

    def __init__(self, kube, gpus):
        super().__init__()
        self.kube, self.gpus = kube, gpus
        self.random = random.Random(SEED)
        self.over = threading.Event()
        self.moves, self.failure = 0, None

    def run(self):
        while not self.over.wait(3):
            try:
                self.move(self.random.sample(SERVERS, 5))
            except Exception as failure:  # shown by stop(), in the tests' thread
                self.failure = failure
                return

    def move(self, servers):
        for server in servers:
            if server.mode != "Requests":
                self.gpus.load[NAMESPACE, server.name] = self.random.randrange(201)
            # Idle, near the target, or busy: so that the replicas move too.
            busy = self.random.choice((0, 1, 1, 2))
            for pod in self.kube.pods(NAMESPACE, f"app={server.name}"):
                if self.kube.is_ready(pod):
                    figures = {"running": round(6 * busy * self.random.uniform(0.7, 1.3)),
                               "waiting": round(6 * busy * self.random.uniform(0.7, 1.3)),
                               "kv": min(1, 0.5 * busy * self.random.uniform(0.7, 1.3))}
                    # A pod may go while it is told.
                    if self.kube.ask_pod(NAMESPACE, pod.metadata.name, server.port, "/standin", figures):
                        self.moves += 1

    def stop(self):
        self.over.set()
        self.join()
        if self.failure:
            raise self.failure


LEASE = ("coordination.k8s.io/v1", "Lease", "inference-autoscaler", "inference-autoscaler-system")


def leader(kube):
    """The pod that leads."""
    return kube.get(*LEASE)["spec"]["holderIdentity"]


class Seen:
    """The statuses from the moment on that all were ready."""

    def __init__(self, statuses):
        self.statuses, self.begun = statuses, time.monotonic()
        self.moves = 0
        self.leaders = []

    def each(self):
        """(server, [(time, conditions by type)])."""
        for server in SERVERS:
            yield server, self.statuses.since((NAMESPACE, server.name), self.begun)


@pytest.fixture(scope="module")
def half_an_hour(kube, image, request):
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    capture = request.config.pluginmanager.getplugin("capturemanager")

    def say(text):
        with capture.global_and_fixture_disabled():
            reporter.write_line(text)

    statuses = Statuses(kube.api)
    statuses.start()
    with kube.namespace(GPU_NAMESPACE), kube.namespace(NAMESPACE):
        gpus = Gpus(kube)
        for server in SERVERS:
            if server.mode != "Requests":
                gpus.load[NAMESPACE, server.name] = 10
        gpus.start(image)
        load = Load(kube, gpus)
        try:
            kube.apply([item for server in SERVERS for item in manifests(server, image)])
            eventually("all are ready", lambda: all(is_ready(statuses.last((NAMESPACE, server.name)))
                                                    for server in SERVERS), 400, period=2)
            say(f"\n{len(SERVERS)} autoscalers are ready; {MINUTES:g} minutes of moving load, seed {SEED}")
            seen = Seen(statuses)
            load.start()
            while (left := seen.begun + MINUTES * 60 - time.monotonic()) > 0 and load.is_alive():
                load.join(min(left, 300, MINUTES * 30))
                if not seen.leaders and time.monotonic() - seen.begun >= MINUTES * 30:
                    seen.leaders.append(leader(kube))
                    kube.delete("v1", "Pod", seen.leaders[0], LEASE[3])
                broken = sum(not is_ready(now) for _, told in seen.each() for _, now in told)
                say(f"after {(time.monotonic() - seen.begun) / 60:.0f} min: load moved {load.moves} times, "
                    f"{sum(len(told) for _, told in seen.each())} statuses seen, {broken} of them not Ready")
            seen.moves = load.moves
            seen.leaders.append(leader(kube))
            yield seen
        finally:
            if load.ident:
                load.stop()
            gpus.stop()
            statuses.over = True


def test_ready_never_changes(half_an_hour):
    told = [f"{server.name} after {at - half_an_hour.begun:.0f} s: {now['Ready']['reason']}: {now['Ready']['message']}"
            for server, seen in half_an_hour.each() for at, now in seen if not is_ready(now)]
    assert not told, "\n".join(told)


def test_no_link_is_called_broken(half_an_hour):
    told = [f"{server.name} after {at - half_an_hour.begun:.0f} s: {pair[0]}: {now[pair[0]]['message']}"
            for server, seen in half_an_hour.each() for at, now in seen for pair in broken_links(now)]
    assert not told, "\n".join(told)


def test_the_load_moved_all_the_time(kube, half_an_hour):
    """Otherwise nothing was shown."""
    assert half_an_hour.moves > MINUTES * 60 / 3
    scaled = {item["metadata"]["name"] for item in kube.list("autoscaling/v2", "HorizontalPodAutoscaler", NAMESPACE)
              if item.get("status", {}).get("lastScaleTime")}
    assert scaled >= {server.name for server in SERVERS if server.max_replicas > 1}, "not all were scaled"


def test_another_pod_leads_since_the_middle(half_an_hour):
    """Otherwise no operator began with what another had said."""
    assert len(set(half_an_hour.leaders)) == 2, half_an_hour.leaders


def test_the_watch_saw_all_of_it(kube, half_an_hour):
    """One that had died would have seen nothing either."""

    def is_up_to_date():
        found = {item["metadata"]["name"]: item["metadata"]["resourceVersion"]
                 for item in kube.list(*AUTOSCALER, NAMESPACE)}
        return found == {server.name: half_an_hour.statuses.seen[NAMESPACE, server.name][-1][1]["metadata"]["resourceVersion"]
                         for server in SERVERS}

    eventually("the newest status of each was seen", is_up_to_date, 60)
