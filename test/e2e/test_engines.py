"""Every engine, signal and generation of metric names: what the HorizontalPodAutoscaler reads is what the engine says, by way
of Prometheus and its adapter, and by our own metrics API where there is no metric stack."""
import collections
import json
import re
import time
from decimal import Decimal

import pytest
import yaml
from kubernetes.utils.quantity import parse_quantity

from breakage import PROGRAM
from conftest import ADAPTER, AUTOSCALER, DIRECT, HPA, ROOT, eventually, run
from standins import autoscaler, deployment

Row = collections.namedtuple("Row", "page generation engine port version written", defaults=["Auto"])
ROWS = [
    Row("vllm", "new", "VLLM", 8000, "0.32.0+standin"),
    Row("vllm", "old", "VLLM", 8000, "0.10.2+standin"),
    Row("sglang", "new", "SGLang", 30000, "0.5.6+standin"),
    Row("tgi", "new", "TGI", 80, "3.3.7+standin"),
    Row("tensorrt-llm", "new", "TensorRTLLM", 8000, "1.3.0+standin"),
    Row("tensorrt-llm", "old", "TensorRTLLM", 8000, "1.2.0+standin"),
    Row("triton", "new", "Triton", 8002, None),
    Row("triton", "old", "Triton", 8002, None),
    Row("lmdeploy", "new", "LMDeploy", 23333, None),
    Row("lmdeploy", "old", "LMDeploy", 23333, None),
    # It passes on what vLLM says, and is taken for one unless told.
    Row("nim", "new", "NIM", 8000, "2.0.3+standin", written="NIM"),
    Row("nim", "old", "NIM", 8000, "1.14.0+standin"),
    Row("llamacpp", "new", "LlamaCpp", 8080, "b6900-standin"),
    Row("llamacpp", "old", "LlamaCpp", 8080, "b5400-standin"),
    # An engine that nobody knows: the spec describes what this page says.
    Row("triton", "new", "Custom", 8002, None, written="Custom"),
]
DESCRIBED = {
    **{signal: {"series": f'nv_trt_llm_request_metrics{{request_type="{label}"}}'}
       for signal, label in (("Running", "scheduled"), ("Waiting", "waiting"), ("InFlight", "active"))},
    "KVCache": {"series": 'nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="fraction"}', "unit": "Ratio"},
}
# What a generation of an engine does not tell, so that there is nothing to read.
UNTOLD = {("tensorrt-llm", "old"): {"Running", "Waiting", "InFlight"}, ("llamacpp", "new"): {"KVCache"}}


def signals_of(text):
    return dict(re.findall(r'\.name = "(\w+)",\s*\.metric = "(\w+)"', text))


def presets():
    """The signals of each engine and their metrics, as src/engine has them."""
    text = (ROOT / "src/engine/presets.c").read_text()
    engines = re.split(r'\.type = "(\w+)"', text)[1:]
    return {engine: signals_of(row) for engine, row in zip(engines[::2], engines[1::2])} | \
        {"Custom": signals_of((ROOT / "src/engine/custom_rules.c").read_text())}


PRESETS = presets()


class Cell:
    """One engine, generation and signal: a Deployment of one pod, with figures that no other cell has."""

    def __init__(self, number, row, signal):
        self.row, self.signal = row, signal
        self.metric = PRESETS[row.engine][signal]
        self.name = f"{row.engine if row.engine == 'Custom' else row.page}-{row.generation}-{signal}".lower()
        self.figures = {"running": 10 + number, "waiting": 200 + number, "kv": (number + 1) / 100}
        self.told = signal not in UNTOLD.get((row.page, row.generation), ())
        self.pod = self.reported = self.read = self.hpa_read = None
        self.series, self.found, self.ready = "", {}, {}

    def manifests(self, namespace, image):
        # Not to be scaled: the value is what matters here.
        yield deployment(namespace, self.name, image, "--page", self.row.page, "--generation", self.row.generation,
                         port=self.row.port)
        described = {"signals": [{"name": self.signal} | DESCRIBED[self.signal]]} if self.row.written == "Custom" else {}
        yield autoscaler(namespace, self.name, max_replicas=1, engine={"type": self.row.written} | described,
                         requests={"signal": self.signal, "target": 50})

    def report(self, figures):
        """What the stand-in says of itself, in the signal's unit."""
        value = {"Running": figures["running"], "Waiting": figures["waiting"], "KVCache": figures["kv"] * 100,
                 "InFlight": figures["running"] + figures["waiting"]}[self.signal]
        self.reported = round(Decimal(value), 6)  # a fill of 0.55 is 55.00000000000001 percent

    def is_read(self):
        """The adapter writes thousandths, and drops what is beyond."""
        return all(value is not None and abs(value - self.reported) <= Decimal("0.001") for value in (self.read, self.hpa_read))

    def is_settled(self):
        """The HPA may have read before the status says so, with the engine and its version."""
        if not self.told:
            return self.ready.get("reason") == "SeriesNotOnPage"
        return self.is_read() and self.ready.get("status") == "True"


CELLS = [Cell(number, row, signal)
         for number, (row, signal) in enumerate((row, signal) for row in ROWS for signal in PRESETS[row.engine])]


def pin(kube, namespace, cell):
    """Sets the pod's gauges as soon as it is ready."""
    for pod in kube.pods(namespace, f"app={cell.name}"):
        if kube.is_ready(pod):
            cell.pod = pod.metadata.name
            cell.report(json.loads(kube.ask_pod(namespace, cell.pod, cell.row.port, "/standin", cell.figures)))


