"""How soon a load that changes changes what the HPA wants, by each way that the figures can go: hack/bench react."""

import collections
import contextlib
import http.client
import json
import math
import random
import re
import ssl
import sys
import time
from pathlib import Path
from urllib.parse import quote

import plot
import report
from chain import CUSTOM, ChainWorld
from control_plane import HPA_PERIOD_S, wall
from direct import DirectWorld
from engines import Engines
from machine import REPO, Others, until
from report import say
from world import HASH, METRIC, Target, Watch, world_folder

TARGETS = 4  # of each side, whose HPAs are synced at different times of the period
CHAIN = {"prometheus-5s": "5s", "prometheus-15s": "15s", "keda-fastest": "1s", "keda": "15s"}
SIDES = ("direct", *CHAIN)
SPACE = "react-"  # and the side: a namespace
HIGH, LOW = (12, 3), (2, 1)  # what a page says, and how many replicas of 4 requests that means
READY_S, STEP_S = 180, 120
HPAS = "/apis/autoscaling/v2/horizontalpodautoscalers"
EXTERNAL = "/apis/external.metrics.k8s.io/v1beta1"
AT_ONCE = {"scaleDown": {"stabilizationWindowSeconds": 0}}
SPEC = {"maxReplicas": 10, "requests": {"signal": "Running", "target": 4}, "behavior": AT_ONCE}
SCALED = {"maxReplicaCount": 10, "advanced": {"horizontalPodAutoscalerConfig": {"behavior": AT_ONCE}}}
FASTEST = {"pollingInterval": 1}  # each read of the HPA's is one of Prometheus then, as it is by default
HOPS = {"pageSeconds": "until its page was read", "apiSeconds": "from there until the API had it",
        "hpaSeconds": "from there until the HPA wanted it"}

# When each was, of the wall: a page changed, it was read, the API had it, the HPA wanted it.
Sample = collections.namedtuple("Sample", "step target changed read served wanted")


def parse(words):
    parser = report.parser(
        "react",
        "Measures how long it takes from a load that changes on a pod's page until the HPA wants other replicas, hop by\n"
        f"hop, at the same moments for all sides, each with {TARGETS} targets of one pod:\n\n"
        "  direct          the operator serves the metrics API: each read of the HPA's reads the page\n"
        "  prometheus-5s   the operator's ServiceMonitor of 5 s, Prometheus, prometheus-adapter\n"
        "  prometheus-15s  the same at 15 s\n"
        "  keda-fastest    KEDA's Prometheus trigger, the page scraped every second, pollingInterval 1 s\n"
        "  keda            KEDA's Prometheus trigger at its defaults, the page scraped every 15 s\n\n"
        f"The HPA's controller is real, at its default period of {HPA_PERIOD_S} s; the loads change at phases of that\n"
        "period that are spread evenly over it, in an order by chance. Every other change is one down, without a\n"
        "stabilization window. A minute or so of preparation, and about 40 s for each change.")
    parser.add_argument("steps", type=report.positive, nargs="?", default=30, metavar="N",
                        help="how many changes (default 30)")
    parser.add_argument("--sides", type=report.sides_of(SIDES), default=",".join(SIDES), metavar="SIDE,…", help="which (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="of what is by chance (default 1)")
    parser.add_argument("--operator", type=Path, metavar="BINARY", default=REPO / "build/release/inference-autoscaler",
                        help="the operator to measure (default: this tree's, built with preset release)")
    return parser.parse_args(words)


def targets_of(side):
    """Each side has addresses of its own."""
    number = 1 + SIDES.index(side)
    return [Target(f"{SPACE}{side}", f"server-{i}", f"server-{i}-{HASH}-abcde", f"127.{number}.0.{1 + i}") for i in range(TARGETS)]


def side_of(target):
    return target.namespace.removeprefix(SPACE)


def is_keda(target):
    return side_of(target).startswith("keda")


class Reader:
    """Reads of a control plane's APIs, as its administrator."""

    def __init__(self, server):
        state = server.layout.state
        context = ssl.create_default_context(cafile=server.api.authority)
        context.load_cert_chain(state / "pki/admin.crt", state / "pki/admin.key")
        port = int(server.api.server.rpartition(":")[2])
        self.connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10)

    def value(self, path):
        """The one value of a list; None when there is none yet."""
        try:
            self.connection.request("GET", path)
            answer = self.connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return None
        items = json.loads(text).get("items") if answer.status == 200 else None
        return quantity(items[0]["value"]) if items else None


def quantity(text):
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


