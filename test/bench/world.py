"""The world that a benchmark's operators work in: a real API server, targets with pods, and stand-ins for what answers.

Real are etcd, the API server and Prometheus. The pods' pages, the custom metrics API and what the controllers would
write come from test/bench/bare, and Prometheus scrapes what it would have of all pods from one page there.
"""

import collections
import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import yaml

from control_plane import ApiServer
from machine import BUILD, REPO, Others, answers, free_port, get, make_certificate, run, tool, until
from programs import Keda, Operator
from report import say

BARE = REPO / "build" / "bench" / "bare"
CHART = REPO / "config" / "helm" / "inference-autoscaler"
PAGE = REPO / "test" / "fixtures" / "vllm-0.32.0-load.txt"
GROUP = "inference-autoscaler.io"
ADAPTER = "monitoring"
SYSTEM = "inference-autoscaler-system"
AUTOSCALERS = f"/apis/{GROUP}/v1alpha1/inferenceautoscalers"
METRIC = "vllm_num_requests_running"
SERIES = "vllm:num_requests_(?:running|waiting)"
RUNNING = re.search(r"^vllm:num_requests_running\{.*\} (\d+)", PAGE.read_text(), re.M)[1]
SCRAPE_S = 5
READY_S = 900
HASH = "5d4f8c7b9"
# The handlers of Prometheus that answer questions; the rest are its page and its probes.
QUESTIONS = re.compile(r"/api/v1/")
APPLY = "application/apply-patch+yaml"

Target = collections.namedtuple("Target", "namespace name pod ip")


def targets(count, one_name):
    """Spread over ten namespaces, or each of the same name in a namespace of its own."""
    made = []
    for i in range(count):
        namespace, name = (f"many-{i:05}", "server") if one_name else (f"many-{i % 10}", f"server-{i:05}")
        # As many addresses as pods: a connection to one of them is none to another.
        ip = f"127.{1 + i // 62500}.{i // 250 % 250}.{1 + i % 250}"
        made.append(Target(namespace, name, f"{name}-{HASH}-abcde", ip))
    return made


def samples(text):
    """[(name, labels, value)] of a metrics page."""
    found = []
    for name, labels, value in re.findall(r"^([a-z_:]+)(?:\{(.*)\})? ([0-9.e+-]+|\+Inf)$", text, re.M):
        found.append((name, dict(re.findall(r'(\w+)="([^"]*)"', labels)), float(value)))
    return found


def order(method, path, body, type="application/json"):
    return {"method": method, "path": path, "type": type, "body": body}


@contextlib.contextmanager
def resting(options):
    """(world, operator, watch, seconds): all autoscalers are Ready, so many seconds after the operator's start."""
    with world(options.autoscalers, options.one_name) as made:
        made.wait_served()
        made.make_autoscalers()
        watch = Watch(made, AUTOSCALERS)
        operator = made.start_operator(options.operator)
        try:
            if not watch.wait(operator, READY_S):
                raise TimeoutError(f"of {watch.count} autoscalers {len(watch.good)} were Ready after {READY_S} s")
            seconds = time.monotonic() - operator.begin
            say(f"all Ready after {seconds:.0f} s; settling for {options.settle} s")
            time.sleep(options.settle)
            yield made, operator, watch, seconds
        finally:
            watch.close()


@contextlib.contextmanager
def world_folder():
    """Gone afterwards; of what fails in it the ends of the logs are said."""
    folder = Path(tempfile.mkdtemp(prefix="ia-bench-"))
    try:
        yield folder
    except BaseException:
        for log in sorted(folder.glob("**/*.log")):
            if log.name != "audit.log" and log.stat().st_size:
                say(f"{log.relative_to(folder)} ends: {log.read_text(errors='replace')[-600:]}")
        raise
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def world(count, one_name=False, keda=False):
    """A world with so many targets and no autoscalers yet; gone afterwards."""
    with world_folder() as folder, contextlib.closing(World(folder, targets(count, one_name))) as made:
        made.prepare(keda)
        yield made


