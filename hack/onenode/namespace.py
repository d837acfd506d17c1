"""The node's own process, mount and network namespaces, and its cgroup.

Everything a node does to a machine (processes, mounts, interfaces, routes, packet filter rules, files in /run) it does
in here. Killing process 1 of the namespaces undoes it all at once, whatever state it was in.
"""

import json
import os
import signal
import subprocess
from pathlib import Path

from . import network, processes
from .failure import Failure
from .progress import until

CGROUP = "inference-autoscaler"
_ALIAS = "hack/cluster --state "
_READY = Path("/run/onenode-ready")
# The node gets folders of its own here: in memory, or (bound) below its state folder.
_IN_MEMORY = ("/run", "/var/log")
_BOUND = {"/var/lib/kubelet": "kubelet", "/var/lib/cni": "cni"}
# kubelet would set these for the whole machine; it sees, and sets, a file instead.
_MACHINE_WIDE = ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")


def run(*words, check=True):
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        raise Failure(f"'{' '.join(map(str, words))}' failed: {done.stdout.strip()}")
    return done.stdout


class Namespace:
    """Seen from the machine."""

    def __init__(self, layout):
        self._layout = layout
        self._record = layout.state / "namespace.json"

    def holder(self):
        """The process that unshared the namespaces and waits for their process 1; None if it is gone."""
        try:
            known = json.loads(self._record.read_text())
        except FileNotFoundError:
            return None
        return known if processes.same(known) else None

    def create(self, process_one):
        """Makes what of them is not there; True if they are new."""
        self._refuse_conflicts()
        new = not self.holder()
        if new:
            self._clear()
            made = [folder for folder in _BOUND if not os.path.exists(folder)]
            self._layout.remember(made=self._layout.facts.get("made", []) + made)
            for folder in made:
                os.makedirs(folder)
            create_cgroup()
            child = subprocess.Popen(
                ["unshare", "--pid", "--mount", "--net", "--fork", "--kill-child", process_one],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
            self._layout.write(self._record, processes.identity(child.pid))
            until("the node's namespaces exist", lambda: _entered(child), 5)
        self._lay_cable()
        return new

    def _lay_cable(self):
        if self._owner() != str(self._layout.state):
            self._remove_cable()
            run("ip", "link", "add", "name", network.LINK, "type", "veth",
                "peer", "name", network.NODE_LINK, "netns", self.holder()["pid"])
            run("ip", "link", "set", network.LINK, "alias", f"{_ALIAS}{self._layout.state}")
        run("ip", "link", "set", network.LINK, "up")
        run("ip", "address", "replace", f"{network.HOST}/30", "dev", network.LINK)
        for destination in (network.PODS, network.SERVICES):
            run("ip", "route", "replace", destination, "via", network.NODE)

    def _remove_cable(self):
        if os.path.exists(f"/sys/class/net/{network.LINK}"):
            run("ip", "link", "delete", network.LINK)

    def _owner(self):
        """The state folder of the node whose cable is laid; None if there is no cable, or an unlabelled one."""
        for link in json.loads(run("ip", "-json", "link", "show")):
            if link["ifname"] == network.LINK and "ifalias" in link:
                return link["ifalias"].removeprefix(_ALIAS)
        return None

    def _is_anothers(self):
        return self._owner() not in (None, str(self._layout.state))

    def _refuse_conflicts(self):
        if self._is_anothers():
            raise Failure(f"the network interface '{network.LINK}' belongs to another node, and a machine has room for "
                          f"one; take that down: hack/cluster down --state '{self._owner()}'")
        for route in json.loads(run("ip", "-json", "route", "show")):
            if route.get("dev") != network.LINK and network.overlaps(route["dst"]):
                raise Failure(f"this machine's route to '{route['dst']}' overlaps the node's own addresses; "
                              "use --control-plane-only here")

    def command(self, argv):
        """The command line that runs a command in there."""
        links = f"/proc/{self.holder()['pid']}/ns"
        return ["nsenter", f"--net={links}/net", f"--mount={links}/mnt", f"--pid={links}/pid_for_children", "--", *argv]

    def destroy(self):
        """Kills all that is in there, and waits for it to be gone."""
        holder = self.holder()
        if holder:
            inside = os.readlink(f"/proc/{holder['pid']}/ns/pid_for_children")
            processes.kill(holder, signal.SIGKILL, 5)
            until("every process of the node has ended", lambda: not _inhabited(inside), 10,
                  "one hangs in the kernel, see dmesg")
        self._clear()
        for folder in self._layout.facts.get("made", []):
            if os.path.isdir(folder) and not os.listdir(folder):
                os.rmdir(folder)

    def _clear(self):
        """Removes what the end of the namespaces leaves on the machine, unless another node has taken it over."""
        if not self._is_anothers():
            self._remove_cable()
            remove_cgroup()


def _entered(child):
    """Whether unshare has done its work and forked process 1."""
    if child.poll() is not None:
        raise Failure("'unshare --pid --mount --net' failed; this machine does not allow namespaces")
    try:
        return os.readlink(f"/proc/{child.pid}/ns/pid_for_children") != os.readlink("/proc/self/ns/pid")
    except FileNotFoundError:
        return False  # it shows only from the fork on


def _inhabited(namespace):
    """Whether a process namespace has processes; its process 1 ends after those of the namespaces below it."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "ns/pid") == namespace:
                return True
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has just ended, or is none of ours
    return False


def _hierarchies(kind):
    """Where cgroups of a version are mounted: "cgroup", once for each controller, or "cgroup2", once."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [Path(words[1]) for words in mounts if words[2] == kind]


def create_cgroup():
    controllers = _hierarchies("cgroup")
    for hierarchy in controllers:
        group = hierarchy / CGROUP
        group.mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # they begin empty, and then nothing may run
            if (group / file).exists() and not (group / file).read_text().strip():
                (group / file).write_text((hierarchy / file).read_text())
    if controllers:
        return  # where both are mounted, version 1 has the controllers
    for hierarchy in _hierarchies("cgroup2"):
        group = hierarchy / CGROUP
        group.mkdir(exist_ok=True)
        for parent in (hierarchy, group):
            for controller in (parent / "cgroup.controllers").read_text().split():
                (parent / "cgroup.subtree_control").write_text(f"+{controller}")


def remove_cgroup():
    # Also where none was made: runc makes groups in a version 2 that is mounted beside version 1.
    for hierarchy in _hierarchies("cgroup") + _hierarchies("cgroup2"):
        for folder, _, _ in os.walk(hierarchy / CGROUP, topdown=False):
            until(f"the cgroup '{folder}' is empty", lambda: _try_rmdir(folder), 5)


def _try_rmdir(folder):
    try:
        os.rmdir(folder)
    except OSError:
        return False
    return True


def _mount(*words):
    run("mount", "--no-mtab", *words)  # which would leave a folder in the machine's /run


def furnish(layout):
    """Seen from inside: gives new namespaces their file systems and addresses."""
    if _READY.exists():
        return
    _mount("-t", "proc", "proc", "/proc")
    for folder in _IN_MEMORY:
        _mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", folder)
    for folder, below in _BOUND.items():
        (layout.state / below).mkdir(exist_ok=True)
        _mount("--bind", layout.state / below, folder)
    for name in _MACHINE_WIDE:
        file = Path("/run/sysctl", name.replace("/", "."))
        file.parent.mkdir(exist_ok=True)
        file.write_text(Path("/proc/sys", name).read_text())
        _mount("--bind", file, f"/proc/sys/{name}")
    Path("/run/lock").mkdir(exist_ok=True)

    run("ip", "link", "set", "lo", "up")
    run("ip", "link", "set", network.NODE_LINK, "up")
    run("ip", "address", "replace", f"{network.NODE}/30", "dev", network.NODE_LINK)
    run("ip", "route", "replace", "default", "via", network.HOST)
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    _READY.touch()
