"""A world whose metrics API the operator serves itself: no Prometheus, no adapter."""

from machine import free_port, until
from report import say
from world import ADAPTER, SYSTEM, World, autoscaler, namespace, process_service

SERVES, LISTENS = "--metrics-service", "--metrics-api-listen"


class DirectWorld(World):
    def __init__(self, folder, targets, engines_port):
        super().__init__(folder, targets)
        self.page_port, self.api_port = engines_port, free_port()

    def stack(self):
        """Nothing; the chart's rights name a namespace, though."""
        return [namespace(ADAPTER)]

    def prepare(self, binary):
        say("direct: starting etcd, the API server and the HPA's controller")
        self.server.start()
        self.install(False)
        self.make_service()
        self.make_targets()
        self.server.start_hpa_controller()
        self.operator = self.start_operator(binary)
        until("the operator", self.operator.synced, 60)

    def make_service(self):
        """What else of the chart the operator needs: the Service, which leads to this machine here, and the ConfigMaps."""
        words = self.chart_words()
        self.words = {name: value for name, value in zip(words, words[1:]) if name.startswith("--metrics-")}
        assert SERVES in self.words, f"the chart's operator has no {SERVES}: it does not serve the metrics API yet"
        name = self.words[SERVES].partition("/")[2].partition(":")[0]
        self.words |= {SERVES: f"{SYSTEM}/{name}:{self.api_port}", LISTENS: f"127.0.0.1:{self.api_port}"}
        maps = [o for o in self.chart if o["kind"] == "ConfigMap"]
        self.apply(process_service(name, SYSTEM, self.api_port), *maps)

    def chart_words(self):
        """The arguments of the chart's operator."""
        deployment = next(o for o in self.chart if o["kind"] == "Deployment")
        return [word for c in deployment["spec"]["template"]["spec"]["containers"] for word in c.get("args", [])]

    def operator_words(self):
        return [word for pair in self.words.items() for word in pair]

    def scale(self, target, spec, _):
        self.make_autoscaler(autoscaler(target, source="Direct", **spec))