class World:
    def __init__(self, folder, targets):
        self.folder, self.targets, self.pods, self.processes = folder, targets, targets, []
        self.kubectl_path, self.server = tool("kubectl"), ApiServer(folder)
        self.page_port, self.own_port, self.adapter_port = free_port(), free_port(), free_port()

    def close(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        self.server.close()

    # What is there

    def kubectl(self, *words, stdin=None):
        return run(self.kubectl_path, "--kubeconfig", self.server.kubeconfig, *words, input=stdin, timeout=120)

    def apply(self, *objects):
        self.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=yaml.safe_dump_all(objects))

    def list(self, path):
        """The objects of a path, whole."""
        return json.loads(self.kubectl("get", "--raw", path))["items"]

    def send(self, orders, credentials=None, in_flight=64):
        """Sends many requests at once; what bare says of it: {seconds, cpuSeconds, peakMiB}."""
        orders = "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in orders)
        flags = [*self.server.api.flags, *(credentials or self.server.api.admin), "--in-flight", in_flight]
        return json.loads(run(BARE, "send", *flags, input=orders))

    def prepare(self, keda):
        say("starting etcd and the API server")
        self.server.start()
        self.install(keda)
        self.make_targets()
        self.server.keep()
        self.start_stand_ins()
        self.start_prometheus()

    def install(self, keda):
        env = os.environ | {"KUBECONFIG": str(self.server.kubeconfig),
                            "PATH": f"{Path(self.kubectl_path).parent}:{os.environ['PATH']}"}
        run(REPO / "hack" / "stack", "crds", env=env)
        crds = [yaml.safe_load((REPO / "crds" / "inferenceautoscalers.yaml").read_text())]
        if keda:
            module = run(BUILD, "--module-path", "keda-2.21").strip()
            files = sorted(Path(module, "config/crd/bases").glob("*.yaml"))
            crds += [yaml.safe_load(file.read_text()) for file in files]
        self.apply(*crds, *self.stack(), *account("bench", "bare"), *account("keda", "keda-operator"))
        self.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
        rendered = run(tool("helm"), "template", "inference-autoscaler", CHART, "--no-hooks", "--namespace", SYSTEM)
        self.chart = [o for o in yaml.safe_load_all(rendered) if o]
        kinds = {"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
        rights = [o for o in self.chart if o["kind"] in kinds]
        self.apply(namespace(SYSTEM), *rights)
        self.user = "system:serviceaccount:{}:{}".format(SYSTEM, next(
            o["metadata"]["name"] for o in rights if o["kind"] == "ServiceAccount"))

    def stack(self):
        """What is installed for the operator to work with."""
        return [*stack_objects(), *metrics_api("custom", "adapter-process", self.adapter_port)]

    def make_targets(self):
        replicas = len(self.pods) // len(self.targets)
        say(f"making {len(self.targets)} Deployments and {len(self.pods)} pods")
        spaces = sorted({t.namespace for t in self.targets})
        self.send([order("POST", "/api/v1/namespaces", namespace(name)) for name in spaces])
        deployments, pods = "/apis/apps/v1/namespaces/{}/deployments", "/api/v1/namespaces/{}/pods"
        patch = "application/merge-patch+json"
        self.send([order("POST", deployments.format(t.namespace), deployment(t, self.page_port, replicas))
                   for t in self.targets])
        self.send([order("POST", pods.format(t.namespace), pod(t, self.page_port)) for t in self.pods])
        self.send([order("PATCH", f"{deployments.format(t.namespace)}/{t.name}/status", deployed(replicas), patch)
                   for t in self.targets])
        self.send([order("PATCH", f"{pods.format(t.namespace)}/{t.pod}/status", ready_status(t), patch)
                   for t in self.pods])

    def start(self, name, *words, env=None):
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log, env=env)
        self.processes.append(process)
        return process

    def end(self, process):
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.processes.remove(process)

    def start_stand_ins(self):
        certificate = make_certificate(self.folder, "adapter")
        config = self.folder / "stand-in.json"
        config.write_text(json.dumps({
            "Page": str(PAGE), "Series": SERIES, "Value": RUNNING, "Metric": METRIC, "PagePort": self.page_port,
            "Port": self.own_port, "AdapterPort": self.adapter_port, "AdapterCertificate": str(certificate[0]),
            "AdapterKey": str(certificate[1]), "AdapterNamespace": ADAPTER, "AdapterDeployment": "prometheus-adapter",
            "Pods": [{"Namespace": t.namespace, "App": t.name, "Name": t.pod, "IP": t.ip} for t in self.targets],
        }))
        self.start("stand-in", BARE, "stand-in", *self.server.api.flags, *self.server.api.admin, "--config", config)
        until("the stand-in", lambda: answers(f"http://127.0.0.1:{self.own_port}/counts"), 30)

    def start_prometheus(self):
        config, listen = self.folder / "prometheus.yml", f"127.0.0.1:{free_port()}"
        config.write_text(json.dumps({
            "global": {"scrape_interval": f"{SCRAPE_S if len(self.targets) <= 1000 else 3 * SCRAPE_S}s"},
            "scrape_configs": [{"job_name": "all", "honor_labels": True,
                                "static_configs": [{"targets": [f"127.0.0.1:{self.own_port}"]}]}],
        }))
        self.prometheus = f"http://{listen}"
        self.start("prometheus", tool("prometheus"), f"--config.file={config}", f"--web.listen-address={listen}",
                   f"--storage.tsdb.path={self.folder / 'tsdb'}")
        question = f"{self.prometheus}/api/v1/query?query=count(vllm:num_requests_running)"

        def scraped():
            with contextlib.suppress(OSError):
                result = json.loads(get(question))["data"]["result"]
                return result and int(result[0]["value"][1]) == len(self.targets)

        until("Prometheus' first scrape", scraped, 120, 0.5)

    # Who works

    def make_autoscalers(self):
        path = f"/apis/{GROUP}/v1alpha1/namespaces/{{}}/inferenceautoscalers"
        self.send([order("POST", path.format(t.namespace), autoscaler(t)) for t in self.targets])

    def make_autoscaler(self, one):
        path = f"/apis/{GROUP}/v1alpha1/namespaces/{one['metadata']['namespace']}/inferenceautoscalers"
        self.send([order("POST", path, one)])

    def make_scaled_objects(self):
        path = "/apis/keda.sh/v1alpha1/namespaces/{}/scaledobjects"
        self.send([order("POST", path.format(t.namespace), scaled_object(t, self.prometheus)) for t in self.targets])

    def wait_served(self):
        """The API server that was just started serves watches of each custom resource, and the metrics API. It makes the
        cache for a kind's watches when first asked, and refuses meanwhile: no operator that starts in a cluster meets
        that."""
        for crd in json.loads(self.kubectl("get", "crd", "-o", "json"))["items"]:
            spec = crd["spec"]
            for version in spec["versions"]:
                path = f"/apis/{spec['group']}/{version['name']}/{spec['names']['plural']}?resourceVersion=0&limit=1"
                self.kubectl("get", "--raw", path)  # it asks again until it is not refused
        self.wait_metrics_api()

    def wait_metrics_api(self, group="custom"):
        """The API server finds out by itself that what serves it is there."""
        path = f"/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.{group}.metrics.k8s.io"

        def available():
            conditions = json.loads(self.kubectl("get", "--raw", path)).get("status", {}).get("conditions", [])
            return any(c["type"] == "Available" and c["status"] == "True" for c in conditions)

        until(f"the {group} metrics API", available, 60, 0.5)

    def start_operator(self, binary):
        account = self.user.split(":")[-1]
        kubeconfig = self.server.write_kubeconfig(
            self.folder / "operator.kubeconfig", self.server.token(self.kubectl, SYSTEM, account))
        return Operator(self, binary, kubeconfig, *self.operator_words())

    def operator_words(self):
        return ["--prometheus-url", self.prometheus]

    def start_keda(self, unthrottled):
        kubeconfig = self.server.write_kubeconfig(
            self.folder / "keda.kubeconfig", self.server.token(self.kubectl, "keda", "keda-operator"))
        return Keda(self, tool("keda-2.21/operator"), kubeconfig, unthrottled)

    # What is counted

    def pids(self):
        """Of all that runs for it."""
        return self.server.pids() + [process.pid for process in self.processes]

    def others(self):
        return Others(self.pids)

    def counts(self):
        """What only grows: pages, adapter queries and what Prometheus was asked."""
        now = json.loads(get(f"http://127.0.0.1:{self.own_port}/counts"))
        now["Prometheus queries"] = now["Prometheus KiB"] = 0
        for name, labels, value in samples(get(f"{self.prometheus}/metrics").decode()):
            if QUESTIONS.match(labels.get("handler", "")):
                if name == "prometheus_http_requests_total":
                    now["Prometheus queries"] += value
                elif name == "prometheus_http_response_size_bytes_sum":
                    now["Prometheus KiB"] += value / 1024
        return now


