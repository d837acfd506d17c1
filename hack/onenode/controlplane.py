"""etcd, kube-apiserver, kube-controller-manager and kube-scheduler: their configuration and their order."""

from dataclasses import dataclass

from . import network, pki, tools
from .api import Api
from .progress import say, until

# Writes are logged, reads are not. The request is kept too, so that a test can see what was written and by whom, unless
# a component made it or it may hold a secret or is huge.
_AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "omitManagedFields": True,
    "rules": [
        # The operator's own reads, so that they can be counted.
        {"level": "Metadata", "verbs": ["get", "list"],
         "userGroups": ["system:serviceaccounts:inference-autoscaler-system"]},
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata", "users": ["system:apiserver", "system:kube-controller-manager",
                                        "system:kube-scheduler", "system:kube-proxy"]},
        {"level": "Metadata", "userGroups": ["system:nodes", "system:serviceaccounts:kube-system"]},
        {"level": "Metadata", "resources": [
            {"group": "", "resources": ["secrets", "serviceaccounts/token"]},
            {"group": "authentication.k8s.io", "resources": ["tokenreviews"]},
            {"group": "authorization.k8s.io"},
            {"group": "apiextensions.k8s.io", "resources": ["customresourcedefinitions"]},
        ]},
        {"level": "Request"},
    ],
}


@dataclass(frozen=True)
class Address:
    """Where the control plane listens and what it tells others about that."""
    host: str
    api: int
    etcd: int
    etcd_peer: int

    @property
    def server(self):
        return f"https://{self.host}:{self.api}"


class ControlPlane:
    def __init__(self, layout, processes, address, module=None):
        """module: whose programs run, if not those of today's version."""
        self._layout, self._processes, self._address, self._module = layout, processes, address, module
        self.api = Api(layout.pki, address.host, address.api)

    def _kubeconfig(self, user):
        path = self._layout.conf / f"{user}.kubeconfig"
        self._layout.write(path, pki.kubeconfig(self._layout.pki, user, self._address.server, "onenode"))
        return path

    def start_etcd(self):
        layout, address = self._layout, self._address
        client, peer = f"https://127.0.0.1:{address.etcd}", f"https://127.0.0.1:{address.etcd_peer}"
        files = []
        for prefix in ("", "peer-"):
            files += [f"--{prefix}cert-file={layout.pki}/etcd.crt", f"--{prefix}key-file={layout.pki}/etcd.key",
                      f"--{prefix}trusted-ca-file={layout.pki}/etcd-ca.crt", f"--{prefix}client-cert-auth"]
        self._processes.ensure("etcd", [
            "etcd", "--name=onenode", f"--data-dir={layout.state}/etcd",
            f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=onenode={peer}", *files])

    def start_apiserver(self, advertise, to_endpoints=False):
        """advertise: whether pods reach the API server by the Service 'kubernetes'. to_endpoints: whether it reaches the
        APIs of others at the endpoints of their Services, by itself, as it must where nothing serves a Service's address."""
        layout, address, files = self._layout, self._address, self._layout.pki
        policy = layout.conf / "audit-policy.json"
        layout.write(policy, _AUDIT_POLICY)
        self._processes.ensure("kube-apiserver", [
            tools.program("kube-apiserver", self._module),
            f"--bind-address={'0.0.0.0' if advertise else address.host}", f"--secure-port={address.api}",
            f"--advertise-address={address.host}",
            *([] if advertise else ["--endpoint-reconciler-type=none"]),
            f"--service-cluster-ip-range={network.SERVICES}",
            f"--etcd-servers=https://127.0.0.1:{address.etcd}", f"--etcd-cafile={files}/etcd-ca.crt",
            f"--etcd-certfile={files}/apiserver-etcd.crt", f"--etcd-keyfile={files}/apiserver-etcd.key",
            f"--client-ca-file={files}/ca.crt",
            f"--tls-cert-file={files}/apiserver.crt", f"--tls-private-key-file={files}/apiserver.key",
            f"--kubelet-client-certificate={files}/apiserver-kubelet.crt",
            f"--kubelet-client-key={files}/apiserver-kubelet.key",
            f"--kubelet-certificate-authority={files}/ca.crt",
            "--kubelet-preferred-address-types=InternalIP",  # the node's name does not resolve
            f"--proxy-client-cert-file={files}/front-proxy.crt", f"--proxy-client-key-file={files}/front-proxy.key",
            f"--requestheader-client-ca-file={files}/front-proxy-ca.crt",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            *(["--enable-aggregator-routing=true"] if to_endpoints else []),
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-signing-key-file={files}/service-account.key",
            f"--service-account-key-file={files}/service-account.crt",
            "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
            "--allow-privileged=true", "--profiling=false",
            # Blocking: a write is in the log before its answer is out, so a test that counts misses none.
            f"--audit-policy-file={policy}", f"--audit-log-path={layout.audit}", "--audit-log-mode=blocking",
            "--audit-log-maxsize=200", "--audit-log-maxbackup=1",
        ], reads=[policy])

    def wait_apiserver(self, seconds):
        def probe():
            self._processes.check("etcd")
            self._processes.check("kube-apiserver")
            return self.api.ready()

        until("kube-apiserver is ready", probe, seconds)
        self._layout.write(self._layout.kubeconfig,
                           pki.kubeconfig(self._layout.pki, "admin", self._address.server, "onenode"))
        if self._processes.started:
            say("kube-apiserver is ready")

    def start_controllers(self, hpa_sync, own_accounts):
        """own_accounts: whether each controller acts as a service account of its own, with just the rights of that,
        as on a real cluster; making those accounts takes seconds."""
        kubeconfig = self._kubeconfig("controller-manager" if own_accounts else "controller-manager-master")
        files = self._layout.pki
        self._processes.ensure("kube-controller-manager", [
            tools.program("kube-controller-manager", self._module), f"--kubeconfig={kubeconfig}", "--secure-port=0",
            "--leader-elect=false", "--profiling=false",
            f"--use-service-account-credentials={str(own_accounts).lower()}",
            # The usual 20 a second would make a test with a thousand Deployments wait for minutes.
            *([] if own_accounts else ["--kube-api-qps=200", "--kube-api-burst=400"]),
            f"--horizontal-pod-autoscaler-sync-period={hpa_sync}",
            f"--root-ca-file={files}/ca.crt",
            f"--service-account-private-key-file={files}/service-account.key",
            f"--cluster-signing-cert-file={files}/ca.crt", f"--cluster-signing-key-file={files}/ca.key",
        ], reads=[kubeconfig])

    def start_scheduler(self):
        kubeconfig = self._kubeconfig("scheduler")
        self._processes.ensure("kube-scheduler", [
            tools.program("kube-scheduler"), f"--kubeconfig={kubeconfig}", "--secure-port=0", "--leader-elect=false",
        ], reads=[kubeconfig])

    def wait_controllers(self, seconds):
        """No pod can be created before its namespace has a service account: the controllers' first visible work."""
        def probe():
            self._processes.check("kube-apiserver")
            self._processes.check("kube-controller-manager")
            return self.api.get("/api/v1/namespaces/default/serviceaccounts/default")

        until("kube-controller-manager made the default service account", probe, seconds)
        if self._processes.started:
            say("kube-controller-manager works")
