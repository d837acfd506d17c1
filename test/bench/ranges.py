"""The declared ranges, test/bench/ranges.yaml: what some figures were, and how much more they may be."""

import time

import yaml

import machine
from machine import REPO

FILE = REPO / "test" / "bench" / "ranges.yaml"
HEAD = """\
# What the benchmarks are held to. `mean` was measured on `machine`; a figure is out of its range when it is more than
# mean · (1 + margin), or than `most` where a limit is meant and not a measurement. Those of `time` are not compared
# when other programs had the processors too. `hack/bench NAME --declare` writes anew the means of a benchmark that are
# here; a figure that is to be held is added by hand, with its name.
"""


def load():
    return (yaml.safe_load(FILE.read_text()) if FILE.exists() else None) or {}


def figure(figures, name):
    """The one with the name "a/b/c"; None when it was not measured."""
    for part in name.split("/"):
        figures = figures.get(part) if isinstance(figures, dict) else None
    return figures


def limit(row):
    return row["most"] if "most" in row else row["mean"] * (1 + row["margin"])


def check(key, figures, quiet=True):
    """A line for each figure that is out of its range; of those of time only when the machine was quiet."""
    broken = []
    all_of_it = load()
    # Some hold for any number of autoscalers.
    for name, row in [row for k in dict.fromkeys((key.split()[0], key))
                      for row in all_of_it.get(k, {}).get("figures", {}).items()]:
        value = figure(figures, name)
        if row.get("time") and not quiet:
            continue
        if value is not None and value > limit(row) + 1e-9:
            broken.append(f"{name} is {value:,.4g}, more than {limit(row):,.4g}")
    return broken


def declare(key, figures):
    """The means of what is declared already, measured anew."""
    all_of_it = load()
    declared = all_of_it.setdefault(key, {"figures": {}})
    for name, row in declared["figures"].items():
        if "mean" in row and figure(figures, name) is not None:
            row["mean"] = rounded(figure(figures, name))
    declared |= {"machine": machine.describe(), "measured": time.strftime("%Y-%m-%d")}
    FILE.write_text(HEAD + yaml.safe_dump(all_of_it, sort_keys=False, width=120))


def rounded(value):
    """Four digits."""
    short = float(f"{value:.4g}")
    return int(short) if short.is_integer() else short


def note(key, name, value):
    """Something else that the declared figures depend on."""
    all_of_it = load()
    all_of_it[key][name] = value
    FILE.write_text(HEAD + yaml.safe_dump(all_of_it, sort_keys=False, width=120))
