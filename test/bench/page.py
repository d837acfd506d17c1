"""The processor time of reading metrics pages that want to be slow, and a real one: hack/bench page."""

import json
import sys

import plot
import ranges
import report
from machine import REPO, run

PROGRAM = REPO / "build" / "release" / "bench-page"
REAL = REPO / "test" / "fixtures" / "vllm-0.32.0-load.txt"
# Every signal that the table of engines has for vLLM.
SIGNALS = {"vllm_num_requests_running", "vllm_num_requests_waiting", "vllm_num_requests_in_flight",
           "vllm_kv_cache_usage_percent"}


def parse(words):
    parser = report.parser(
        "page",
        "Measures the processor time of reading metrics pages, for all signals of all engines: pages that want to be\n"
        "slow, and one of vLLM, of which the engine and each signal must be found. Of each the best of five counts.")
    return parser.parse_args(words)


def text(figures):
    rows = [[name, page["bytes"] // 1024, page["ms"], "refused" if page["refused"] else page["engine"] or "–"]
            for name, page in figures["pages"].items()]
    return report.table(["page", "KiB", "ms of CPU", "engine"], rows)


def svg(figures, key):
    declared = ranges.load().get(key, {}).get("figures", {})
    rows = [(name, page["ms"], declared.get(f"pages/{name}/ms", {}).get("most"))
            for name, page in figures["pages"].items()]
    return plot.bars("Reading a metrics page", rows, "ms")


def run_benchmark(words):
    options = parse(words)
    found = json.loads(run(PROGRAM, REAL))["pages"]
    figures = {"pages": {page.pop("page"): {"engine": None, "values": {}} | page for page in found}}
    real = figures["pages"][REAL.name]
    assert real["engine"] == "VLLM", f"the page of vLLM is taken for {real['engine']}"
    missing = {signal for signal in SIGNALS if signal not in real["values"]}
    assert not missing, f"these signals were not read of the page of vLLM: {sorted(missing)}"
    return report.finish(options, "page", figures, lambda: text(figures), lambda: svg(figures, "page"))


if __name__ == "__main__":
    sys.exit(report.main(run_benchmark, sys.argv[1:]))
