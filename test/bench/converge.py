"""How fast new autoscalers become Ready, beside the fastest that all can be written at all: hack/bench converge."""

import json
import sys
import time

import yaml

import plot
import report
from control_plane import wall
from machine import REPO, run, until
from programs import LONGEST_TURN, turns
from report import WRITES, by_request, say
from world import AUTOSCALERS, GROUP, Target, Watch, autoscaler, deployment, order, stack_objects, world

SIDES = ("limit", "us", "keda-unthrottled", "keda")
TIMEOUT_S = 600
SETTLE_S = 5  # writes that come after the last is Ready count too
SCALED = "/apis/keda.sh/v1alpha1/scaledobjects"
ANY = Target("any-namespace", "any-name", "", "")  # written for it, to be named for each
CHILDREN = {
    "Service": "/api/v1/namespaces/{}/services",
    "ServiceMonitor": "/apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2/namespaces/{}/horizontalpodautoscalers",
}


def parse(words):
    parser = report.parser(
        "converge",
        "Measures how long autoscalers that were made before the operator's start take until all of them have\n"
        "their children and are Ready, each side on the same etcd state:\n\n"
        "  limit              a client that knows what to write and does nothing else: 64 requests at a time,\n"
        "                     one HTTP/2 connection, the same objects\n"
        "  us                 the operator\n"
        "  keda-unthrottled   KEDA's operator with its client's limits lifted, and as many reconciles at a time\n"
        f"  keda               KEDA's operator as it comes\n\n"
        f"A side that takes longer than {TIMEOUT_S} s is stopped; its rate counts then.")
    report.add_world_options(parser, 1000)
    parser.add_argument("--sides", type=report.sides_of(SIDES), default=",".join(SIDES), metavar="SIDE,…",
                        help="which of them (default: all)")
    return parser.parse_args(words)


class Side:
    """One of them under measurement. `curve`: [(seconds, how many were Ready)]."""

    def __init__(self, world):
        self.world, self.count = world, len(world.targets)

    def measure(self):
        self.world.server.reset()
        self.world.wait_served()
        self.make()
        before, others = self.world.server.cpu_seconds(), self.world.others()
        watch = Watch(self.world, self.path)
        try:
            self.run(watch)
            used, share = self.world.server.cpu_seconds(), others.share()
            self.curve = watch.curve(self.begin)
        finally:
            watch.close()
        events = list(self.world.server.audit(self.user, self.begin_wall - 1, time.time()))
        return self.figures(events) | {
            "apiServerCpuSeconds": sum(used.values()) - sum(before.values()), "othersShare": share}

    def figures(self, events):
        """Reads count until all were Ready, writes for a little longer."""
        whole = len(self.curve) == self.count
        seconds = self.curve[-1][0] if whole else TIMEOUT_S
        done = self.begin_wall + seconds
        counted = [e for e in events if e["verb"] in WRITES or wall(e["requestReceivedTimestamp"]) < done]
        requests = by_request(counted)
        made = [wall(e["stageTimestamp"]) - self.begin_wall for e in counted if is_new_child(e)]
        return {
            "ready": len(self.curve), "seconds": seconds if whole else None, "perSecond": len(self.curve) / seconds,
            "children": len(made), "childrenSeconds": max(made, default=None),
            "perAutoscaler": {kind: sum(found.values()) / self.count for kind, found in requests.items()},
            "requests": requests, **self.used,
        }


def is_new_child(event):
    """Whether the request made one, by whatever verb."""
    return (event["verb"] in WRITES and event["responseStatus"]["code"] == 201
            and event["objectRef"]["resource"] in ("services", "servicemonitors", "horizontalpodautoscalers"))


class Running(Side):
    """A side that is an operator."""

    def run(self, watch):
        program = self.start()
        self.user, self.begin, self.begin_wall = program.user, program.begin, program.begin_wall
        try:
            watch.wait(program, TIMEOUT_S)
            self.used = {"peakMiB": program.memory_mib()["peakMiB"], "cpuSeconds": program.cpu_seconds()}
            time.sleep(SETTLE_S)
            self.used |= self.seen(program)
        finally:
            program.close()

    def seen(self, _):
        """What the program reports of itself at the end."""
        return {}


class Us(Running):
    path = AUTOSCALERS

    def __init__(self, world, binary):
        super().__init__(world)
        self.binary = binary

    def make(self):
        self.world.make_autoscalers()

    def start(self):
        return self.world.start_operator(self.binary)

    def seen(self, program):
        return turns(program.metrics())


class Keda(Running):
    path = SCALED

    def __init__(self, world, unthrottled):
        super().__init__(world)
        self.unthrottled = unthrottled

    def make(self):
        self.world.make_scaled_objects()

    def start(self):
        return self.world.start_keda(self.unthrottled)


