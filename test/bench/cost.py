"""What autoscalers of one engine cost at rest, by their number: hack/bench cost."""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
os.environ.setdefault("IA_OPERATOR", str(REPO / "build" / "release" / "inference-autoscaler"))
sys.path.insert(0, str(REPO / "test" / "integration"))

from chain_fixtures import answers, free_port  # noqa: E402
from conftest import Cluster, control_plane, eventually, helm_runner, install_our_crd, tool  # noqa: E402
from many import RUNNING, Many  # noqa: E402
from operator_fixtures import OPERATOR, install_stack, write_operator_kubeconfig  # noqa: E402

STANDIN = REPO / "build" / "release" / "vllm-standin"
# The lines of README.md between which --write puts the figures.
BEGIN, END = "<!-- figures of hack/bench cost: begin -->", "<!-- figures of hack/bench cost: end -->"
ALLOWED = 1.1  # of the queries of the fewest: a minute's edge may cut off one more or less
begin = time.monotonic()


def say(text):
    print(f"[{time.monotonic() - begin:4.0f} s] {text}", file=sys.stderr, flush=True)


def positive(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def sizes(text):
    found = [positive(word) for word in text.split(",")]
    if found != sorted(set(found)) or len(found) < 2:
        raise argparse.ArgumentTypeError(f"'{text}' has to be at least two numbers that grow, as in 1,100,1000")
    return found


def parse(words):
    parser = argparse.ArgumentParser(
        prog="hack/bench cost", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures what InferenceAutoscalers of one engine cost at rest, all of them Ready: queries to\n"
                    "Prometheus, requests to the API server, pages read, CPU and memory of the operator.",
        epilog="Runs etcd, the API server, the controllers and a Prometheus on this machine; pods are objects without\n"
               "a node. The operator is started anew for each number.\n\n"
               f"exit codes: 0 queries to Prometheus are constant, 1 the most autoscalers cause over {ALLOWED:g} times\n"
               "those of the fewest, or the measurement failed, 2 wrong usage")
    parser.add_argument("--autoscalers", type=sizes, default="1,100,1000", metavar="N,M…",
                        help="how many, growing (default 1,100,1000)")
    parser.add_argument("--namespaces", type=positive, default=10, help="they are spread over so many (default 10)")
    parser.add_argument("--minutes", type=positive, default=3, help="how long each number is measured (default 3)")
    parser.add_argument("--settle", type=positive, default=60, metavar="SECONDS",
                        help="how long all have to have been Ready before that (default 60)")
    parser.add_argument("--timeout", type=positive, default=600, metavar="SECONDS",
                        help="how long all may take to be Ready (default 600)")
    parser.add_argument("--write", type=Path, metavar="FILE",
                        help="put the figures into FILE as well, between the lines that README.md has for them")
    parser.add_argument("--output", choices=["text", "json"], default="text", help="(default text)")
    return parser.parse_args(words)


def run(options, folder):
    """One row for each number of autoscalers."""
    rows = []
    with control_plane("--hpa-sync", "15") as kubeconfig:
        cluster = Cluster(kubeconfig, tool("kubectl"))
        install_our_crd(cluster)
        install_stack(cluster)
        credential = write_operator_kubeconfig(folder / "kubeconfig", cluster, helm_runner())
        namespaces = [f"many-{i}" for i in range(options.namespaces)]
        for ns in namespaces:
            cluster.core.create_namespace({"metadata": {"name": ns}})
            eventually(lambda ns=ns: cluster.core.read_namespaced_service_account("default", ns))
        many = Many(cluster, namespaces, folder)
        try:
            port = free_port()
            many.start(STANDIN, "serve", "--listen", f"127.0.0.1:{port}")
            eventually(lambda: answers(f"http://127.0.0.1:{port}/health"))
            pin = json.dumps({"running": int(RUNNING)}).encode()
            urllib.request.urlopen(f"http://127.0.0.1:{port}/standin", data=pin, timeout=5).read()
            many.start_prometheus(port, interval=15)
            for count in options.autoscalers:
                say(f"{count}: creating Deployments, pods and InferenceAutoscalers")
                many.create(count)
                started = time.monotonic()
                many.start_operator(credential, folder / f"operator-{count}.log")
                say(f"{count}: waiting until all are Ready")
                many.wait_healthy(options.timeout)
                ready_s = time.monotonic() - started
                say(f"{count}: all Ready {ready_s:.0f} s after the operator's start; settling for {options.settle} s")
                time.sleep(options.settle)
                many.wait_healthy(options.timeout)
                say(f"{count}: measuring for {options.minutes} min")
                cost, memory = many.measure(options.minutes * 60)
                broken = many.broken()
                rows.append({"autoscalers": count, "ready": count - sum(broken.values()), "broken": broken,
                             "secondsToReady": ready_s, "memoryMiB": memory, "perMinute": cost})
                say(f"{count}: {queries(rows[-1]):.1f} queries a minute")
                many.stop_operator()
        except BaseException:
            for log in sorted(folder.glob("*.log")):
                say(f"{log.name} ends: {log.read_text(errors='replace')[-600:]}")
            raise
        finally:
            many.close()
    return rows


def queries(row):
    return sum(row["perMinute"]["queries"].values())


def is_constant(rows):
    return queries(rows[-1]) <= ALLOWED * queries(rows[0])


def ratio(more, fewer):
    return f"{more / fewer:.2f}" if fewer else "–"


def table(rows):
    """Lines: what, its value for each number of autoscalers, and how much the most cost over the fewest."""
    lines = [["per minute, at rest", *(f"{row['autoscalers']:,}" for row in rows), "last / first"]]

    def add(what, values, digits=1):
        lines.append([what, *(f"{value:,.{digits}f}" for value in values), ratio(values[-1], values[0])])

    for what in rows[-1]["perMinute"]:
        details = sorted({detail for row in rows for detail in row["perMinute"].get(what, {})})
        add(what, [sum(row["perMinute"].get(what, {}).values()) for row in rows], 2 if "CPU" in what else 1)
        for detail in details:
            if detail:
                add(f"  {detail}", [row["perMinute"].get(what, {}).get(detail, 0) for row in rows])
    add("memory, MiB", [row["memoryMiB"] for row in rows])
    add("seconds until all were Ready", [row["secondsToReady"] for row in rows], 0)
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(word.rjust(width) for word, width in zip(line[1:], widths[1:]))])
        for line in lines)