def is_ready(found):
    conditions = found.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


class Watch:
    """Which of the objects of a path, one for each target, are as they should be.

    `times`: when each was first, of the monotonic clock; `lost`: how often one was not any more; `last`: when one was
    again, or for the first time.
    """

    def __init__(self, world, path, is_good=is_ready):
        self.times, self.good, self.lost, self.last = {}, set(), 0, None
        self.count, self.is_good, self.closed = len(world.targets), is_good, False
        # Of version 0, since Debian's etcd does not tell the API server that nothing changed, for which others would wait.
        self.command = [
            world.kubectl_path, "--kubeconfig", str(world.server.kubeconfig), "get", "--raw",
            f"{path}?watch=true&resourceVersion=0"]
        self.open()
        self.thread = threading.Thread(target=self.follow, daemon=True)
        self.thread.start()

    def open(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def follow(self):
        """The API server ends watches of a kind whose definition is new: the next one begins with all objects again."""
        while not self.closed:
            for line in self.process.stdout:
                self.take(json.loads(line))
            self.process.wait()
            if not self.closed:
                time.sleep(0.1)
                self.open()

    def take(self, event):
        if event["type"] not in ("ADDED", "MODIFIED"):
            return
        metadata = event["object"]["metadata"]
        key = metadata["namespace"], metadata["name"]
        if not self.is_good(event["object"]):
            self.lost += key in self.good
            self.good.discard(key)
        elif key not in self.good:
            self.last = time.monotonic()
            self.times.setdefault(key, self.last)
            self.good.add(key)

    def close(self):
        self.closed = True
        self.process.kill()
        self.thread.join(10)

    def wait(self, program, timeout):
        """Whether all are Ready within this time of the program's start."""
        told = time.monotonic()
        while len(self.good) < self.count and time.monotonic() - program.begin < timeout:
            program.check()
            time.sleep(0.05)
            if time.monotonic() - told > 30:
                told = time.monotonic()
                say(f"{len(self.good)} of {self.count} are Ready after {told - program.begin:.0f} s")
        return len(self.good) == self.count

    def curve(self, begin):
        """[(seconds after `begin`, how many were as they should be)]."""
        return [(at - begin, i + 1) for i, at in enumerate(sorted(self.times.values()))]


# The objects


def namespace(name):
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def account(ns, name):
    """A service account that may do all, in a namespace of its own; three objects."""
    yield namespace(ns)
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": ns}}
    yield {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
           "metadata": {"name": f"bench-{name}"},
           "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
           "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": ns}]}


