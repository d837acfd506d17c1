"""The breakage suite: the chain is broken in every way that users know, and what is said of it is judged.

A case is a file in breakages/:
  about     the breakage in a sentence
  scope     namespace (the default): it breaks its own namespace only, and all of these go side by side;
            stack: it breaks what all share, one after the other
  spec      laid over the usual autoscaler's spec
  before    steps before the autoscaler is made; then it is broken from the start
  break     steps that break a chain that works
  expect    {link, reason, status: "False", says: […]}: the condition, and pieces of its message
  mend      steps that mend it
  within    seconds in which it must be said, 60 without; ready: seconds to Ready after mending, 180 without

A step is one of
  apply: manifest · patch: [apiVersion, kind, name, namespace?] with body · delete: the same list · pause: seconds
  spec: merged into the autoscaler's, and refused: pieces of the API server's refusal · workload: true, the usual one
  config: text of the adapter's configuration · config-append: text · config: restore
  keep: [apiVersion, kind, name], to be put back by restore · rule: {apiGroups, resources} taken from the operator's role
NS and IMAGE stand for the case's namespace and the stand-in's image.
"""

import copy
import json
import pathlib
import threading
import time

import pytest
import yaml
from conftest import eventually
from kubernetes import client, watch

FILES = sorted((pathlib.Path(__file__).parent / "breakages").glob("*.yaml"))
CASES = {file.stem: yaml.safe_load(file.read_text()) for file in FILES}
CHAIN = ["Accepted", "TargetFound", "TargetExclusive", "MetricsExposed", "ScrapeSelected", "ScrapeHealthy", "SeriesFresh",
         "AdapterConfigured", "MetricServed", "ScalingActive"]
AUTOSCALER = ("inference-autoscaler.io/v1alpha1", "InferenceAutoscaler")
RULES = ("v1", "ConfigMap", "prometheus-adapter", "monitoring")
ROLE = ("rbac.authorization.k8s.io/v1", "ClusterRole")
MERGE = "application/merge-patch+json"

WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: server}
spec:
  replicas: 1
  selector: {matchLabels: {app: server}}
  template:
    metadata: {labels: {app: server}}
    spec:
      terminationGracePeriodSeconds: 1
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
      - name: server
        image: IMAGE
        imagePullPolicy: IfNotPresent
        args: [serve]
        ports: [{name: http, containerPort: 8000}]
        readinessProbe: {httpGet: {path: /health, port: http}, periodSeconds: 1}
        securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
"""
SUBJECT = """
apiVersion: inference-autoscaler.io/v1alpha1
kind: InferenceAutoscaler
metadata: {name: subject}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: server}
  maxReplicas: 2
  scrapeInterval: 5s
"""
# KEDA itself is not needed to break a chain with it.
SCALED_OBJECT = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: scaledobjects.keda.sh}
spec:
  group: keda.sh
  scope: Namespaced
  names: {plural: scaledobjects, singular: scaledobject, kind: ScaledObject}
  versions:
  - {name: v1alpha1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
"""


def lay(base, over):
    """RFC 7396."""
    for key, value in over.items():
        if value is None:
            base.pop(key, None)
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            lay(base[key], value)
        else:
            base[key] = value
    return base


class History:
    """Every status that any autoscaler of the suite has had, with the moment it was seen."""

    def __init__(self, kube):
        self.seen = {}
        self.lock = threading.Lock()
        self.stopped = False
        self.thread = threading.Thread(target=self.follow, args=(kube,), daemon=True)
        self.thread.start()

    def follow(self, kube):
        api = client.CustomObjectsApi(kube.api)
        while not self.stopped:
            try:
                for event in watch.Watch().stream(
                    api.list_cluster_custom_object, "inference-autoscaler.io", "v1alpha1", "inferenceautoscalers",
                    timeout_seconds=60,
                ):
                    self.note(event["object"])
            except Exception:  # the API server is allowed to end a watch, or to be busy
                time.sleep(0.5)

    def note(self, found):
        meta, status = found["metadata"], found.get("status", {})
        if meta["name"] != "subject" or status.get("observedGeneration") != meta["generation"]:
            return
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        with self.lock:
            self.seen.setdefault(meta["namespace"], []).append((time.monotonic(), conditions))

    def of(self, namespace, since=0.0):
        with self.lock:
            return [(at, c) for at, c in self.seen.get(namespace, []) if at >= since]

    def now(self, namespace):
        found = self.of(namespace)
        return found[-1][1] if found else {}


