"""How fast all is repaired when everything changes at once, and how it answers meanwhile: hack/bench storm."""

import json
import subprocess
import sys
import time

import plot
import report
from machine import until
from programs import LONGEST_TURN, turns
from report import by_request, say
from world import BARE, Watch, order, resting

EDITED = 10  # every so many HPAs
TIMEOUT_S = 600
QUIET, QUIET_S = 5, 3
MERGE = "application/merge-patch+json"
HPAS = "/apis/autoscaling/v2{}/horizontalpodautoscalers"


def parse(words):
    parser = report.parser(
        "storm",
        "Measures what happens when at once all targets are touched, the Prometheus resource gets another label, and\n"
        f"one of {EDITED} HPAs is edited by another hand: when all is repaired and the queue empty again, how long the\n"
        "operator's longest turn is meanwhile, and how fast it answers /healthz.")
    report.add_world_options(parser, 1000)
    report.add_settle(parser, 30)
    return parser.parse_args(words)


class Probe:
    """Asks /healthz all the time. end(): {failed, answers: [(seconds, milliseconds)]}."""

    def __init__(self, url):
        self.process = subprocess.Popen([BARE, "probe", "--url", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end(self):
        return json.loads(self.process.communicate()[0])


def storm(made):
    """All that happens, as requests."""
    for i, target in enumerate(made.targets):
        in_namespace = f"/namespaces/{target.namespace}"
        touched = {"metadata": {"annotations": {"bench/touched": "1"}}}
        yield order("PATCH", f"/apis/apps/v1{in_namespace}/deployments/{target.name}", touched, MERGE)
        if i % EDITED == 0:
            yield order("PATCH", f"{HPAS.format(in_namespace)}/{target.name}", {"spec": {"maxReplicas": 7}}, MERGE)
        if i == len(made.targets) // 2:
            path = "/apis/monitoring.coreos.com/v1/namespaces/monitoring/prometheuses/k8s"
            yield order("PATCH", path, {"metadata": {"labels": {"bench": "1"}}}, MERGE)


def wait_quiet(hpas, edited, operator, begin):
    """(seconds until all HPAs are as they were, seconds until the queue was empty as well)."""
    since = None
    while since is None or time.monotonic() - since < QUIET_S:
        operator.check()
        if time.monotonic() - begin > TIMEOUT_S:
            raise TimeoutError(f"not repaired and quiet after {TIMEOUT_S} s")
        repaired = hpas.lost >= edited and len(hpas.good) == hpas.count
        quiet = repaired and operator.metrics()["inference_autoscaler_queue_length"] <= QUIET
        since = (since or time.monotonic()) if quiet else None
        time.sleep(0.2)
    return hpas.last - begin, since - begin


def run(options):
    with resting(options) as (made, operator, watch, _):
        edited = len(made.targets[::EDITED])
        hpas = Watch(made, HPAS.format(""), lambda hpa: hpa["spec"]["maxReplicas"] == 1)
        until("all HPAs", lambda: len(hpas.good) == hpas.count, 60)
        probe = Probe(operator.url("/healthz"))
        time.sleep(5)  # at rest, to compare with
        before, cpu, begin_wall, begin = operator.metrics(), operator.cpu_seconds(), time.time(), time.monotonic()
        say("the storm")
        others = made.others()
        sent = made.send(storm(made))
        repaired, quiet = wait_quiet(hpas, edited, operator, begin)
        hpas.close()
        say(f"sent in {sent['seconds']:.1f} s, repaired after {repaired:.1f} s, quiet after {quiet:.1f} s")
        share, after, cpu = others.share(), operator.metrics(), operator.cpu_seconds() - cpu
        health = probe.end()
        events = list(made.server.audit(operator.user, begin_wall, begin_wall + quiet))
        until("all Ready", lambda: len(watch.good) == watch.count, 120)
        took = sorted(milliseconds for _, milliseconds in health["answers"])
        return {
            "autoscalers": options.autoscalers, "edited": edited, "stormSeconds": sent["seconds"],
            "repairedSeconds": repaired, "quietSeconds": quiet, "cpuSeconds": cpu, "othersShare": share,
            **operator.memory_mib(), "requests": by_request(events),
            **turns(after, before),
            "healthz": {"asked": len(took), "failed": health["failed"], "medianMs": took[len(took) // 2],
                        "worstMs": took[-1]},
        }, health["answers"]


def text(figures):
    health = figures["healthz"]
    rows = [[words, value] for words, value in (
        ("HPAs edited", figures["edited"]), ("seconds that the storm took", figures["stormSeconds"]),
        ("seconds until all was repaired", figures["repairedSeconds"]),
        ("seconds until the queue was empty too", figures["quietSeconds"]),
        *((words, figures[name]) for words, name in LONGEST_TURN),
        ("/healthz, median, ms", health["medianMs"]), ("/healthz, worst, ms", health["worstMs"]),
        ("/healthz, failed", health["failed"]), ("CPU seconds", figures["cpuSeconds"]),
        ("peak memory, MiB", figures["peakMiB"]), ("of the processors, what others had", figures["othersShare"]))]
    for kind, found in figures["requests"].items():
        rows.append([kind, sum(found.values())])
        rows += [[f"  {name}", count] for name, count in found.items()]
    return report.table(["a storm", f"{figures['autoscalers']:,}"], rows)


def run_benchmark(words):
    options = parse(words)
    figures, answers = run(options)
    key = f"storm {options.autoscalers}" + (" one-name" if options.one_name else "")
    return report.finish(
        options, key, figures, lambda: text(figures),
        lambda: plot.lines(f"/healthz in a storm of {options.autoscalers:,} autoscalers", {"/healthz": sorted(answers)},
                           "seconds", "ms"),
        figures["othersShare"])


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
