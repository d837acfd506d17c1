"""How fast a restarted operator knows again that all is well, and what it writes meanwhile: hack/bench restart."""

import json
import sys
import time

import plot
import report
from machine import get
from programs import LONGEST_TURN, turns
from report import by_request, say
from world import resting

TIMEOUT_S = 600
QUIET = 5  # keys in the queue: of a thousand autoscalers at rest one has its turn now and then


def parse(words):
    parser = report.parser(
        "restart",
        "Measures an operator that is restarted while all autoscalers are Ready: when it has all objects, when it has\n"
        "read a page of each autoscaler's pods, and when its queue is empty and all count as Ready; it should write\n"
        "nothing.")
    report.add_world_options(parser, 1000)
    report.add_settle(parser, 30)
    return parser.parse_args(words)


def pods_read(made):
    return json.loads(get(f"http://127.0.0.1:{made.own_port}/counts"))["pods read"]


def follow(made, operator):
    """{what: seconds after the start}, and [(seconds, pods whose page was read)]."""
    count, at, curve = len(made.targets), {}, []

    def seconds():
        return time.monotonic() - operator.begin

    while len(at) < 3:
        operator.check()
        if seconds() > TIMEOUT_S:
            raise TimeoutError(f"after {TIMEOUT_S} s the operator came to {at}; of {count} pods read: {curve[-1]}")
        if "synced" not in at and operator.synced():
            at["synced"] = seconds()
        if "probed" not in at:
            curve.append((seconds(), pods_read(made)))
            if curve[-1][1] == count:
                at["probed"] = seconds()
        if "probed" in at:
            page = operator.metrics()
            if (page["inference_autoscaler_autoscalers_ready"] == count
                    and page["inference_autoscaler_queue_length"] <= QUIET):
                at["quiet"] = seconds()
        time.sleep(0.05)
    return at, curve


def run(options):
    with resting(options) as (made, operator, watch, _):
        say("restarting")
        operator.close()
        get(f"http://127.0.0.1:{made.own_port}/forget")
        others = made.others()
        operator = made.start_operator(options.operator)
        at, curve = follow(made, operator)
        memory, cpu = operator.memory_mib(), operator.cpu_seconds()
        page = operator.metrics()
        events = list(made.server.audit(operator.user, operator.begin_wall, time.time()))
        requests = by_request(events)
        writes = sum(sum(requests[kind].values()) for kind in ("writes", "Events"))
        return {"autoscalers": options.autoscalers, "seconds": at, "writes": writes, "requests": requests,
                **turns(page),
                "cpuSeconds": cpu, **memory, "ready": len(watch.good), "othersShare": others.share()}, curve


def text(figures):
    rows = [[f"seconds until {words}", figures["seconds"][name]] for name, words in (
        ("synced", "it had all objects"), ("probed", "a page of each autoscaler was read"),
        ("quiet", "all were Ready and the queue empty"))]
    rows += [[words, figures[name]] for words, name in (
        *LONGEST_TURN, ("CPU seconds", "cpuSeconds"), ("peak memory, MiB", "peakMiB"),
        ("of the processors, what others had", "othersShare"), ("writes", "writes"))]
    rows += [[f"  {name}", count] for kind in figures["requests"].values() for name, count in kind.items()]
    return report.table(["a restart", f"{figures['autoscalers']:,}"], rows)


def run_benchmark(words):
    options = parse(words)
    figures, curve = run(options)
    key = f"restart {options.autoscalers}" + (" one-name" if options.one_name else "")
    return report.finish(
        options, key, figures, lambda: text(figures),
        lambda: plot.lines(f"A restart with {options.autoscalers:,} autoscalers", {"pages read": curve}, "seconds",
                           "autoscalers"),
        figures["othersShare"])


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
