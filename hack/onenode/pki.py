"""The cluster's certificates (ECDSA, by openssl) and the kubeconfigs made of them."""

import base64
import subprocess

from .failure import Failure

_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650", "-sha256"]
_AUTHORITY = ["-addext", "basicConstraints=critical,CA:true",
              "-addext", "keyUsage=critical,digitalSignature,keyCertSign"]

# name: authority that signs it (None: itself), subject, what it is used for
_AUTHORITIES = ("ca", "front-proxy-ca", "etcd-ca")
_CERTIFICATES = {
    "etcd": ("etcd-ca", "/CN=etcd", "serverAuth,clientAuth"),
    "apiserver-etcd": ("etcd-ca", "/CN=kube-apiserver", "clientAuth"),
    "apiserver": ("ca", "/CN=kube-apiserver", "serverAuth"),
    "apiserver-kubelet": ("ca", "/O=system:masters/CN=kube-apiserver-kubelet-client", "clientAuth"),
    "front-proxy": ("front-proxy-ca", "/CN=front-proxy", "clientAuth"),
    "service-account": (None, "/CN=service-account", "clientAuth"),
    "admin": ("ca", "/O=system:masters/CN=admin", "clientAuth"),
    "controller-manager": ("ca", "/CN=system:kube-controller-manager", "clientAuth"),
    "controller-manager-master": ("ca", "/O=system:masters/CN=system:kube-controller-manager", "clientAuth"),
    "scheduler": ("ca", "/CN=system:kube-scheduler", "clientAuth"),
    "kube-proxy": ("ca", "/CN=system:kube-proxy", "clientAuth"),
    "kubelet": ("ca", "/O=system:nodes/CN=system:node:{node}", "serverAuth,clientAuth"),
}
_NAMES = ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
          "kubernetes.default.svc.cluster.local"]


def _run(commands):
    """Runs openssl several times at once."""
    running = [subprocess.Popen(["openssl", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
               for words in commands]
    for child in running:
        _, errors = child.communicate()
        if child.returncode:
            raise Failure(f"openssl cannot make a certificate: {' '.join(child.args)}\n{errors}")


def create(pki, node, addresses):
    """Makes what is missing; a certificate that is there stays, since what it signed is in use."""
    def files(name):
        return ["-keyout", str(pki / f"{name}.key"), "-out", str(pki / f"{name}.crt")]

    def missing(names):
        return [name for name in names if not (pki / f"{name}.crt").exists()]

    alternatives = ",".join(["DNS:" + name for name in [*_NAMES, node]] + ["IP:" + address for address in addresses])
    _run(["req", "-x509", *_CURVE, *_AUTHORITY, "-subj", f"/CN={name}", *files(name)]
         for name in missing(_AUTHORITIES))
    leaves = []
    for name in missing(_CERTIFICATES):
        authority, subject, usage = _CERTIFICATES[name]
        words = ["req", "-x509", *_CURVE, "-subj", subject.format(node=node), *files(name),
                 "-addext", "basicConstraints=CA:false", "-addext", f"extendedKeyUsage={usage}"]
        if authority:
            words += ["-CA", str(pki / f"{authority}.crt"), "-CAkey", str(pki / f"{authority}.key")]
        if "serverAuth" in usage:
            words += ["-addext", f"subjectAltName={alternatives}"]
        leaves.append(words)
    _run(leaves)
    for key in pki.glob("*.key"):
        key.chmod(0o600)


def kubeconfig(pki, user, server, name):
    """A kubeconfig that holds its certificates, so that it can be copied."""
    def encoded(file):
        return base64.b64encode((pki / file).read_bytes()).decode()

    return f"""\
apiVersion: v1
kind: Config
clusters:
- name: {name}
  cluster:
    server: {server}
    certificate-authority-data: {encoded("ca.crt")}
users:
- name: {user}
  user:
    client-certificate-data: {encoded(f"{user}.crt")}
    client-key-data: {encoded(f"{user}.key")}
contexts:
- name: {name}
  context:
    cluster: {name}
    user: {user}
    namespace: default
current-context: {name}
"""
