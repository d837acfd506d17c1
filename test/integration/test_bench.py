"""hack/bench works, and holds its figures to what is declared: a benchmark that nobody runs measures nothing any more."""

import json
import subprocess
import sys

import pytest
import yaml

from conftest import REPO
from operator_fixtures import OPERATOR

BENCH = REPO / "test" / "bench"
sys.path.insert(0, str(BENCH))
import ranges  # noqa: E402
import react  # noqa: E402

FIGURES = {"sides": {"us": {"ratio": 2.0, "writes": 3, "seconds": None}}}


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """Writes what is declared of the benchmark 'converge 5'; what is found out of its range then."""
    monkeypatch.setattr(ranges, "FILE", tmp_path / "ranges.yaml")

    def check(key="converge 5", quiet=True, **rows):
        rows = {name.replace("_", "/"): row for name, row in rows.items()}
        ranges.FILE.write_text(yaml.safe_dump({key: {"figures": rows}}))
        return ranges.check("converge 5", FIGURES, quiet)

    return check


def test_a_figure_beyond_its_mean_and_margin_is_out_of_its_range(declared):
    assert declared(sides_us_ratio={"mean": 1.9, "margin": 0.1}) == []
    assert declared(sides_us_ratio={"mean": 1.8, "margin": 0.1}) == ["sides/us/ratio is 2, more than 1.98"]
    assert declared(sides_us_writes={"most": 3}) == []
    assert declared(sides_us_writes={"most": 2}) == ["sides/us/writes is 3, more than 2"]


def test_what_holds_for_any_number_of_autoscalers_is_held_too(declared):
    assert declared("converge", sides_us_writes={"most": 2}) != []
    assert declared("converge 6", sides_us_writes={"most": 2}) == []


def test_a_figure_of_time_is_held_on_a_quiet_machine_only(declared):
    assert declared(sides_us_ratio={"most": 1, "time": True}) != []
    assert declared(quiet=False, sides_us_ratio={"most": 1, "time": True}) == []


def test_what_was_not_measured_is_out_of_no_range(declared):
    assert declared(sides_us_seconds={"most": 1}, sides_keda_ratio={"most": 1}) == []


def test_declaring_measures_the_means_anew_and_leaves_the_limits(declared):
    assert declared(sides_us_ratio={"mean": 1, "margin": 0.1}, sides_us_writes={"most": 2}) != []
    ranges.declare("converge 5", FIGURES)
    rows = ranges.load()["converge 5"]["figures"]
    assert rows["sides/us/ratio"] == {"mean": 2, "margin": 0.1} and rows["sides/us/writes"] == {"most": 2}


def samples(*took):
    """Changes at second 100 that the HPA wanted after so many seconds, read half way and served a second before."""
    return [react.Sample(0, None, 100.0, 100.0 + s / 2, 99.0 + s, 100.0 + s) for s in took]


def test_react_takes_its_hops_apart():
    found = react.figures_of(samples(*range(2, 22)), 1)
    assert (found["steps"], found["missed"]) == (20, 1)
    assert (found["medianSeconds"], found["p95Seconds"], found["maxSeconds"]) == (11, 20, 21)
    assert found["hops"]["pageSeconds"] == {"median": 5.5, "p95": 10.0}
    assert found["hops"]["hpaSeconds"] == {"median": 1.0, "p95": 1.0}


def test_react_holds_direct_to_the_fastest_of_the_others():
    sides = {name: react.figures_of(samples(took), 0) for name, took in (("direct", 4), ("keda", 8), ("keda-fastest", 5))}
    assert react.add_ratios(sides) == {"directOfFastestPeer": {"median": 0.8, "p95": 0.8}}
    assert sides["keda"]["ratio"] == {"median": 2.0, "p95": 2.0}


def test_react_without_an_answer_of_a_side_has_no_ratio_of_it():
    sides = {"direct": react.figures_of(samples(4), 0), "keda": react.figures_of([], 3)}
    assert react.add_ratios(sides) == {"directOfFastestPeer": {}} and sides["keda"] == {"steps": 0, "missed": 3}


@pytest.fixture(scope="module")
def bare():
    """The benchmarks' other side, built."""
    path = REPO / "build" / "bench" / "bare"
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([REPO / "hack/tools/go", "build", "-C", BENCH / "bare", "-buildvcs=false", "-o", path, "."], check=True)


def run_bench(name, *words):
    return subprocess.run([sys.executable, "-B", BENCH / f"{name}.py", *words, "--operator", OPERATOR],
                          stdout=subprocess.PIPE, text=True, timeout=300)


def test_converge_measures_the_operator_beside_the_limit(bare, tmp_path):
    figures, drawn = tmp_path / "figures.json", tmp_path / "plot.svg"
    done = run_bench("converge", "5", "--sides", "limit,us", "--json", figures, "--svg", drawn)
    assert done.returncode == 0, done.stdout
    sides = json.loads(figures.read_text())["sides"]
    assert {side: found["ready"] for side, found in sides.items()} == {"limit": 5, "us": 5}
    # Three children and a status.
    assert sides["limit"]["perAutoscaler"]["writes"] == 4
    assert sides["limit"]["children"] == sides["us"]["children"] == 15
    assert drawn.read_text().startswith("<svg") and "seconds until all were" in done.stdout


@pytest.mark.alone
def test_serve_reads_what_the_operator_serves(bare, tmp_path):
    figures = tmp_path / "figures.json"
    done = run_bench("serve", "3", "--seconds", "3", "--settle", "1", "--json", figures)
    found = json.loads(figures.read_text())
    assert (found["reads"], found["errors"]) == (300, 0), done.stdout
    # Each of the three is asked 33 times a second, and its pods' pages are read once in that.
    assert 0.5 < found["pageReadsPerPodSecond"]["mean"] <= found["pageReadsPerPodSecond"]["most"] < 2


@pytest.mark.alone
def test_react_sees_each_hop_of_the_metrics_api_that_the_operator_serves(bare, tmp_path):
    figures = tmp_path / "figures.json"
    done = run_bench("react", "1", "--sides", "direct", "--json", figures)
    direct = json.loads(figures.read_text())["sides"]["direct"]
    assert (direct["steps"], direct["missed"]) == (react.TARGETS, 0), done.stdout
    # It acts on what it has just read, not on what it reads a period later.
    assert direct["hops"]["hpaSeconds"]["p95"] < react.HPA_PERIOD_S
