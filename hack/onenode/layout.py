"""Where everything of one cluster lies: one state folder, nothing outside it but the node's own namespaces."""

import fcntl
import json
import os
import shutil
from pathlib import Path

from .failure import Failure

# A unix socket's path holds 107 characters, and the longest name below the state folder is this.
_SOCKET = "containerd.sock"
_SOCKET_LIMIT = 107
# The node sees file systems of its own here (namespace.py), which would hide a state folder.
_HIDDEN = ("/run", "/proc", "/sys", "/var/run", "/var/log", "/var/lib/kubelet", "/var/lib/cni")


def default_state(control_plane_only):
    name = "control-plane" if control_plane_only else "cluster"
    if "XDG_STATE_HOME" in os.environ or os.geteuid() != 0:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    else:
        base = Path("/var/lib")
    return base / "inference-autoscaler" / name


class Layout:
    def __init__(self, state):
        self.state = Path(state).absolute()
        if len(str(self.state / _SOCKET)) > _SOCKET_LIMIT:
            raise Failure(f"the state folder '{self.state}' has too long a path for a unix socket; "
                          "name a shorter one with --state")
        for hidden in _HIDDEN:
            if self.state.is_relative_to(hidden):
                raise Failure(f"the state folder '{self.state}' lies below '{hidden}', which the node replaces by "
                              "its own; name another one with --state")
        self.pki = self.state / "pki"
        self.conf = self.state / "conf"
        self.logs = self.state / "logs"
        self.processes = self.state / "processes"
        self.kubeconfig = self.state / "kubeconfig"
        self.audit = self.logs / "audit.log"
        self.containerd_socket = self.state / _SOCKET
        self._facts = self.state / "cluster.json"

    def create(self, kind):
        """Claims a folder that is there (and locked) for one kind of cluster."""
        found = self.facts.get("kind")
        if not found and any(self.state.iterdir()):
            raise Failure(f"'{self.state}' is not empty and no cluster's state folder; name another one with --state")
        if found not in (None, kind):
            raise Failure(f"'{self.state}' holds a cluster of the kind '{found}'; name another folder with --state")
        self.remember(kind=kind)
        for folder in (self.pki, self.conf, self.logs, self.processes):
            folder.mkdir(exist_ok=True)

    def lock(self, say, make=False):
        """Holds the state folder for this process; False if there is none."""
        if make:
            self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        while True:
            try:
                descriptor = os.open(self.state, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                return False
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"waiting for another run on '{self.state}'")
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            try:
                same = os.path.samestat(os.fstat(descriptor), os.stat(self.state))
            except FileNotFoundError:
                same = False
            if same:
                os.set_inheritable(descriptor, False)
                return True
            os.close(descriptor)  # the other run removed the folder that was locked

    def wipe(self):
        if not self.facts:
            raise Failure(f"'{self.state}' is no cluster's state folder; nothing was removed")
        # The facts go last: a run that is interrupted here leaves a folder that 'down' still knows.
        for path in sorted(self.state.iterdir(), key=lambda path: path == self._facts):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.state.rmdir()

    def write(self, path, content):
        """Writes text, or anything else as JSON (valid YAML too), so that a reader sees the old or the new whole."""
        text = content if isinstance(content, str) else json.dumps(content, indent=2) + "\n"
        temporary = path.with_name(path.name + ".new")
        temporary.write_text(text)
        temporary.chmod(0o600)
        temporary.rename(path)

    @property
    def facts(self):
        """What one run must tell the next: the kind of cluster, its ports, the folders it made elsewhere."""
        try:
            return json.loads(self._facts.read_text())
        except FileNotFoundError:
            return {}

    def remember(self, **facts):
        self.write(self._facts, self.facts | facts)
