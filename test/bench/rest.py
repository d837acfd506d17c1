"""What autoscalers cost at rest, all of them Ready: hack/bench rest."""

import sys
import time

import plot
import report
from programs import LONGEST_TURN, turns
from report import by_request, say
from world import resting



def parse(words):
    parser = report.parser(
        "rest",
        "Measures what autoscalers of one engine cost at rest, when all of them have been Ready for a while: requests\n"
        "to the API server, queries to Prometheus and to the adapter, pages read, CPU and memory of the operator.")
    report.add_world_options(parser, 1000)
    parser.add_argument("--seconds", type=report.positive, default=180, help="how long it is measured (default 180)")
    report.add_settle(parser, 60)
    return parser.parse_args(words)


def measure(made, program, options):
    """The figures of a window; each is per minute."""
    before, cpu, begin = made.counts(), program.cpu_seconds(), time.time()
    time.sleep(options.seconds)
    after, used, end = made.counts(), program.cpu_seconds() - cpu, time.time()
    minutes = (end - begin) / 60
    events = [e for e in made.server.audit(program.user, begin, end) if e["verb"] != "watch"]
    kinds = by_request(events)
    written = kinds["writes"] | kinds["Events"]
    requests = {name: count / minutes for name, count in (written | kinds["reads"]).items()}
    return {
        "apiRequests": sum(requests.values()), "apiRequestsPerAutoscaler": sum(requests.values()) / options.autoscalers,
        "requests": requests, "writes": sum(written.values()) / minutes,
        "statusWrites": sum(count for name, count in written.items() if "/status" in name) / minutes,
        **{name.replace(" ", ""): (after[name] - before[name]) / minutes for name in after if name != "pods read"},
        "cpuSeconds": used / minutes, **program.memory_mib(),
    }


def run(options):
    with resting(options) as (made, operator, watch, seconds):
        ready = len(watch.good)
        say(f"measuring for {options.seconds} s")
        others, page = made.others(), operator.metrics()
        cost = measure(made, operator, options)
        return {"autoscalers": options.autoscalers, "readyAtBegin": ready, "secondsToReady": seconds,
                "perMinute": cost, **turns(operator.metrics(), page),
                "readyAtEnd": len(watch.good), "othersShare": others.share()}


NAMES = {
    "apiRequests": "requests to the API server, without watches", "apiRequestsPerAutoscaler": "  of each autoscaler",
    "writes": "writes", "statusWrites": "  of a status", "Prometheusqueries": "queries to Prometheus",
    "PrometheusKiB": "KiB answered by it", "adapterqueries": "queries to the adapter", "pages": "pages read",
    "HPAstatuses": "statuses of HPAs, by the stand-in", "cpuSeconds": "CPU seconds",
}
MEMORY = {"rssMiB": "memory, MiB", "pssMiB": "  proportional", "privateDirtyMiB": "  private and dirty",
          "peakMiB": "  at most since the start"}


def text(figures):
    cost = figures["perMinute"]
    rows = [[words, float(cost[name])] for name, words in NAMES.items()]
    rows[2:2] = [[f"  {name}", count] for name, count in cost["requests"].items()]
    rows += [[words, cost[name]] for name, words in MEMORY.items()]
    rows += [*([words, figures[name]] for words, name in LONGEST_TURN),
             ["of the processors, what others had", figures["othersShare"]]]
    return report.table(["a minute, at rest", f"{figures['autoscalers']:,}"], rows)


def svg(figures):
    count = figures["autoscalers"]
    rows = [(name, per_minute / count, None) for name, per_minute in figures["perMinute"]["requests"].items()]
    return plot.bars(f"Requests a minute of each of {count:,} autoscalers at rest", rows[:15], "a minute")


def run_benchmark(words):
    options = parse(words)
    figures = run(options)
    key = f"rest {options.autoscalers}" + (" one-name" if options.one_name else "")
    return report.finish(options, key, figures, lambda: text(figures), lambda: svg(figures),
                         figures["othersShare"])


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
