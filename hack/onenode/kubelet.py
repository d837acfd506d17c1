"""kubelet, kube-proxy and the pods' network: what makes a machine a node."""

from . import network, pki, tools
from .namespace import CGROUP

NODE = "onenode"


def pod_network(layout):
    """Writes the CNI configuration and returns its folder.

    Each pod has a cable of its own (ptp) rather than a port on a bridge: all traffic between pods is routed, so that
    kube-proxy's rules see it also where the kernel module br_netfilter is not loaded.
    """
    folder = layout.conf / "cni"
    folder.mkdir(exist_ok=True)
    layout.write(folder / "10-onenode.conflist", {
        "cniVersion": "1.0.0",
        "name": "onenode",
        "plugins": [{
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": network.PODS}]],
                "routes": [{"dst": "0.0.0.0/0"}],
                "dataDir": "/run/cni-addresses",
            },
        }],
    })
    return folder


def _kubelet_configuration(layout):
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": str(layout.pki / "ca.crt")}},
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(layout.pki / "kubelet.crt"),
        "tlsPrivateKeyFile": str(layout.pki / "kubelet.key"),
        "address": network.NODE,
        "clusterDomain": "cluster.local",
        "clusterDNS": [network.DNS_SERVICE],
        "resolvConf": "",  # nothing but the cluster's own names resolves in a pod
        "containerRuntimeEndpoint": f"unix://{layout.containerd_socket}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{CGROUP}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "enforceNodeAllocatable": [],
        # The disk and the memory are the machine's: how full they are is not this node's business.
        "evictionHard": {},
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "8760h",
        "oomScoreAdj": 0,
        "podLogsDir": str(layout.logs / "pods"),
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
        # A changed ConfigMap or Secret reaches its pod within this time, not within the usual minute.
        "syncFrequency": "10s",
    }


def start(layout, processes, server):
    kubeconfig = layout.conf / "kubelet.kubeconfig"
    layout.write(kubeconfig, pki.kubeconfig(layout.pki, "kubelet", server, "onenode"))
    configuration = layout.conf / "kubelet.json"
    layout.write(configuration, _kubelet_configuration(layout))
    processes.ensure("kubelet", [
        tools.program("kubelet"), f"--config={configuration}", f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE}", f"--node-ip={network.NODE}",
    ], reads=[configuration, kubeconfig])


def start_proxy(layout, processes, server):
    kubeconfig = layout.conf / "kube-proxy.kubeconfig"
    layout.write(kubeconfig, pki.kubeconfig(layout.pki, "kube-proxy", server, "onenode"))
    configuration = layout.conf / "kube-proxy.json"
    layout.write(configuration, {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clientConnection": {"kubeconfig": str(kubeconfig)},
        "clusterCIDR": network.PODS,
        "hostnameOverride": NODE,
        "oomScoreAdj": 0,
        # Zeros: the connection table is the machine's.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    })
    processes.ensure("kube-proxy", [tools.program("kube-proxy"), f"--config={configuration}"],
                     reads=[configuration, kubeconfig])
