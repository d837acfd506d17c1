"""The programs that are measured: a running operator, ours or KEDA's."""

import os
import re
import time
from pathlib import Path

from machine import answers, cpu_seconds, free_port, get, make_certificate, run, until

TURNS = {"Cpu": "inference_autoscaler_loop_turn_cpu_seconds", "": "inference_autoscaler_loop_turn_seconds"}
LONGEST_TURN = (("longest turn, CPU seconds, not more than", "longestTurnCpuSeconds"),
                ("  by the clock, waiting for a processor too", "longestTurnSeconds"))
MANY = 100000  # requests a second, which nobody reaches


class Program:
    """close() ends it. `begin` is when it was started: of the monotonic clock, and of the wall."""

    def start(self, world, name, *words, env=None):
        self.world, self.begin, self.begin_wall = world, time.monotonic(), time.time()
        self.process = world.start(name, *words, env=env)

    @property
    def pid(self):
        return self.process.pid

    def check(self):
        assert self.process.poll() is None, f"the operator ended {self.process.returncode}"

    def cpu_seconds(self):
        return cpu_seconds(self.pid)

    def memory_mib(self):
        """{peak, rss, private dirty}, of /proc."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        rollup = Path(f"/proc/{self.pid}/smaps_rollup").read_text()

        def kib(text, name):
            return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) / 1024

        return {"peakMiB": kib(status, "VmHWM"), "rssMiB": kib(status, "VmRSS"), "pssMiB": kib(rollup, "Pss"),
                "privateDirtyMiB": kib(rollup, "Private_Dirty")}

    def close(self):
        self.world.end(self.process)


class Operator(Program):
    def __init__(self, world, binary, kubeconfig, *more):
        self.user, self.port = world.user, None
        self.told = {word.rpartition(":")[2] for word in more if word.startswith("127.0.0.1:")}
        self.start(world, "operator", binary, "run", "--kubeconfig", kubeconfig, "--listen", "127.0.0.1:0", *more)

    def url(self, path):
        if self.port is None:
            self.port = until("the operator's port", self.listening_port, 60, 0.02)
        return f"http://127.0.0.1:{self.port}{path}"

    def listening_port(self):
        self.check()
        found = re.findall(rf"127\.0\.0\.1:(\d+) .*pid={self.pid},", run("ss", "-Hltnp"))
        return next((port for port in found if port not in self.told), None)

    def synced(self):
        """It is ready when it has all objects."""
        return answers(self.url("/readyz"))

    def metrics(self):
        """Its own page, without what it reports of each autoscaler: {name, or name{labels}: value}."""
        text = get(self.url("/metrics")).decode()
        found = re.findall(r"^(inference_autoscaler_\S+) (\S+)$", text, re.M)
        return {name: float(value) for name, value in found if "autoscaler=" not in name}


def turns(after, before=None):
    """Of two readings of the operator's metrics what the loop's turns between took, of the processor and by the clock:
    the least bound of all of them, and {seconds: how many were not longer}; without `before` since its start."""
    found = {}
    for measure, name in TURNS.items():
        counts = {float(key.split('"')[1]): after[key] - (before or {}).get(key, 0)
                  for key in after if key.startswith(f"{name}_bucket")}
        whole = counts[float("inf")]
        found[f"longestTurn{measure}Seconds"] = min(bound for bound, count in counts.items() if count == whole)
        found[f"turns{measure}"] = {f"{bound:g}": count for bound, count in counts.items()}
    return found


def keda_environment(kubeconfig):
    return {"PATH": os.environ["PATH"], "KUBECONFIG": str(kubeconfig), "WATCH_NAMESPACE": "", "POD_NAMESPACE": "keda",
            "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda", "POD_NAME": "keda-operator"}


class Keda(Program):
    def __init__(self, world, binary, kubeconfig, unthrottled):
        self.user = "system:serviceaccount:keda:keda-operator"
        self.certificates = folder = world.folder / "keda-certificates"
        if not folder.exists():
            folder.mkdir()
            certificate, key = make_certificate(folder, "tls")
            (folder / "ca.crt").write_bytes(certificate.read_bytes())
            (folder / "ca.key").write_bytes(key.read_bytes())
        env, lifted, health, self.service_port = keda_environment(kubeconfig), [], free_port(), free_port()
        self.health = f"http://127.0.0.1:{health}/readyz"
        if unthrottled:
            env["KEDA_SCALEDOBJECT_CTRL_MAX_RECONCILES"] = "100"
            lifted = [f"--kube-api-qps={MANY}", f"--kube-api-burst={MANY}"]
        self.start(world, "keda", binary, f"--cert-dir={folder}", f"--metrics-bind-address=127.0.0.1:{free_port()}",
                   f"--health-probe-bind-address=127.0.0.1:{health}", "--zap-log-level=error",
                   f"--metrics-service-bind-address=127.0.0.1:{self.service_port}", *lifted, env=env)


class KedaAdapter(Program):
    """Serves the external metrics API at a port, and asks KEDA's operator for the values."""

    def __init__(self, world, binary, kubeconfig, keda, port):
        access = [f"--{what}-kubeconfig={kubeconfig}" for what in ("lister", "authentication", "authorization")]
        self.start(world, "keda-adapter", binary, f"--secure-port={port}", "--bind-address=127.0.0.1",
                   f"--cert-dir={keda.certificates}", f"--metrics-service-address=localhost:{keda.service_port}",
                   f"--port={free_port()}", "--zap-log-level=error", *access, env=keda_environment(kubeconfig))
