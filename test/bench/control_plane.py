"""A real etcd and kube-apiserver without controllers, whose state can be put back to what it was once prepared."""

import base64
import json
import shutil
import signal
import sys
from datetime import datetime

import yaml

from machine import REPO, cpu_seconds

sys.path.insert(0, str(REPO / "hack"))

from onenode import network, pki  # noqa: E402
from onenode.controlplane import Address, ControlPlane  # noqa: E402
from onenode.layout import Layout  # noqa: E402
from onenode.processes import Processes  # noqa: E402

# Requests of service accounts are counted, and what the HPA's controller reads; what the bench itself and its stand-ins
# do is not.
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "userGroups": ["system:serviceaccounts"]},
        {"level": "Metadata", "users": ["system:kube-controller-manager"],
         "resources": [{"group": "custom.metrics.k8s.io"}, {"group": "external.metrics.k8s.io"}]},
        {"level": "None"},
    ],
}
HPA_PERIOD_S = 15  # Kubernetes' default
PROCESSES = ("etcd", "kube-apiserver", "kube-controller-manager")
TIMEOUT_S = 120


class Programs(Processes):
    """Adds to a program's command line; the last one of a flag counts."""

    def __init__(self, layout, more):
        super().__init__(layout)
        self._more = more

    def ensure(self, name, argv, reads=()):
        super().ensure(name, [*argv, *self._more.get(name, ())], reads)


class Api:
    """The API server, for who may do all: `flags` are those of bare."""

    def __init__(self, state, port):
        files = state / "pki"
        self.server = f"https://127.0.0.1:{port}"
        self.flags = ["--server", self.server, "--certificate-authority", files / "ca.crt"]
        self.admin = ["--client-certificate", files / "admin.crt", "--client-key", files / "admin.key"]
        self.authority = files / "ca.crt"


class ApiServer:
    """close() ends it and removes all that is left of it."""

    def __init__(self, folder):
        self.layout = Layout(folder / "control-plane")
        self.layout.state.mkdir(mode=0o700)
        self.layout.create("bench")
        ports = network.free_ports(3)
        policy = self.layout.conf / "bench-audit-policy.json"
        self.layout.write(policy, AUDIT_POLICY)
        self.processes = Programs(self.layout, {"kube-apiserver": [
            f"--audit-policy-file={policy}", "--audit-log-maxsize=100000",
            # Nobody makes the accounts that pods need.
            "--disable-admission-plugins=ServiceAccount",
        ], "kube-controller-manager": [
            "--controllers=horizontal-pod-autoscaler-controller", "--kube-api-qps=20", "--kube-api-burst=30",
        ]})
        pki.create(self.layout.pki, "onenode", ["127.0.0.1", network.API_SERVICE])
        self.plane = ControlPlane(self.layout, self.processes, Address("127.0.0.1", *ports))
        self.api = Api(self.layout.state, ports[0])
        self.etcd, self.kept = self.layout.state / "etcd", self.layout.state / "etcd-prepared"

    @property
    def kubeconfig(self):
        return self.layout.kubeconfig

    def start(self):
        self.plane.start_etcd()
        self.plane.start_apiserver(advertise=False)
        self.plane.wait_apiserver(TIMEOUT_S)

    def start_hpa_controller(self):
        """With Kubernetes' defaults; nothing else of the controllers."""
        self.plane.start_controllers(f"{HPA_PERIOD_S}s", False)

    def stop(self):
        # The API server would wait for those who watch it; all that it was told is in etcd.
        self.processes.stop("kube-apiserver", signal.SIGKILL)
        self.processes.stop("etcd", seconds=60)

    def keep(self):
        """What etcd holds now is what reset() brings back."""
        self.stop()
        shutil.rmtree(self.kept, ignore_errors=True)
        shutil.copytree(self.etcd, self.kept)
        self.start()

    def reset(self):
        self.stop()
        shutil.rmtree(self.etcd)
        shutil.copytree(self.kept, self.etcd)
        self.layout.audit.unlink(missing_ok=True)
        self.start()

    def close(self):
        self.processes.kill_all()
        shutil.rmtree(self.layout.state, ignore_errors=True)

    def pids(self):
        return [pid for name in PROCESSES if (pid := self.processes.alive(name))]

    def cpu_seconds(self):
        """Of the API server and of etcd, since their start."""
        return {name: cpu_seconds(self.processes.alive(name)) for name in ("kube-apiserver", "etcd")}

    def token(self, kubectl, namespace, account):
        return kubectl("-n", namespace, "create", "token", account, "--duration=10h").strip()

    def write_kubeconfig(self, path, token):
        authority = base64.b64encode(self.api.authority.read_bytes()).decode()
        path.write_text(yaml.safe_dump({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "clusters": [{"name": "bench", "cluster": {
                "server": self.api.server, "certificate-authority-data": authority}}],
            "users": [{"name": "bench", "user": {"token": token}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench"}}],
        }))
        return path

    def audit(self, user, begin, end):
        """Each request of this user between two times of the wall, as it was answered: the audit log's events."""
        name = f'"username":"{user}"'
        with open(self.layout.audit) as lines:
            for line in lines:
                if name not in line:
                    continue
                event = json.loads(line)
                # A watch ends late, or never.
                if event["stage"] != ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"):
                    continue
                if begin <= wall(event["requestReceivedTimestamp"]) < end:
                    yield event


def wall(timestamp):
    """Seconds, as time.time() counts them."""
    return datetime.fromisoformat(timestamp).timestamp()


def resource(event):
    reference = event.get("objectRef")
    if reference is None:
        return event["requestURI"].partition("?")[0]
    name = reference["resource"]
    if "subresource" in reference and reference.get("apiGroup") != "custom.metrics.k8s.io":
        name += "/" + reference["subresource"]
    return f"{name}.{reference['apiGroup']}" if reference.get("apiGroup") else name
