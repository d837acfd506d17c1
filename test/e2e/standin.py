"""The stand-ins on the node: the GPUs' exporter and the engines, told what to show through the API server."""

import json

EXPORTER = """
apiVersion: v1
kind: Namespace
metadata: {name: gpu-operator, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: nvidia-dcgm-exporter, namespace: gpu-operator, labels: {app: nvidia-dcgm-exporter}}
spec:
  selector: {matchLabels: {app: nvidia-dcgm-exporter}}
  template:
    metadata: {labels: {app: nvidia-dcgm-exporter}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: nvidia-dcgm-exporter
        image: localhost/vllm-standin:VERSION
        imagePullPolicy: IfNotPresent
        args: [dcgm, --gpus, "8"]
        ports: [{name: metrics, containerPort: 9400}]
        readinessProbe: {httpGet: {path: /health, port: metrics}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
---
apiVersion: v1
kind: Service
metadata: {name: nvidia-dcgm-exporter, namespace: gpu-operator, labels: {app: nvidia-dcgm-exporter}}
spec:
  selector: {app: nvidia-dcgm-exporter}
  ports: [{name: gpu-metrics, port: 9400, targetPort: metrics}]
"""


def tell(kube, namespace, pod, port, figures):
    """POSTs to a stand-in's /standin, by way of the API server: the node's pods are not reached from here."""
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/standin"
    kube.api.call_api(path, "POST", body=figures, header_params={"Content-Type": "application/json"},
                      auth_settings=["BearerToken"], _return_http_data_only=True, _preload_content=False)


class Gpus:
    """Plays the kubelet's pod-resources: every running pod of the workload holds one GPU, which shares the load."""

    def __init__(self, kube, namespace, labels):
        self.kube = kube
        self.namespace = namespace
        self.labels = labels
        self.load = 0

    def exporter(self):
        pods = self.kube.resource("v1", "Pod").get(namespace="gpu-operator", label_selector="app=nvidia-dcgm-exporter")
        return pods.items[0].metadata.name

    def pods(self):
        found = self.kube.resource("v1", "Pod").get(namespace=self.namespace, label_selector=self.labels).to_dict()["items"]
        return [p for p in found if "deletionTimestamp" not in p["metadata"] and p["status"]["phase"] == "Running"]

    def show(self):
        """Tells the exporter who holds which GPU now; `load` is percent of one GPU, all pods share it."""
        pods = self.pods()
        each = min(100, round(self.load / len(pods))) if pods else 0
        tell(self.kube, "gpu-operator", self.exporter(), 9400, [
            {"namespace": self.namespace, "pod": p["metadata"]["name"], "container": "inference-server",
             "gpus": [{"util": each}]}
            for p in pods
        ])
        return json.dumps(each)
