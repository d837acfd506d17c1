"""A whole node, seen from the machine: its namespaces, and inside them (inside.py) all that makes it a node."""

import json
import os
import subprocess
import sys

from . import images, kubelet, network, tools
from .api import Api
from .failure import Failure
from .namespace import Namespace
from .progress import say


class Node:
    kind = "node"
    hpa_sync = "15s"

    def __init__(self, layout):
        self.layout = layout
        self._namespace = Namespace(layout)

    def _inside(self, *words):
        return self._namespace.command([sys.executable, "-B", "-m", f"{__package__}.inside", self.layout.state, *words])

    def up(self, hpa_sync, seconds):
        if os.geteuid() != 0:
            raise Failure("only root can start a node; run it as root, or use --control-plane-only")
        tools.build("node")
        images.archives()
        if self._namespace.create(images.pause_program()):
            say("the node's namespaces are made")
        if subprocess.run(self._inside("up", hpa_sync, str(seconds))).returncode:
            raise Failure("the node did not come up, see above")

    def down(self):
        self._namespace.destroy()

    def _components(self):
        if not self._namespace.holder():
            return {}
        done = subprocess.run(self._inside("components"), stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def status(self):
        components = self._components()
        ready = bool(components) and all(components.values())
        if ready:
            api = Api(self.layout.pki, network.NODE, network.API_PORT)
            ready = (api.ready() and api.condition(f"/api/v1/nodes/{kubelet.NODE}", "Ready")
                     and network.resolves(network.DNS_SERVICE, network.DNS_PROBE))
        return {
            "ready": ready,
            "server": network.NODE_SERVER,
            "containerd": str(self.layout.containerd_socket),
            "components": components,
        }