def metric_path(target):
    if is_keda(target):
        selector = quote(f"scaledobject.keda.sh/name={target.name}", safe="")
        return f"{EXTERNAL}/namespaces/{target.namespace}/s0-prometheus?labelSelector={selector}"
    selector = quote(f"app={target.name}", safe="")
    return f"{CUSTOM}/namespaces/{target.namespace}/pods/*/{METRIC}?labelSelector={selector}"


class Hpas(Watch):
    """`wanted`: {(namespace, target's name): (replicas, since when)}; only of those that have read a metric."""

    def __init__(self, world):
        self.wanted = {}
        super().__init__(world, HPAS)

    def take(self, event):
        if event["type"] not in ("ADDED", "MODIFIED"):
            return
        now, hpa = time.time(), event["object"]
        key = hpa["metadata"]["namespace"], hpa["spec"]["scaleTargetRef"]["name"]
        status = hpa.get("status", {})
        replicas = status.get("desiredReplicas") if status.get("currentMetrics") else None
        if replicas is not None and self.wanted.get(key, (None,))[0] != replicas:
            self.wanted[key] = replicas, now


class Bench:
    """The worlds that run, and what was measured in them: `samples` of each side, and how many were `missed`."""

    def __init__(self, folder, options):
        self.folder, self.options, self.worlds = folder, options, []
        self.samples, self.missed = {side: [] for side in options.sides}, collections.Counter()
        self.targets = [t for side in options.sides for t in targets_of(side)]

    @contextlib.contextmanager
    def running(self):
        try:
            self.start()
            yield self
        finally:
            for world in reversed(self.worlds):
                world.close()

    def start(self):
        """The engines run beside the first world's programs."""
        in_chain = [side for side in self.options.sides if side in CHAIN]
        self.direct = self.chain = None
        if "direct" in self.options.sides:
            self.direct = self.add(DirectWorld, targets_of("direct"))
        if in_chain:
            scaled = [t for side in in_chain for t in targets_of(side)]
            self.chain = self.add(ChainWorld, scaled, {f"{SPACE}{side}": scrape for side, scrape in CHAIN.items()},
                                  list(filter(is_keda, scaled)))
        for world in self.worlds:
            world.prepare(self.options.operator)
        self.engines.set({t.ip: LOW[0] for t in self.targets})
        for i in range(TARGETS):
            self.make_scalers(i)
            time.sleep(HPA_PERIOD_S / TARGETS)
        if any(side.startswith("prometheus") for side in in_chain):
            self.chain.start_adapter()
        self.hpas = [Hpas(world) for world in self.worlds]
        until("the HPAs' first metrics", lambda: self.want(LOW[1], self.targets), READY_S)

    def add(self, kind, targets, *more):
        folder = self.folder / kind.__name__
        folder.mkdir()
        world = kind(folder, targets, None, *more)
        self.worlds.append(world)
        if len(self.worlds) == 1:
            self.engines = Engines(world)
        world.page_port = self.engines.port
        return world

    def make_scalers(self, i):
        """One target of each side: those have their HPAs' syncs at about the same times."""
        for world in self.worlds:
            for target in world.targets[i::TARGETS]:
                world.scale(target, SPEC, SCALED | (FASTEST if side_of(target) == "keda-fastest" else {}))

    def wanted(self, target):
        key = target.namespace, target.name
        return next((hpas.wanted[key] for hpas in self.hpas if key in hpas.wanted), (None, None))

    def want(self, replicas, targets):
        return all(self.wanted(target)[0] == replicas for target in targets)

    def pids(self):
        return [pid for world in self.worlds for pid in world.pids()]

    def run(self):
        """All steps, each at its phase."""
        chance, steps = random.Random(self.options.seed), self.options.steps
        phases = [(i + chance.random()) / steps * HPA_PERIOD_S for i in range(steps)]
        chance.shuffle(phases)
        reader = Reader(self.chain.server) if self.chain else None
        for number, phase in enumerate(phases):
            time.sleep(1 + (phase - time.time() - 1) % HPA_PERIOD_S)
            self.step(number, (HIGH, LOW)[number % 2], reader)
        if self.direct:
            self.add_direct()

    def step(self, number, now, reader):
        value, replicas = now
        changed = self.engines.set({t.ip: value for t in self.targets})
        read, served = {}, {}
        while not self.want(replicas, self.targets) and time.time() < changed + STEP_S:
            self.look(value, read, served, reader)
            time.sleep(0.1)
        self.look(value, read, served, reader)
        reads = self.engines.reads()
        slowest = 0.0
        for target in self.targets:
            found, at = self.wanted(target)
            if found != replicas:
                self.missed[side_of(target)] += 1
                continue
            slowest = max(slowest, at - changed)
            if side_of(target) == "direct":
                # When the API had it is in the audit log; see add_direct().
                self.samples["direct"].append(Sample(number, target, changed, [r["at"] for r in reads
                                                                               if r["ip"] == target.ip], None, at))
            else:
                # It may have been read and served between two looks.
                seen = min(read.get(target.ip, at), at)
                self.samples[side_of(target)].append(
                    Sample(number, target, changed, seen, max(seen, min(served.get(target.ip, at), at)), at))
        say(f"step {number + 1} of {self.options.steps}: all wanted {replicas} after {slowest:.1f} s")

    def look(self, value, read, served, reader):
        """At the pages that Prometheus has read, and at what the API says of those then."""
        if reader is None:
            return
        for one in self.engines.reads():
            if "Prometheus" in one["agent"]:
                read.setdefault(one["ip"], one["at"])
        for target in self.chain.targets:
            if target.ip in read and target.ip not in served and reader.value(metric_path(target)) == value:
                served[target.ip] = time.time()

    def add_direct(self):
        """The API had it when it answered the last read of the HPA's controller before that wanted it; the page was
        read last before that."""
        answered = collections.defaultdict(list)
        for event in self.direct.server.audit("system:kube-controller-manager", 0, time.time()):
            found = re.search(r"/pods/.*/" + METRIC + r"\?.*app(?:%3D|=)(server-\d+)", event["requestURI"])
            if found and event["responseStatus"]["code"] == 200:
                answered[found[1]].append(wall(event["stageTimestamp"]))
        found = []
        for s in self.samples["direct"]:
            served = max((at for at in answered[s.target.name] if s.changed <= at <= s.wanted), default=s.wanted)
            read = max((at for at in s.read if at <= served), default=served)
            found.append(s._replace(read=read, served=served))
        self.samples["direct"] = found


