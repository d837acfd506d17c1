"""Bringing a control plane on loopback up, and telling how it is."""

from . import network, pki, tools
from .controlplane import Address, ControlPlane
from .processes import Processes
from .progress import say

_PORTS = ("api", "etcd", "etcd_peer")


class LoopbackCluster:
    """etcd, kube-apiserver and kube-controller-manager on loopback: several may run beside each other and a node."""
    kind = "control-plane"
    components = ("etcd", "kube-apiserver", "kube-controller-manager")

    def __init__(self, layout):
        self.layout = layout
        self.processes = Processes(layout)

    def _control_plane(self):
        address = Address("127.0.0.1", **self.layout.facts["ports"])
        return ControlPlane(self.layout, self.processes, tools.program, address)

    def _choose_ports(self):
        """The ports of an earlier run if they are still ours or free, since kubeconfigs were handed out."""
        known = self.layout.facts.get("ports")
        running = self.processes.alive("etcd") or self.processes.alive("kube-apiserver")
        if known and (running or all(network.is_free(port) for port in known.values())):
            return
        self.layout.remember(ports=dict(zip(_PORTS, network.free_ports(len(_PORTS)))))

    def up(self, hpa_sync, seconds):
        tools.build("control-plane")
        self.layout.create()
        self.layout.remember(kind=self.kind)
        self._choose_ports()
        pki.create(self.layout.pki, "onenode", ["127.0.0.1", network.API_SERVICE])
        plane = self._control_plane()
        plane.start_etcd()
        plane.start_apiserver(advertise=False)
        plane.wait_apiserver(seconds)
        plane.start_controllers(hpa_sync)
        plane.wait_controllers(seconds)

    def down(self):
        self.processes.kill_all()
        self.layout.wipe()

    def ready(self):
        return all(map(self.processes.alive, self.components)) and self._control_plane().api.ready()

    def status(self):
        facts = self.layout.facts
        return {
            "kind": self.kind,
            "ready": self.ready(),
            "state": str(self.layout.state),
            "server": f"https://127.0.0.1:{facts['ports']['api']}",
            "kubeconfig": str(self.layout.kubeconfig),
            "audit": str(self.layout.audit),
            "components": {name: {"pid": self.processes.alive(name), "log": str(self.processes.log(name))}
                           for name in self.components},
        }