def sentence(rows):
    first, last = rows[0], rows[-1]
    said = "constant" if is_constant(rows) else "NOT constant"
    return (f"queries to Prometheus are {said}: {queries(last):.1f} a minute with {last['autoscalers']:,} autoscalers, "
            f"{queries(first):.1f} with {first['autoscalers']:,}")


def machine():
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
    return f"{os.cpu_count()} CPUs ({model[1] if model else platform.machine()})"


def write(file, words, rows):
    """Between the lines BEGIN and END of the file: the table, and how it came about."""
    text = file.read_text()
    head, _, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    assert end, f"'{file}' has not the lines '{BEGIN}' and '{END}'"
    command = re.sub(r" --write[= ]\S+", "", " ".join(["hack/bench cost", *words]))
    file.write_text(f"{head}{BEGIN}\n`{command}`, {time.strftime('%Y-%m-%d')}, {machine()}, shared by all that it runs:\n"
                    f"\n```\n{table(rows)}\n```\n{END}{tail}")


def main(words):
    options = parse(words)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(1))  # by way of what takes everything down
    folder = Path(tempfile.mkdtemp(prefix="ia-cost-"))
    try:
        rows = run(options, folder)
    except (AssertionError, TimeoutError) as error:
        say(f"failed: {error}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if options.write:
        write(options.write, words, rows)
    if options.output == "json":
        print(json.dumps({
            "operator": OPERATOR, "cpus": os.cpu_count(), "machine": platform.machine(), "minutes": options.minutes,
            "constant": is_constant(rows), "ratio": queries(rows[-1]) / queries(rows[0]), "sizes": rows}, indent=2))
    else:
        print(table(rows))
        print(f"\n{sentence(rows)}")
    return 0 if is_constant(rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
