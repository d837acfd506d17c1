"""GPUs on a node that has none: NVIDIA's exporter as the GPU operator deploys it, and who holds which GPU."""
import json
import threading

from conftest import eventually
from standins import pod_template, ready_when_healthy

NAMESPACE = "gpu-operator"
NAME = "nvidia-dcgm-exporter"
LABELS = {"app": NAME}
DAEMONSET = ("apps/v1", "DaemonSet", NAME, NAMESPACE)


def manifests(image):
    """The names, labels and ports of NVIDIA/gpu-operator, assets/state-dcgm-exporter."""
    return [
        {
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": LABELS},
            "spec": {"selector": {"matchLabels": LABELS},
                     "template": pod_template(LABELS, image, ["dcgm", "--gpus", "8"], [("metrics", 9400)],
                                              readinessProbe=ready_when_healthy("metrics"))},
        },
        {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": LABELS},
            "spec": {"selector": LABELS, "ports": [{"name": "gpu-metrics", "port": 9400, "targetPort": 9400}]},
        },
    ]


# What the GPU operator makes where it is told to: the same names and selector, labelled for this stack's Prometheus.
SERVICE_MONITOR = {
    "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
    "metadata": {"name": NAME, "namespace": NAMESPACE, "labels": LABELS | {"release": "prometheus"}},
    "spec": {
        "jobLabel": "app", "selector": {"matchLabels": LABELS}, "namespaceSelector": {"matchNames": [NAMESPACE]},
        "endpoints": [{"port": "gpu-metrics", "path": "/metrics", "interval": "5s"}],
    },
}


class Gpus:
    """Tells the exporter who holds a GPU, as the kubelet's list of pod resources would: a GPU for each running pod of
    the Deployments in `load`, the same for all of its life, whose ready pods share the load, in percent of one GPU."""

    def __init__(self, kube):
        self.kube = kube
        self.load = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.follow)
        self.failure = None

    def holders(self):
        found = []
        for (namespace, app), load in sorted(self.load.items()):
            pods = self.kube.pods(namespace, f"app={app}")
            running = [pod for pod in pods if pod.status.phase == "Running"]
            ready = [pod.metadata.name for pod in pods if self.kube.is_ready(pod)]
            for pod in running:
                busy = min(100, load / len(ready)) if pod.metadata.name in ready else 0
                found.append({"namespace": namespace, "pod": pod.metadata.name,
                              "gpus": [{"util": busy, "uuid": f"GPU-{pod.metadata.uid}"}]})
        return found

    def follow(self):
        told = None
        try:
            while not self.over.wait(0.5):
                holders = self.holders()
                if holders != told:
                    self.tell(holders)
                    told = holders
        except Exception as failure:  # shown by stop(), in the tests' thread
            self.failure = failure

    def tell(self, holders):
        for pod in self.kube.pods(NAMESPACE, f"app={NAME}"):
            self.kube.ask_pod(NAMESPACE, pod.metadata.name, 9400, "/standin", holders)

    def start(self, image):
        self.kube.apply(manifests(image))
        eventually("the exporter is ready", lambda: self.kube.get(*DAEMONSET)["status"].get("numberReady") == 1, 60)
        self.thread.start()

    def stop(self):
        self.over.set()
        self.thread.join()
        if self.failure:
            raise self.failure


def scrapes(kube):
    """How often Prometheus scrapes the exporter's pod, and in how many series it has a pod's GPU at most.

    Two scrapes may give their series the same labels, so that only the targets tell of them. The stand-in numbers
    its GPUs anew when their holders change: what an ended scrape had under another number is no second series of it.
    """
    found = json.loads(kube.ask_prometheus("/api/v1/targets?state=active"))["data"]["activeTargets"]
    series = kube.prometheus('count by (UUID, gpu) (DCGM_FI_DEV_GPU_UTIL{exported_pod!=""})')
    return (sum(target["discoveredLabels"].get("__meta_kubernetes_namespace") == NAMESPACE and
                target["scrapeUrl"].endswith(":9400/metrics") for target in found),
            max((int(row["value"][1]) for row in series), default=0))


def shared_objects(kube):
    """The objects that all GPU autoscalers have in common, as "Kind namespace/name"."""
    found = []
    for api_version, kind in (("v1", "Service"), ("monitoring.coreos.com/v1", "ServiceMonitor"),
                              ("monitoring.coreos.com/v1", "PrometheusRule")):
        items = kube.resource(api_version, kind).get(label_selector="inference-autoscaler.io/shared=gpu").to_dict()["items"]
        found += [f"{kind} {item['metadata']['namespace']}/{item['metadata']['name']}" for item in items]
    return sorted(found)