class Case:
    """One breakage on its way through the suite."""

    def __init__(self, kube, history, image, name):
        self.kube, self.history, self.image, self.name = kube, history, image, name
        self.case = CASES[name]
        self.namespace = f"brk-{name}"
        self.kept = None
        self.config = None
        self.role = None
        self.said_after = self.ready_after = None
        self.first = self.problem = None

    def filled(self, value):
        text = json.dumps(value).replace("NS", self.namespace).replace("IMAGE", self.image)
        return json.loads(text)

    def apply(self, manifest):
        manifest = self.filled(manifest)
        if "namespace" not in manifest["metadata"]:
            manifest["metadata"]["namespace"] = self.namespace
        self.kube.apply(yaml.safe_dump(manifest))

    def place(self, which):
        """(apiVersion, kind), name, namespace; cluster-scoped kinds have no namespace."""
        api_version, kind, name, *namespace = which
        resource = self.kube.resource(api_version, kind)
        home = namespace[0] if namespace else self.namespace if resource.namespaced else None
        return resource, name, home

    def step(self, step):
        if "apply" in step:
            self.apply(step["apply"])
        elif "patch" in step:
            resource, name, home = self.place(step["patch"])
            resource.patch(name=name, namespace=home, body=self.filled(step["body"]), content_type=MERGE)
        elif "delete" in step:
            resource, name, home = self.place(step["delete"])
            resource.delete(name=name, namespace=home)
        elif "pause" in step:
            time.sleep(step["pause"])
        elif "spec" in step:
            self.edit(step)
        elif "workload" in step:
            self.apply(yaml.safe_load(WORKLOAD))
        elif "config" in step or "config-append" in step:
            self.configure(step)
        elif "keep" in step:
            resource, name, home = self.place(step["keep"])
            self.kept = resource.get(name=name, namespace=home).to_dict()
        elif "restore" in step:
            self.restore()
        elif "rule" in step:
            self.forbid(step["rule"])
        else:
            raise ValueError(f"no such step: {step}")

    def edit(self, step):
        resource = self.kube.resource(*AUTOSCALER)
        try:
            resource.patch(name="subject", namespace=self.namespace, body={"spec": step["spec"]}, content_type=MERGE)
        except client.exceptions.ApiException as error:
            assert "refused" in step and step["refused"] in error.body.decode(), error
        else:
            assert "refused" not in step, "the API server took it"

    def configure(self, step):
        resource, name, home = self.place(RULES)
        before = resource.get(name=name, namespace=home).data["config.yaml"]
        if step.get("config") == "restore":
            text, self.config = self.config, None
        else:
            self.config = self.config or before
            text = step.get("config") or before + step["config-append"]
        resource.patch(name=name, namespace=home, body={"data": {"config.yaml": text}}, content_type=MERGE)

    def restore(self):
        for member in ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink"):
            self.kept["metadata"].pop(member, None)
        self.kept.pop("status", None)
        resource, _, home = self.place([self.kept["apiVersion"], self.kept["kind"], self.kept["metadata"]["name"]])

        def made():
            try:
                resource.create(body=self.kept, namespace=home)
            except client.exceptions.ApiException as error:
                if error.status == 409:  # the old one is on its way out
                    return False
                raise
            return True

        eventually("it is back", made, 60)

    def forbid(self, rule):
        resource = self.kube.resource(*ROLE)
        (found,) = [r.to_dict() for r in resource.get(
            label_selector="app.kubernetes.io/name=inference-autoscaler").items
            if r.metadata.name.endswith("inference-autoscaler") and not r.metadata.name.endswith(("view", "edit"))]
        if rule == "restore":
            rules = self.role
        else:
            self.role = copy.deepcopy(found["rules"])
            rules = [r for r in self.role if (r["apiGroups"], r["resources"]) != (rule["apiGroups"], rule["resources"])]
            assert len(rules) < len(self.role), f"the operator has no rule {rule}"
        resource.patch(name=found["metadata"]["name"], body={"rules": rules}, content_type=MERGE)

    def steps(self, which):
        for step in self.case.get(which) or []:
            self.step(step)

    # ---- the course of a case

    def make(self):
        self.kube.apply(yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {
            "name": self.namespace, "labels": {"inference-autoscaler.io/breakages": "true"}}}))
        self.apply(yaml.safe_load(WORKLOAD))
        self.steps("before")
        subject = yaml.safe_load(SUBJECT)
        lay(subject["spec"], copy.deepcopy(self.case.get("spec") or {}))
        self.apply(subject)

    def is_ready(self):
        return self.history.now(self.namespace).get("Ready", {}).get("status") == "True"

    def holds(self, conditions):
        expect = self.case["expect"]
        found = conditions.get(expect["link"], {})
        return found.get("status") == expect.get("status", "False") and found.get("reason") == expect["reason"]

    def break_it(self):
        self.broken_at = time.monotonic()
        try:
            self.steps("break")
        except Exception as error:
            self.problem = f"cannot be broken: {error}"

    def await_said(self):
        """Waits until the expected is said, and notes the first broken link that was named until then."""
        deadline = self.broken_at + self.case.get("within", 60)
        steady = self.case["expect"]["link"] == "Ready"
        while time.monotonic() < deadline and self.said_after is None:
            time.sleep(0.2)
            for at, conditions in self.history.of(self.namespace, self.broken_at):
                self.first = self.first or next(
                    (f"{t}/{conditions[t]['reason']}" for t in CHAIN
                     if conditions.get(t, {}).get("status") == "False"), None)
                if not steady and self.holds(conditions):
                    self.said_after = at - self.broken_at
                    break
            if steady and time.monotonic() > self.broken_at + 15:
                self.said_after = 0.0 if self.is_ready() else None
                break
        if self.problem is None and self.said_after is None:
            now = {t: (c["status"], c["reason"]) for t, c in self.history.now(self.namespace).items()}
            self.problem = f"was not said; now {now}"

    def judge(self):
        """No link before the expected one may ever have been False, and the message has what helps."""
        expect = self.case["expect"]
        before = CHAIN[:CHAIN.index(expect["link"])] if expect["link"] in CHAIN else CHAIN[:-1]
        for _, conditions in self.history.of(self.namespace, self.broken_at):
            for link in before:
                if conditions.get(link, {}).get("status") == "False":
                    self.problem = self.problem or f"a healthy link was called broken: {link}: {conditions[link]}"
            if self.holds(conditions):
                message = conditions[expect["link"]]["message"]
                missing = [s for s in self.filled(expect.get("says") or []) if s not in message]
                if missing:
                    self.problem = self.problem or f"the message lacks {missing}: {message}"
                break

    def mend(self):
        start = time.monotonic()
        try:
            self.steps("mend")
            eventually(f"'{self.name}' is Ready after mending", self.is_ready, self.case.get("ready", 180))
            self.ready_after = time.monotonic() - start
        except BaseException as error:
            self.problem = self.problem or f"was not mended: {error}"


