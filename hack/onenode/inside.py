"""A node, seen from within its namespaces, where the usual addresses and ports are free for it.

hack/cluster runs this file there: python3 -m onenode.inside STATE up HPA_SYNC SECONDS, or STATE components.
"""

import json
import subprocess
import sys
from pathlib import Path

from . import containerd, images, kubelet, network, pki, tools
from .controlplane import Address, ControlPlane
from .failure import Failure
from .layout import Layout
from .namespace import furnish
from .processes import Processes
from .progress import say, until

_COMPONENTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "containerd", "kubelet",
               "kube-proxy")
_COREDNS = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"


def _up(layout, processes, hpa_sync, seconds):
    furnish(layout)
    pki.create(layout.pki, kubelet.NODE, ["127.0.0.1", network.NODE, network.API_SERVICE])
    plane = ControlPlane(layout, processes, Address(network.NODE, network.API_PORT, etcd=2379, etcd_peer=2380))
    plane.start_etcd()
    containerd.start(layout, processes, kubelet.pod_network(layout))
    plane.start_apiserver(advertise=True)
    containerd.wait(layout, processes, seconds)
    if not containerd.has_image(layout, images.COREDNS):
        images.load(layout.containerd_socket, images.archives())
        say("containerd has its images")
    plane.wait_apiserver(seconds)
    plane.start_controllers(hpa_sync, own_accounts=True)
    plane.start_scheduler()
    kubelet.start(layout, processes, network.NODE_SERVER)
    kubelet.start_proxy(layout, processes, network.NODE_SERVER)
    if not plane.api.get(_COREDNS):
        _install_coredns(layout)

    def node():
        for name in _COMPONENTS:
            processes.check(name)
        return plane.api.condition(f"/api/v1/nodes/{kubelet.NODE}", "Ready")

    def dns():
        # What the API server says of CoreDNS may be from before a crash; an answer is not.
        return node() and network.resolves(network.DNS_SERVICE, network.DNS_PROBE)

    until("the node is Ready", node, seconds, f"see '{processes.log('kubelet')}'")
    if processes.started:
        say("the node is Ready")
    until("the cluster's DNS answers", dns, seconds, "see 'kubectl describe pods -n kube-system'")
    say("the cluster's DNS answers" if processes.started else "the whole node ran already")


def _install_coredns(layout):
    done = subprocess.run([tools.program("kubectl"), f"--kubeconfig={layout.kubeconfig}", "apply", "--server-side",
                           "--force-conflicts", "-f", Path(__file__).with_name("coredns.yaml")],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Failure(f"CoreDNS cannot be installed: {done.stdout.strip()}")


def main():
    state, verb, *words = sys.argv[1:]
    layout = Layout(state)
    processes = Processes(layout)
    if verb == "components":
        print(json.dumps({name: processes.alive(name) for name in _COMPONENTS}))
        return 0
    try:
        _up(layout, processes, words[0], int(words[1]))
    except Failure as failure:
        print(f"hack/cluster: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


sys.exit(main())
