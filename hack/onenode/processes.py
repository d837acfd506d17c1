"""Long-running programs: started in a session of their own, found again by process id and start time, never by name."""

import hashlib
import json
import os
import select
import signal
import subprocess
import time
from pathlib import Path

from .failure import Failure

_BOOT = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
# No proxy variable of the caller's reaches a component.
_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


def identity(pid):
    """What tells this process from a later one of the same id; None if it does not run."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat[stat.rindex(")") + 2:].split()
    if state in "ZX":
        return None
    return {"pid": pid, "started": int(fields[18]), "boot": _BOOT}


def same(known):
    return known is not None and identity(known["pid"]) == known


def kill(known, signal_number, seconds):
    """Sends a signal to a known process and waits until it is gone; False if it is not."""
    try:
        descriptor = os.pidfd_open(known["pid"])
    except ProcessLookupError:
        return True
    try:
        if not same(known):
            return True
        signal.pidfd_send_signal(descriptor, signal_number)
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


class Processes:
    def __init__(self, layout):
        self._layout = layout
        self.started = []

    def _record(self, name):
        return self._layout.processes / f"{name}.json"

    def _read(self, name):
        try:
            return json.loads(self._record(name).read_text())
        except FileNotFoundError:
            return {}

    def log(self, name):
        return self._layout.logs / f"{name}.log"

    def names(self):
        return sorted(path.stem for path in self._layout.processes.glob("*.json"))

    def alive(self, name):
        """The process id, or None."""
        known = self._read(name).get("identity")
        return known["pid"] if same(known) else None

    def ensure(self, name, argv, reads=()):
        """Starts a program unless it runs already with this command line and these files."""
        argv = [str(word) for word in argv]
        digest = hashlib.sha256("\0".join(argv).encode())
        for path in reads:
            digest.update(path.read_bytes())
        signature = digest.hexdigest()
        if self.alive(name):
            if self._read(name)["signature"] == signature:
                return
            self.stop(name)
        with open(self.log(name), "ab") as log:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                     env=_ENVIRONMENT, start_new_session=True)
        self._layout.write(self._record(name), {"identity": identity(child.pid), "signature": signature,
                                                "argv": argv})
        self.started.append(name)

    def check(self, name):
        """Raises when a program that was started has ended."""
        if not self.alive(name):
            raise Failure(f"'{name}' has ended; its log '{self.log(name)}' ends with\n{self.tail(name)}\n"
                          "if nothing there helps, 'hack/cluster down' clears the state for a fresh 'up'")

    def tail(self, name, lines=15):
        try:
            text = self.log(name).read_text(errors="replace")
        except FileNotFoundError:
            return "  (no log)"
        return "\n".join("  " + line[:400] for line in text.splitlines()[-lines:])

    def stop(self, name, signal_number=signal.SIGTERM, seconds=10):
        known = self._read(name).get("identity")
        if known and not kill(known, signal_number, seconds) and not kill(known, signal.SIGKILL, seconds):
            raise Failure(f"'{name}' (process {known['pid']}) does not end even by SIGKILL; "
                          "it hangs in the kernel, see dmesg")
        self._record(name).unlink(missing_ok=True)

    def kill_all(self):
        for name in self.names():
            self.stop(name, signal.SIGKILL)