def at_share(values, share):
    """The least value that so many of all are not beyond."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def figures_of(samples, missed):
    if not samples:
        return {"steps": 0, "missed": missed}
    took = [s.wanted - s.changed for s in samples]
    hops = {"pageSeconds": [s.read - s.changed for s in samples], "apiSeconds": [s.served - s.read for s in samples],
            "hpaSeconds": [s.wanted - s.served for s in samples]}
    return {"steps": len(samples), "missed": missed, "medianSeconds": at_share(took, 0.5),
            "p95Seconds": at_share(took, 0.95), "maxSeconds": max(took),
            "hops": {name: {"median": at_share(found, 0.5), "p95": at_share(found, 0.95)}
                     for name, found in hops.items()}}


def add_ratios(found):
    """How many times as long as direct each side takes; and direct, as a share of the fastest peer."""
    direct = found.get("direct", {})
    if "medianSeconds" not in direct:
        return {}
    peers = [side for name, side in found.items() if name != "direct" and "medianSeconds" in side]
    for side in found.values():
        if "medianSeconds" in side:
            side["ratio"] = {name: side[f"{name}Seconds"] / direct[f"{name}Seconds"] for name in ("median", "p95")}
    return {"directOfFastestPeer": {
        name: direct[f"{name}Seconds"] / min(side[f"{name}Seconds"] for side in peers)
        for name in ("median", "p95") if peers}}


def text(found):
    names = list(found)

    def row(words, *path):
        values = []
        for name in names:
            value = found[name]
            for member in path:
                value = (value or {}).get(member)
            values.append(value)
        return [words, *values]

    rows = [row("changes of a page", "steps"), row("not answered in time", "missed"),
            row("seconds until the HPA wanted it, median", "medianSeconds"), row("  95th of 100", "p95Seconds"),
            row("  at most", "maxSeconds"),
            row("times direct, median", "ratio", "median"), row("  95th of 100", "ratio", "p95")]
    for name, words in HOPS.items():
        rows += [row(f"seconds {words}, median", "hops", name, "median"), row("  95th of 100", "hops", name, "p95")]
    return report.table(["", *names], rows)


def run_benchmark(words):
    options = parse(words)
    with world_folder() as folder, Bench(folder, options).running() as bench:
        others = Others(bench.pids)
        bench.run()
        share = others.share()
    found = {side: figures_of(bench.samples[side], bench.missed[side]) for side in options.sides}
    figures = {"steps": options.steps, "targets": TARGETS, "seed": options.seed, "operator": str(options.operator),
               **add_ratios(found), "sides": found, "othersShare": share}

    def drawn():
        curves = {side: [(s, (i + 1) / len(took) * 100) for i, s in enumerate(took)] for side in options.sides
                  if (took := sorted(s.wanted - s.changed for s in bench.samples[side]))}
        return plot.lines("From a load that changed until the HPA wants other replicas", curves, "seconds", "%")

    return report.finish(options, f"react {options.steps}", figures, lambda: text(found), drawn, share)


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
