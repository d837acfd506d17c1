"""The processor's instructions for one pass, one page and one merge of the adapter's rules: hack/bench instructions."""

import re
import subprocess
import sys

import plot
import ranges
import report
from machine import REPO, run

BUILD = REPO / "build" / "release"
PROGRAM = BUILD / "bench-instructions"
KEY = "instructions"
# What is done, how often, and to which file.
THINGS = {
    "pass": (100, REPO / "test/golden/healthy/world.yaml"),
    "page": (20, REPO / "test/fixtures/vllm-0.32.0-load.txt"),
    "merge": (20, REPO / "hack/stack.d/adapter-rules.yaml"),
}


def parse(words):
    parser = report.parser(
        KEY,
        "Counts, by valgrind, the instructions of one reconcile pass of a healthy autoscaler, of reading one page of\n"
        "vLLM, and of one merge of a rule into prometheus-adapter's configuration. They do not depend on how busy the\n"
        "machine is, but on the compiler: with another one than that of the declared counts nothing is compared,\n"
        "which is said.",
        "To declare the counts of this machine's compiler: hack/bench instructions --declare")
    return parser.parse_args(words)


def compiler():
    cache = (BUILD / "CMakeCache.txt").read_text()
    path = re.search(r"^CMAKE_C_COMPILER:\w+=(.*)$", cache, re.M)[1]
    name = run(path, "--version").split()[0]
    return f"{name} {run(path, '-dumpfullversion').strip()} {run(path, '-dumpmachine').strip()}"


def counted(thing, times, file):
    words = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", PROGRAM, thing, times, file]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    assert done.returncode == 0, f"valgrind ended {done.returncode}: {done.stderr[-1000:]}"
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


def one(thing):
    """What one costs: the difference that more of them make."""
    times, file = THINGS[thing]
    return round((counted(thing, times + 1, file) - counted(thing, 1, file)) / times)


def text(figures):
    declared = ranges.load().get(KEY, {}).get("figures", {})
    rows = []
    for thing, count in figures["instructions"].items():
        mean = declared.get(f"instructions/{thing}", {}).get("mean")
        rows.append([thing, count, mean and int(mean), mean and f"{100 * count / mean - 100:+.1f} %"])
    return report.table(["instructions of one", "now", "declared", "difference"], rows)


def run_benchmark(words):
    options = parse(words)
    figures = {"compiler": compiler(), "instructions": {thing: one(thing) for thing in THINGS}}
    declared = ranges.load().get(KEY, {})
    key = KEY
    if declared.get("compiler") != figures["compiler"] and not options.declare:
        key = f"{KEY} of another compiler"
        report.say(f"NOT COMPARED: the declared counts are of '{declared.get('compiler')}', this is "
                   f"'{figures['compiler']}'; 'hack/bench instructions --declare' declares those of this one")
    code = report.finish(
        options, key, figures, lambda: text(figures),
        lambda: plot.bars("Instructions of one", [(n, c, None) for n, c in figures["instructions"].items()], ""))
    if options.declare:
        ranges.note(KEY, "compiler", figures["compiler"])
    return code


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
