"""What the benchmarks use of this machine: its programs, ports and processes."""

import os
import platform
import re
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = REPO / "hack" / "tools" / "build"

def cpu_seconds(pid):
    words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
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


def describe():
    """As the declared ranges name it."""
    model = re.search(r"^model name\s*: (.*)", Path("/proc/cpuinfo").read_text(), re.M)
    return f"{os.cpu_count()} CPUs ({model[1] if model else platform.machine()})"
