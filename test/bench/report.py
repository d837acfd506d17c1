"""What all benchmarks share: their options, and how their figures are shown, kept and held to the declared ranges."""

import argparse
import collections
import json
import signal
import sys
import time
from pathlib import Path

import machine
import ranges
from control_plane import resource
from machine import REPO

WRITES = {"create", "update", "patch", "delete", "deletecollection"}
QUIET = 0.1  # of the processors
begin = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - begin:4.0f} s] {text}", file=sys.stderr, flush=True)


def positive(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def sides_of(known):
    """The type of an option that takes some of these, separated by commas; in the order of `known`."""

    def sides(text):
        found = text.split(",")
        if not set(found) <= set(known):
            raise ValueError
        return [side for side in known if side in found]

    return sides


def parser(name, description, epilog=""):
    """With the options that each has."""
    made = argparse.ArgumentParser(
        prog=f"hack/bench {name}", formatter_class=argparse.RawDescriptionHelpFormatter, description=description,
        epilog=f"{epilog}\n\nexit codes: 0 every figure is within its declared range (test/bench/ranges.yaml), 1 one\n"
               "is not, or the measurement failed, 2 wrong usage".lstrip())
    made.add_argument("--output", choices=["text", "json"], default="text", help="(default text)")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures into FILE as well, as JSON")
    made.add_argument("--svg", type=Path, metavar="FILE", help="draw them into FILE")
    made.add_argument("--write", type=Path, metavar="FILE",
                      help="put them into FILE, between the lines that README.md has for them")
    made.add_argument("--declare", action="store_true", help="declare these figures as what later runs are held to")
    return made


def add_world_options(made, default):
    made.add_argument("autoscalers", type=positive, nargs="?", default=default, metavar="N",
                      help=f"how many autoscalers (default {default})")
    made.add_argument("--operator", type=Path, metavar="BINARY", default=REPO / "build/release/inference-autoscaler",
                      help="the operator to measure (default: this tree's, built with preset release)")
    made.add_argument("--one-name", action="store_true", help="all of them of one name, each in a namespace of its own")


def add_settle(made, default):
    made.add_argument("--settle", type=positive, default=default, metavar="SECONDS",
                      help=f"how long all have been Ready before anything is measured (default {default})")


def finish(options, key, figures, text, svg, others=0.0):
    """Shows and keeps the figures, a dictionary that may be nested; the exit code. `key` says which ranges hold.

    `others`: what share of the processors went to other programs, beside which figures of time mean little.
    """
    whole = {"benchmark": key, "machine": machine.describe(), "at": time.strftime("%Y-%m-%d %H:%M"), **figures}
    if options.json:
        options.json.write_text(json.dumps(whole, indent=2) + "\n")
    if options.svg:
        options.svg.write_text(svg())
    if options.write:
        write(options.write, key, text())
    print(json.dumps(whole, indent=2) if options.output == "json" else text())
    if options.declare:
        ranges.declare(key, figures)
        say(f"declared in {ranges.FILE.relative_to(REPO)}")
        return 0
    quiet = others <= QUIET
    if not quiet:
        say(f"other programs had {others:.0%} of the processors: figures of time are NOT COMPARED with their ranges")
    broken = ranges.check(key, figures, quiet)
    for line in broken:
        print(f"out of its declared range: {line}", file=sys.stderr)
    return 1 if broken else 0


def write(file, key, text):
    """Between the lines for this benchmark: the table, and how it came about."""
    begin, end = (f"<!-- figures of hack/bench {key.split()[0]}: {word} -->" for word in ("begin", "end"))
    head, _, rest = file.read_text().partition(begin)
    _, found, tail = rest.partition(end)
    assert found, f"'{file}' has not the lines '{begin}' and '{end}'"
    command = f"`hack/bench {key.replace(' one-name', ' --one-name')}`"
    came = f"{command}, {time.strftime('%Y-%m-%d')}, {machine.describe()}, shared by all that it runs:"
    file.write_text(f"{head}{begin}\n{came}\n\n```\n{text}\n```\n{end}{tail}")


def main(run, words):
    """The exit code of run(words); what interrupts it, or fails, takes everything down first."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        return run(words)
    except (AssertionError, TimeoutError) as error:
        say(f"failed: {error}")
        return 1


def table(header, rows):
    """Lines of a text table; the first column is of words, the rest of numbers, '–' where there is none."""
    def word(value):
        if value is None:
            return "–"
        if isinstance(value, float):
            return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.1f}" if abs(value) >= 100 else f"{value:,.2f}"
        return f"{value:,}" if isinstance(value, int) else str(value)

    lines = [list(map(word, row)) for row in [header, *rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join("  ".join([line[0].ljust(widths[0]), *(w.rjust(n) for w, n in zip(line[1:], widths[1:]))]).rstrip()
                     for line in lines)


def by_request(events):
    """{"writes", "Events", "reads": {"verb resource": how many}}, the most frequent first."""
    found = {"writes": collections.Counter(), "Events": collections.Counter(), "reads": collections.Counter()}
    for event in events:
        kind = "reads"
        if event["verb"] in WRITES:
            kind = "Events" if event["objectRef"]["resource"] == "events" else "writes"
        found[kind][f"{event['verb']} {resource(event)}"] += 1
    return {kind: dict(counter.most_common()) for kind, counter in found.items()}