def average(hpa):
    """What the HorizontalPodAutoscaler read last; None before."""
    for metric in hpa.get("status", {}).get("currentMetrics") or []:
        if metric.get("pods", {}).get("current", {}).get("averageValue") is not None:
            return parse_quantity(metric["pods"]["current"]["averageValue"])
    return None


def read(kube, namespace, cells):
    """Everything that the cluster says of these cells, with one question for each metric."""
    found = {item["metadata"]["name"]: item for item in kube.list(*AUTOSCALER, namespace)}
    hpas = {item["metadata"]["name"]: item for item in kube.list(*HPA, namespace)}
    values = {metric: kube.metric(namespace, metric, "") for metric in {cell.metric for cell in cells if cell.told}}
    for cell in cells:
        status = found[cell.name].get("status", {})
        cell.found = status.get("engine") or {}
        cell.ready = next((c for c in status.get("conditions") or [] if c["type"] == "Ready"), {})
        cell.read = values.get(cell.metric, {}).get(cell.pod)
        cell.hpa_read = average(hpas.get(cell.name, {}))


def name_series(kube, namespace, cell, rules):
    """The series that the rule for it asks for and the pod's page has, or that the spec describes."""
    if cell.row.written == "Custom":
        cell.series = DESCRIBED[cell.signal]["series"]
        return
    page = kube.ask_pod(namespace, cell.pod, cell.found["port"], cell.found["path"])
    query = next(rule["metricsQuery"] for rule in rules if rule["name"]["as"] == cell.metric)
    asked = re.findall(r'__name__=~"([^"]+)"', query) + re.findall(r"([a-zA-Z_:][\w:]*)\{", query)
    served = dict.fromkeys(re.findall(r"^([a-zA-Z_:][\w:]*)[ {]", page, re.MULTILINE))
    cell.series = " ".join(name for name in served if any(re.fullmatch(pattern, name) for pattern in asked))


def print_table(write, cells):
    heading = ("engine", "generation", "signal", "series", "reported", "read", "the HPA read")
    rows = [(c.row.page, c.row.generation, c.signal, c.series or "not told", *(
        (f"{value.normalize():f}" if value is not None else "") for value in
        ((c.reported, c.read, c.hpa_read) if c.told else (None, None, None)))) for c in cells]
    widths = [max(len(row[i]) for row in [heading, *rows]) for i in range(len(heading))]
    for row in [heading, *rows]:
        write(" · ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def restarts(kube, before):
    if before is None:
        return ""
    return f", in which the adapter was restarted {kube.get(*ADAPTER)['metadata']['generation'] - before[1]} times"


@pytest.fixture(scope="module")
def table(kube, image, request):
    """All cells at once, so that Prometheus reloads and the adapter restarts once for all of them."""
    start = time.monotonic()
    before = None if DIRECT else (kube.foreign_rules(), kube.get(*ADAPTER)["metadata"]["generation"])
    with kube.namespace("engines-example") as namespace:
        kube.apply([manifest for cell in CELLS for manifest in cell.manifests(namespace, image)])

        def all_pinned():
            for cell in CELLS:
                if cell.pod is None:
                    pin(kube, namespace, cell)
            return all(cell.pod for cell in CELLS)

        eventually("a ready pod for every cell", all_pinned, 180, period=1)

        def all_settled():
            open_cells = [cell for cell in CELLS if not cell.is_settled()]
            read(kube, namespace, open_cells)
            return all(cell.is_settled() for cell in open_cells) or time.monotonic() - start > 300

        # What is open then is told by the cell's own test.
        eventually("every cell is read", all_settled, 300, period=3)
        rules = yaml.safe_load(run(str(PROGRAM), "rules", "-o", "config"))["rules"]
        for cell in CELLS:
            if cell.told and cell.found:
                name_series(kube, namespace, cell, rules)
        reporter = request.config.pluginmanager.getplugin("terminalreporter")
        with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            reporter.write_line("")
            print_table(reporter.write_line, CELLS)
            reporter.write_line(f"{len(CELLS)} cells after {time.monotonic() - start:.0f} s{restarts(kube, before)}")
        yield CELLS
    if before:
        eventually("the rules are what they were", lambda: kube.foreign_rules() == before[0], 90)


def title(value):
    return value.name if isinstance(value, Cell) else "-".join(value[:3])


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell.told], ids=title)
def test_the_hpa_reads_what_the_engine_reports(table, cell):
    assert cell.series, f"no series of '{cell.metric}' is on the page: {cell.ready}"
    assert cell.is_read(), f"reported {cell.reported}, the metrics API said {cell.read}, the HPA {cell.hpa_read}: {cell.ready}"


@pytest.mark.parametrize("cell", [cell for cell in CELLS if not cell.told], ids=title)
def test_what_an_engine_does_not_tell_is_said_to_be_missing(table, cell):
    assert (cell.ready["status"], cell.ready["reason"]) == ("False", "SeriesNotOnPage"), cell.ready


@pytest.mark.parametrize("row", ROWS, ids=title)
def test_the_engine_and_its_version_are_found(table, row):
    found = [cell.found for cell in table if cell.row == row]
    assert [(f.get("type"), f.get("version"), f.get("port")) for f in found] == \
        [(row.engine, row.version, row.port)] * len(PRESETS[row.engine])


def test_no_signal_of_the_table_of_engines_is_left_out():
    """Each is told by at least one generation of the engine's page."""
    told = {(cell.row.engine, cell.signal) for cell in CELLS if cell.told}
    assert told == {(engine, signal) for engine, signals in PRESETS.items() for signal in signals}