def stack_objects():
    """A Prometheus that wants release=prometheus, and an adapter."""
    template = {"metadata": {"labels": {"app": "adapter"}}, "spec": {"containers": [{
        "name": "adapter", "image": "nowhere/none",
        "args": ["--metrics-relist-interval=30s", "--prometheus-url=http://prometheus-operated.monitoring.svc:9090/"],
    }]}}
    return [
        namespace(ADAPTER),
        {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus",
         "metadata": {"name": "k8s", "namespace": ADAPTER, "labels": {"bench": "0"}},
         "spec": {"serviceMonitorSelector": {"matchLabels": {"release": "prometheus"}},
                  "serviceMonitorNamespaceSelector": {}}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prometheus-adapter", "namespace": ADAPTER},
         "data": {"config.yaml": "rules: []\n"}},
        {"apiVersion": "apps/v1", "kind": "Deployment",
         "metadata": {"name": "prometheus-adapter", "namespace": ADAPTER},
         "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "adapter"}}, "template": template}},
    ]


def process_service(name, ns, port):
    """A Service that leads to a port of this machine."""
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": ns},
            "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}}


def metrics_api(group, name, port):
    """GROUP.metrics.k8s.io, which this port of the machine serves; two objects."""
    yield process_service(name, ADAPTER, port)
    yield {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
           "metadata": {"name": f"v1beta1.{group}.metrics.k8s.io"},
           "spec": {"group": f"{group}.metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100,
                    "versionPriority": 100, "insecureSkipTLSVerify": True,
                    "service": {"name": name, "namespace": ADAPTER, "port": port}}}


def container(port):
    return {"name": "server", "image": "vllm/vllm-openai:v0.32.0", "args": ["--model", "tiny"],
            "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}]}


def deployment(target, port, replicas=1):
    labels = {"app": target.name}
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": target.name, "namespace": target.namespace, "labels": labels},
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels}, "spec": {"containers": [container(port)]}}}}


