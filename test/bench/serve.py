"""How fast the operator answers the metrics API that it serves, and what that costs: hack/bench serve."""

import collections
import contextlib
import json
import sys
import time
from urllib.parse import quote

import plot
import report
from chain import CUSTOM
from direct import DirectWorld
from engines import Engines
from machine import Others, run
from programs import LONGEST_TURN, turns
from report import say
from world import AUTOSCALERS, BARE, METRIC, Watch, autoscaler, order, targets, world_folder

PODS = 4
RATE = 100
DELAY_MS = 10
READY_S = 600
VALUE = 3
SPEC = {"maxReplicas": PODS, "minReplicas": PODS, "requests": {"signal": "Running", "target": 4}, "source": "Direct"}


def parse(words):
    parser = report.parser(
        "serve",
        f"Measures how fast one replica of the operator answers {RATE} reads a second of the metrics API that it serves,\n"
        f"through the API server, when each autoscaler has {PODS} pods that take {DELAY_MS} ms for a page, and what that\n"
        "costs in memory and in reads of pages. The HPA's controller runs and reads beside that, each HPA every 15 s.")
    report.add_world_options(parser, 300)
    parser.add_argument("--seconds", type=report.positive, default=60, help="how long it is measured (default 60)")
    report.add_settle(parser, 15)
    return parser.parse_args(words)


class ServeWorld(DirectWorld):
    """Of each target it has several pods."""

    def __init__(self, folder, made):
        super().__init__(folder, made, None)
        addresses = iter(targets(PODS * len(made), False))
        self.pods = [t._replace(pod=f"{t.pod[:-1]}{i}", ip=next(addresses).ip) for t in made for i in range(PODS)]

    def paths(self):
        return [f"{CUSTOM}/namespaces/{t.namespace}/pods/*/{METRIC}?labelSelector={quote(f'app={t.name}', safe='')}"
                for t in self.targets]

    def make_autoscalers(self):
        path = f"/apis/{AUTOSCALERS.split('/')[2]}/v1alpha1/namespaces/{{}}/inferenceautoscalers"
        self.send([order("POST", path.format(t.namespace), autoscaler(t, **SPEC)) for t in self.targets])

    def load(self, seconds):
        """{tookMs: sorted, errors: {message: how many}}."""
        flags = [*self.server.api.flags, *self.server.api.admin, "--rate", RATE, "--seconds", seconds, "--items", PODS]
        return json.loads(run(BARE, "load", *flags, input="\n".join(self.paths())))


def beyond(took, share):
    """What an answer took beyond its pods' own time; the least that so many of all are not beyond."""
    return max(0.0, took[min(len(took) - 1, int(share * len(took)))] - DELAY_MS)


def reads_of(engines, pods, seconds):
    """Of the pages, of a pod and a second."""
    counts = collections.Counter(one["ip"] for one in engines.reads())
    return {"mean": sum(counts.values()) / len(pods) / seconds, "most": max(counts.values(), default=0) / seconds}


def measure(world, engines, operator, options):
    watch = Watch(world, AUTOSCALERS)
    try:
        watch.wait(operator, READY_S)
    finally:
        watch.close()
    ready = len(watch.good)
    seconds = time.monotonic() - operator.begin
    say(f"{ready} are Ready after {seconds:.0f} s; settling for {options.settle} s")
    time.sleep(options.settle)
    rest = operator.memory_mib()
    say(f"reading for {options.seconds} s")
    values = {pod.ip: VALUE for pod in world.pods}
    others, page, cpu, begin = Others(world.pids), operator.metrics(), operator.cpu_seconds(), time.monotonic()
    of_servers = sum(world.server.cpu_seconds().values())
    engines.set(values)  # the reads before are forgotten
    loaded = world.load(options.seconds)
    pages = reads_of(engines, world.pods, time.monotonic() - begin)
    took, asked = loaded["tookMs"], len(loaded["tookMs"])
    return {
        "autoscalers": options.autoscalers, "pods": len(world.pods), "ready": ready, "secondsToReady": seconds,
        "reads": asked, "errors": sum(loaded["errors"].values()), "messages": loaded["errors"],
        "beyondPodsMs": {"p50": beyond(took, 0.5), "p99": beyond(took, 0.99), "worst": beyond(took, 1)},
        "pageReadsPerPodSecond": pages, "cpuMsPerRead": (operator.cpu_seconds() - cpu) * 1000 / asked,
        "apiServerCpuMsPerRead": (sum(world.server.cpu_seconds().values()) - of_servers) * 1000 / asked,
        **turns(operator.metrics(), page), "rssMiBAtRest": rest["rssMiB"],
        **operator.memory_mib(), "othersShare": others.share(),
    }, took


def run_world(options):
    made = targets(options.autoscalers, options.one_name)
    with world_folder() as folder, contextlib.closing(ServeWorld(folder, made)) as world:
        engines = Engines(world, f"{DELAY_MS}ms")
        world.page_port = engines.port
        engines.set({pod.ip: VALUE for pod in world.pods})
        world.prepare(options.operator)
        world.make_autoscalers()
        return measure(world, engines, world.operator, options)


def text(figures):
    beyond_pods, pages = figures["beyondPodsMs"], figures["pageReadsPerPodSecond"]
    rows = [[words, value] for words, value in (
        ("pods", figures["pods"]), ("Ready", figures["ready"]), ("reads", figures["reads"]),
        ("  that failed", figures["errors"]),
        ("milliseconds beyond the pods' own, median", beyond_pods["p50"]), ("  99th of 100", beyond_pods["p99"]),
        ("  worst", beyond_pods["worst"]), ("pages read, of a pod and second", pages["mean"]),
        ("  of the pod that was read most", pages["most"]), ("CPU milliseconds a read", figures["cpuMsPerRead"]),
        ("  of API server and etcd", figures["apiServerCpuMsPerRead"]),
        *((words, figures[name]) for words, name in LONGEST_TURN),
        ("memory, MiB", figures["rssMiB"]), ("  proportional", figures["pssMiB"]),
        ("  private and dirty", figures["privateDirtyMiB"]), ("  at most since the start", figures["peakMiB"]),
        ("  before the reads", figures["rssMiBAtRest"]), ("of the processors, what others had", figures["othersShare"]))]
    rows += [[f"  {message}", count] for message, count in figures["messages"].items()]
    return report.table([f"{RATE} reads a second", f"{figures['autoscalers']:,}"], rows)


def run_benchmark(words):
    options = parse(words)
    figures, took = run_world(options)
    curve = [(ms, (i + 1) / len(took) * 100) for i, ms in enumerate(took)]
    return report.finish(
        options, f"serve {options.autoscalers}", figures, lambda: text(figures),
        lambda: plot.lines(f"{RATE} reads a second of {options.autoscalers:,} autoscalers", {"reads": curve}, "ms", "%"),
        figures["othersShare"])


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
