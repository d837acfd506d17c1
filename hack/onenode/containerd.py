"""containerd: its configuration, and the wait until it answers."""

from . import images, tools
from .namespace import run
from .progress import until

_RUNC = "/usr/sbin/runc"
_CNI_PROGRAMS = "/usr/lib/cni"


def _configuration(layout, cni):
    # restrict_oom_score_adj: where root lacks CAP_SYS_RESOURCE, as in many virtual machines for builds, runc cannot
    # lower a container's score and fails with "can't get final child's PID from pipe: EOF".
    return f"""\
version = 3
root = "{layout.state}/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.internal.v1.opt",
  "io.containerd.snapshotter.v1.blockfile",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.erofs",
  "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "{layout.containerd_socket}"

[plugins."io.containerd.cri.v1.images".pinned_images]
sandbox = "{images.PAUSE}"

[plugins."io.containerd.cri.v1.runtime"]
restrict_oom_score_adj = true

[plugins."io.containerd.cri.v1.runtime".cni]
bin_dirs = ["{_CNI_PROGRAMS}"]
conf_dir = "{cni}"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
BinaryName = "{_RUNC}"
SystemdCgroup = false
"""


def start(layout, processes, cni):
    configuration = layout.conf / "containerd.toml"
    layout.write(configuration, _configuration(layout, cni))
    processes.ensure("containerd", [tools.program("containerd"), f"--config={configuration}"], reads=[configuration])


def wait(layout, processes, seconds):
    def probe():
        processes.check("containerd")
        return "Server:" in run(tools.program("ctr"), "--address", layout.containerd_socket, "version", check=False)

    until("containerd answers", probe, seconds)


def has_image(layout, reference):
    listed = run(tools.program("ctr"), "--address", layout.containerd_socket, "--namespace", "k8s.io",
                 "images", "list", "--quiet")
    return reference in listed.split()
