"""What the benchmarks use of this machine: its programs, ports and processes."""

import os
import platform
import re
import resource
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = REPO / "hack" / "tools" / "build"

def cpu_seconds(pid):
    """Of a process that runs; 0 when it does not."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return (int(words[11]) + int(words[12])) / 100


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    assert done.returncode == 0, f"{' '.join(map(str, words[:3]))} … ended {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


def until(what, probe, timeout, interval=0.1):
    """The first result of probe() that is true; TimeoutError says what did not come."""
    deadline = time.monotonic() + timeout
    while not (result := probe()):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"{what} did not come in {timeout} s")
        time.sleep(interval)
    return result


def tool(name):
    run(BUILD, name)
    return run(BUILD, "--print-path", name).strip()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def get(url, timeout=30):
    return urllib.request.urlopen(url, timeout=timeout).read()


def answers(url):
    try:
        return get(url, timeout=2) is not None
    except OSError:
        return False


def make_certificate(folder, name):
    """A certificate that nobody signed, and its key."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate)
    return certificate, key


class Others:
    """How much of the processors went to programs that are not ours: `share()` of them since the start, 0 to 1.

    `pids` gives those of our programs that run and whose end nobody has waited for.
    """

    def __init__(self, pids):
        self.pids = pids
        self.begin = self.now()

    def now(self):
        words = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]))
        idle, whole = words[3] + words[4], sum(words)
        used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
        ours = sum(u.ru_utime + u.ru_stime for u in used) + sum(map(cpu_seconds, self.pids()))
        return whole / 100, (whole - idle) / 100, ours

    def share(self):
        whole, busy, ours = (now - then for now, then in zip(self.now(), self.begin))
        return max(0.0, busy - ours) / whole if whole else 0.0


def describe():
    """As the declared ranges name it."""
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
    return f"{os.cpu_count()} CPUs ({model[1] if model else platform.machine()})"