@pytest.fixture(scope="module")
def outcomes(kube, manifest):
    """Runs all cases; those of one namespace side by side, the stack's one after the other."""
    kube.apply(SCALED_OBJECT)
    history = History(kube)
    image = f"localhost/vllm-standin{manifest.version}"
    cases = {name: Case(kube, history, image, name) for name in CASES}
    alone = [c for c in cases.values() if c.case.get("scope", "namespace") == "namespace"]
    shared = [c for c in cases.values() if c.case.get("scope") == "stack"]
    try:
        for case in [*alone, *shared[:1]]:
            case.make()
        healthy = [c for c in [*alone, *shared[:1]] if "before" not in c.case]
        eventually("all chains work", lambda: all(c.is_ready() for c in healthy), 300)
        for case in alone:
            case.break_it()
        for case in alone:
            case.await_said()
            case.judge()
        for case in alone:
            case.mend()
        for case in shared:
            case.namespace = shared[0].namespace
            if not case.is_ready():
                case.problem = "the chain did not work before it was broken"
                continue
            case.break_it()
            case.await_said()
            case.judge()
            case.mend()
        yield cases
        print_table(cases)
    finally:
        history.stopped = True
        for case in cases.values():
            if kube.get("v1", "Namespace", case.namespace):
                kube.resource("v1", "Namespace").delete(name=case.namespace)


def print_table(cases):
    def seconds(value):
        return "-" if value is None else f"{value:.0f}"

    print("\nbreakage · first broken link said · expected · seconds to say it · seconds to Ready after mending")
    for name, case in cases.items():
        expect = case.case["expect"]
        print(f"{name} · {case.first} · {expect['link']}/{expect['reason']} · {seconds(case.said_after)} · "
              f"{seconds(case.ready_after)}{' · ' + case.problem[:160] if case.problem else ''}")
    said = sorted(c.said_after for c in cases.values() if c.said_after is not None)
    print(f"named correctly: {sum(c.problem is None for c in cases.values())} of {len(cases)}; "
          f"median {said[len(said) // 2]:.1f} s to say it")


@pytest.mark.parametrize("name", CASES)
def test_breakage(outcomes, name):
    assert outcomes[name].problem is None, outcomes[name].problem