def deployed(replicas):
    counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    return {"status": {"observedGeneration": 1, **dict.fromkeys(counts, replicas)}}


def pod(target, port):
    """As the Deployment's ReplicaSet would have made it."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{target.name}-{HASH}", "controller": True,
             "blockOwnerDeletion": True, "uid": "11111111-1111-1111-1111-111111111111"}
    return {"apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": target.pod, "namespace": target.namespace, "ownerReferences": [owner],
                         "labels": {"app": target.name, "pod-template-hash": HASH}},
            "spec": {"nodeName": "somewhere", "containers": [container(port)]}}


def ready_status(target):
    since = "2026-01-01T00:00:00Z"
    conditions = [{"type": kind, "status": "True", "lastTransitionTime": since}
                  for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")]
    running = {"name": "server", "ready": True, "started": True, "restartCount": 0, "image": "vllm/vllm-openai:v0.32.0",
               "imageID": "sha256:" + "0" * 64, "state": {"running": {"startedAt": since}}}
    return {"status": {"phase": "Running", "podIP": target.ip, "podIPs": [{"ip": target.ip}], "startTime": since,
                       "conditions": conditions, "containerStatuses": [running]}}


def autoscaler(target, **more):
    """One replica: nobody here would make another pod. `more` is of its spec."""
    return {"apiVersion": f"{GROUP}/v1alpha1", "kind": "InferenceAutoscaler",
            "metadata": {"name": target.name, "namespace": target.namespace},
            "spec": {"maxReplicas": 1,
                     "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target.name}, **more}}


def scaled_object(target, prometheus, **more):
    """`more` is of its spec."""
    query = f'sum(vllm:num_requests_running{{namespace="{target.namespace}",pod=~"{target.name}-.*"}})'
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject",
            "metadata": {"name": target.name, "namespace": target.namespace},
            "spec": {"scaleTargetRef": {"name": target.name}, "minReplicaCount": 1, "maxReplicaCount": 1, "triggers": [{
                "type": "prometheus",
                "metadata": {"serverAddress": prometheus, "query": query, "threshold": "4"}}], **more}}