class Limit(Side):
    path, user = AUTOSCALERS, "system:serviceaccount:bench:bare"

    def __init__(self, world, binary):
        super().__init__(world)
        self.binary = binary

    def make(self):
        self.world.make_autoscalers()
        self.orders = self.writes()

    def run(self, watch):
        token = self.world.server.token(self.world.kubectl, "bench", "bare")
        self.begin_wall = time.time()
        sent = self.world.send(self.orders, ["--token", token])
        end = time.monotonic()
        until("the last status", lambda: len(watch.good) == self.count, 60)
        self.begin = end - sent["seconds"]
        self.used = {"peakMiB": sent["peakMiB"], "cpuSeconds": sent["cpuSeconds"]}

    def writes(self):
        """Of each autoscaler its children and its status, as the operator would write them."""
        uids = {(o["metadata"]["namespace"], o["metadata"]["name"]): o["metadata"]["uid"]
                for o in self.world.list(AUTOSCALERS)}
        children, status = self.children(), healthy_status()
        return [one for target in self.world.targets
                for one in self.writes_of(target, uids[target.namespace, target.name], children, status)]

    def writes_of(self, target, uid, children, status):
        for child in json.loads(named(children, target)):
            child["metadata"] |= {"annotations": {f"{GROUP}/applied": "0123456789abcdef"}, "ownerReferences": [{
                "apiVersion": f"{GROUP}/v1alpha1", "kind": "InferenceAutoscaler", "name": target.name, "uid": uid,
                "controller": True, "blockOwnerDeletion": True}]}
            yield order("POST", CHILDREN[child["kind"]].format(target.namespace), child)
        path = f"/apis/{GROUP}/v1alpha1/namespaces/{target.namespace}/inferenceautoscalers/{target.name}/status"
        yield order("PATCH", path, {"status": json.loads(named(status, target))}, "application/merge-patch+json")

    def children(self):
        """Those of ANY, as text."""
        file = self.world.folder / "render.yaml"
        objects = [autoscaler(ANY), deployment(ANY, self.world.page_port), stack_objects()[1]]
        file.write_text("---\n".join(json.dumps(o) + "\n" for o in objects))
        found = [o for o in rendered(run(self.binary, "render", "-f", file, "-o", "json")) if o["kind"] in CHILDREN]
        assert len(found) == len(CHILDREN), f"the operator renders {len(found)} children"
        return json.dumps(found)


def named(text, target):
    """The same text for another than ANY."""
    return text.replace(ANY.namespace, target.namespace).replace(ANY.name, target.name)


def rendered(text):
    """The objects that `render -o json` prints: a List, or one after the other."""
    decoder, at, found = json.JSONDecoder(), 0, []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        one, at = decoder.raw_decode(text, at)
        found += one["items"] if one.get("kind") == "List" else one if isinstance(one, list) else [one]
    return found


def healthy_status():
    """The status of ANY that is Ready, as text."""
    world = yaml.safe_load((REPO / "test/golden/healthy/world.yaml").read_text())
    status = json.dumps(next(o["status"] for o in world["objects"] if o["kind"] == "InferenceAutoscaler"))
    for name, other in (("vllm-example", ANY.namespace), ("vllm-gemma-deployment", ANY.name), ("gemma", ANY.name)):
        status = status.replace(name, other)
    return status


def measure(options):
    """{side: figures}, and {side: curve}."""
    found, curves = {}, {}
    wants_keda = any(side.startswith("keda") for side in options.sides)
    with world(options.autoscalers, options.one_name, wants_keda) as made:
        for side in options.sides:
            say(f"{side}: measuring")
            one = {"limit": lambda: Limit(made, options.operator), "us": lambda: Us(made, options.operator),
                   "keda": lambda: Keda(made, False), "keda-unthrottled": lambda: Keda(made, True)}[side]()
            found[side] = one.measure()
            curves[side] = one.curve
            say(f"{side}: {found[side]['ready']} Ready, {found[side]['perSecond']:.1f} a second")
    return found, curves


def add_ratios(found):
    """How many times as long as the limit each side takes, by its rate."""
    if "limit" in found:
        for side in found.values():
            side["ratio"] = found["limit"]["perSecond"] / side["perSecond"] if side["perSecond"] else None


def text(found):
    names = list(found)
    rows = [[words, *(found[side].get(member) for side in names)] for words, member in (
        ("Ready", "ready"), ("seconds until all were", "seconds"), ("children", "children"),
        ("seconds until all were made", "childrenSeconds"), ("Ready per second", "perSecond"),
        ("times the limit", "ratio"), ("CPU seconds", "cpuSeconds"), ("peak memory, MiB", "peakMiB"),
        *LONGEST_TURN,
        ("CPU seconds of API server and etcd", "apiServerCpuSeconds"),
        ("of the processors, what others had", "othersShare"))]
    for kind in ("writes", "Events", "reads"):
        rows.append([f"{kind} per autoscaler", *(found[side]["perAutoscaler"][kind] for side in names)])
        requests = sorted({name for side in names for name in found[side]["requests"][kind]},
                          key=lambda name: -max(found[side]["requests"][kind].get(name, 0) for side in names))
        for name in requests[:6]:
            rows.append([f"  {name}, all", *(found[side]["requests"][kind].get(name) for side in names)])
    return report.table(["", *names], rows)


def run_benchmark(words):
    options = parse(words)
    found, curves = measure(options)
    add_ratios(found)
    figures = {"autoscalers": options.autoscalers, "oneName": options.one_name, "operator": str(options.operator),
               "sides": found}
    key = f"converge {options.autoscalers}" + (" one-name" if options.one_name else "")
    return report.finish(
        options, key, figures, lambda: text(found),
        lambda: plot.lines(f"{options.autoscalers:,} autoscalers from the start on", curves, "seconds", "Ready"),
        max(side["othersShare"] for side in found.values()))


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
