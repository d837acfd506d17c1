"""A control plane on loopback: several may run beside each other and beside a node."""

from . import network, pki, tools
from .controlplane import Address, ControlPlane
from .processes import Processes
from .progress import say

_PORTS = ("api", "etcd", "etcd_peer")


class Loopback:
    kind = "control-plane"
    hpa_sync = "2s"
    components = ("etcd", "kube-apiserver", "kube-controller-manager")

    def __init__(self, layout):
        self.layout = layout
        self.processes = Processes(layout)

    def _control_plane(self):
        address = Address("127.0.0.1", **self.layout.facts["ports"])
        return ControlPlane(self.layout, self.processes, address, self._module())

    def _module(self):
        """The module of hack/tools whose programs run; None is that of today's version."""
        version = self.layout.facts.get("kubernetes")
        return version and f"kubernetes-{version}"

    def _choose_ports(self):
        """The ports of an earlier run if they are still ours or free, since kubeconfigs were handed out."""
        known = self.layout.facts.get("ports")
        running = self.processes.alive("etcd") or self.processes.alive("kube-apiserver")
        if known and (running or all(network.is_free(port) for port in known.values())):
            return
        self.layout.remember(ports=dict(zip(_PORTS, network.free_ports(len(_PORTS)))))

    def up(self, hpa_sync, seconds, to_endpoints=False):
        tools.build(self._module() or "control-plane")
        self._choose_ports()
        pki.create(self.layout.pki, "onenode", ["127.0.0.1", network.API_SERVICE])
        plane = self._control_plane()
        plane.start_etcd()
        plane.start_apiserver(advertise=False, to_endpoints=to_endpoints)
        plane.wait_apiserver(seconds)
        plane.start_controllers(hpa_sync, own_accounts=False)
        plane.wait_controllers(seconds)
        if not self.processes.started:
            say("the whole control plane ran already")

    def down(self):
        self.processes.kill_all()

    def ready(self):
        return all(map(self.processes.alive, self.components)) and self._control_plane().api.ready()

    def status(self):
        return {
            "ready": self.ready(),
            "server": f"https://127.0.0.1:{self.layout.facts['ports']['api']}",
            "components": {name: self.processes.alive(name) for name in self.components},
        }
