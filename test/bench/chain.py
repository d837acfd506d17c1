"""A world whose metrics come by Prometheus, all of it real: prometheus-adapter for the operator, and KEDA's own way."""

import json

from machine import answers, free_port, get, tool, until
from programs import Keda, KedaAdapter
from report import say
from world import ADAPTER, METRIC, World, autoscaler, metrics_api, order, scaled_object, stack_objects

RELIST_S = 5
CUSTOM = "/apis/custom.metrics.k8s.io/v1beta1"
SCALED = "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects"


class ChainWorld(World):
    """`scrapes`: {namespace: the interval at which its pods are scraped}; `of_keda`: the targets that KEDA scales."""

    def __init__(self, folder, targets, engines_port, scrapes, of_keda):
        super().__init__(folder, targets)
        self.page_port, self.scrapes, self.of_keda = engines_port, scrapes, of_keda

    def stack(self):
        return stack_objects()

    def prepare(self, binary):
        say("the chain: starting etcd, the API server and the HPA's controller")
        self.server.start()
        self.install(bool(self.of_keda))
        self.make_targets()
        self.start_prometheus()
        self.server.start_hpa_controller()
        self.operator = self.start_operator(binary)
        until("the operator", self.operator.synced, 60)
        if self.of_keda:
            self.start_keda_whole()

    def start_prometheus(self):
        config, listen = self.folder / "prometheus.yml", f"127.0.0.1:{free_port()}"
        config.write_text(json.dumps({"scrape_configs": [self.scrape_of(target) for target in self.targets]}))
        self.prometheus = f"http://{listen}"
        self.start("prometheus", tool("prometheus"), f"--config.file={config}", f"--web.listen-address={listen}",
                   f"--storage.tsdb.path={self.folder / 'tsdb'}")
        until("Prometheus", lambda: answers(f"{self.prometheus}/-/ready"), 60)

    def scrape_of(self, target):
        """As prometheus-operator would configure it for the autoscaler's ServiceMonitor."""
        labels = {"job": f"{target.name}-metrics", "service": f"{target.name}-metrics", "endpoint": "ias-metrics",
                  "namespace": target.namespace, "pod": target.pod, "container": "server"}
        return {"job_name": f"serviceMonitor/{target.namespace}/{target.name}/0",
                "scrape_interval": self.scrapes[target.namespace],
                "static_configs": [{"targets": [f"{target.ip}:{self.page_port}"], "labels": labels}]}

    def start_keda_whole(self):
        keda = self.start_keda(False)
        until("KEDA", lambda: answers(keda.health), 120)
        port = free_port()
        KedaAdapter(self, tool("keda-2.21/adapter"), self.folder / "keda.kubeconfig", keda, port)
        self.apply(*metrics_api("external", "keda-metrics-apiserver", port))
        self.wait_metrics_api("external")

    def scale(self, target, spec, scaled):
        """Makes what scales a target: `spec` is more of an autoscaler's, `scaled` of a ScaledObject's."""
        if target in self.of_keda:
            self.send([order("POST", SCALED.format(target.namespace),
                             scaled_object(target, self.prometheus, **scaled))])
        else:
            self.make_autoscaler(autoscaler(target, source="Prometheus", scrapeInterval=self.scrapes[target.namespace],
                                            **spec))

    def start_adapter(self):
        """With the rules that the operator has written by now."""
        rules, port = until("our rules", self.rules, 60), free_port()
        config = self.folder / "adapter.yaml"
        config.write_text(rules)
        access = [f"--{what}-kubeconfig={self.server.kubeconfig}" for what in ("lister", "authentication", "authorization")]
        self.start("adapter", tool("adapter"), f"--secure-port={port}", "--bind-address=127.0.0.1",
                   f"--cert-dir={self.folder / 'adapter-certificates'}", f"--config={config}",
                   f"--prometheus-url={self.prometheus}", f"--metrics-relist-interval={RELIST_S}s",
                   "--metrics-max-age=60s", *access)
        self.apply(*metrics_api("custom", "adapter-process", port))
        self.wait_metrics_api()
        until("the adapter's list", lambda: METRIC in self.kubectl("get", "--raw", CUSTOM), 60, 1)

    def rules(self):
        path = f"/api/v1/namespaces/{ADAPTER}/configmaps/prometheus-adapter"
        found = json.loads(self.kubectl("get", "--raw", path))["data"]["config.yaml"]
        return METRIC in found and found
