"""The chart's values: each is described, checked, and does something that the API server takes."""

import json
import re

import pytest
import yaml
from conftest import CHART, OLDEST, RELEASE, SYSTEM, only
from operator_fixtures import stack  # noqa: F401  (a fixture is found by its name)

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())

SECRET = [{"name": "pull"}]
PORT = {"ports": [{"port": 443}]}
MONITOR = {"prometheus.serviceMonitor.enabled": True}
RULES = {**MONITOR, "prometheus.rules.enabled": True}
DASHBOARD = {"grafana.dashboard.enabled": True}
NETWORK = {"networkPolicy.enabled": True}
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "of-{{ .Release.Name }}"}}

# Per value: another than its default, what must be set for it to mean something, and a text that must come of it, or
# the kind of object that must not.
EFFECTS = {
    "global.imagePullSecrets": (SECRET, {}, "name: pull"),
    "global.priorityClassName": ("high", {}, "priorityClassName: high"),
    "image.registry": ("r.example", {}, "r.example/inference-autoscaler:"),
    "image.repository": ("r.example/ias", {}, "image: r.example/ias:"),
    "image.tag": ("v9", {}, "inference-autoscaler:v9"),
    "image.digest": ("sha256:" + "b" * 64, {}, "inference-autoscaler@sha256:b"),
    "image.pullPolicy": ("Always", {}, "imagePullPolicy: Always"),
    "imagePullSecrets": (SECRET, {}, "name: pull"),
    "nameOverride": ("ias", {}, "app.kubernetes.io/name: ias"),
    "fullnameOverride": ("ias", {}, "name: ias"),
    "replicaCount": (3, {}, "replicas: 3"),
    "strategy": ({"type": "Recreate"}, {}, "type: Recreate"),
    "podDisruptionBudget.enabled": (False, {}, "!PodDisruptionBudget"),
    "podDisruptionBudget.minAvailable": ("50%", {}, "minAvailable: 50%"),
    "podDisruptionBudget.maxUnavailable": ("50%", {}, "maxUnavailable: 50%"),
    "crds.enabled": (False, {}, "!CustomResourceDefinition"),
    "crds.keep": (False, {}, "kind: CustomResourceDefinition"),
    "cleanup.enabled": (False, {}, "!Job"),
    "serviceAccount.create": (False, {}, "serviceAccountName: default"),
    "serviceAccount.name": ("mine", {}, "serviceAccountName: mine"),
    "serviceAccount.annotations": ({"a": "b"}, {}, "a: b"),
    "serviceAccount.automount": (False, {}, "automountServiceAccountToken: false"),
    "rbac.create": (False, {}, "!ClusterRoleBinding"),
    "rbac.aggregate": (False, {"rbac.create": False}, "!ClusterRole"),
    "scaleTargets": ([{"apiGroup": "x.example", "resource": "things"}], {}, "- things/scale\n"),
    "adapter.namespace": ("metrics", {}, "namespace: metrics"),
    "adapter.deployment": ("pa", {}, "- pa\n"),
    "adapter.configMap": ("pa", {}, "- pa\n"),
    "adapter.configKey": ("rules.yaml", {}, "- rules.yaml\n"),
    "leaderElection.enabled": (False, {"replicaCount": 1}, "--leader-elect=false"),
    "leaderElection.leaseName": ("one", {}, "- one\n"),
    "logging.level": ("debug", {}, "- debug\n"),
    "logging.format": ("text", {}, "- text\n"),
    "prometheus.serviceMonitor.enabled": (True, {}, "kind: ServiceMonitor"),
    "prometheus.serviceMonitor.labels": ({"release": "p"}, MONITOR, "release: p"),
    "prometheus.serviceMonitor.interval": ("1m", MONITOR, "interval: 1m"),
    "prometheus.rules.enabled": (True, MONITOR, "kind: PrometheusRule"),
    "prometheus.rules.labels": ({"release": "p"}, RULES, "release: p"),
    "grafana.dashboard.enabled": (True, {}, "grafana_dashboard: '1'"),
    "grafana.dashboard.labels": ({"show": "yes"}, DASHBOARD, "show: 'yes'"),
    "grafana.dashboard.annotations": ({"grafana_folder": "x"}, DASHBOARD, "grafana_folder: x"),
    "networkPolicy.enabled": (True, {}, "kind: NetworkPolicy"),
    "networkPolicy.ingress": ([PORT], NETWORK, "port: 443"),
    "networkPolicy.egress": ([PORT], NETWORK, "- Egress"),
    "extraArgs": (["--more"], {}, "- --more"),
    "extraEnv": ([{"name": "HTTPS_PROXY", "value": "x"}], {}, "name: HTTPS_PROXY"),
    "volumes": ([{"name": "v", "emptyDir": {}}], {}, "volumes:"),
    "volumeMounts": (
        [{"name": "v", "mountPath": "/v"}], {"volumes": [{"name": "v", "emptyDir": {}}]}, "mountPath: /v",
    ),
    "resources": ({"limits": {"memory": "1Gi"}}, {}, "memory: 1Gi"),
    "livenessProbe": ({"timeoutSeconds": 7}, {}, "timeoutSeconds: 7"),
    "readinessProbe": ({"timeoutSeconds": 8}, {}, "timeoutSeconds: 8"),
    "podSecurityContext": ({"fsGroup": 5}, {}, "fsGroup: 5"),
    "securityContext": ({"runAsUser": 5}, {}, "runAsUser: 5"),
    "podLabels": ({"team": "a"}, {}, "team: a"),
    "podAnnotations": ({"note": "a"}, {}, "note: a"),
    "priorityClassName": ("system-cluster-critical", {}, "priorityClassName: system-cluster-critical"),
    "nodeSelector": ({"disk": "ssd"}, {}, "disk: ssd"),
    "tolerations": ([{"key": "gpu", "operator": "Exists"}], {}, "key: gpu"),
    "affinity": ({"podAntiAffinity": {}}, {}, "podAntiAffinity: {}"),
    "topologySpreadConstraints": (
        [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}], {}, "topologyKey: zone",
    ),
    "hostAliases": ([{"ip": "10.0.0.1", "hostnames": ["api"]}], {}, "ip: 10.0.0.1"),
    "dnsConfig": ({"nameservers": ["10.0.0.2"]}, {}, "- 10.0.0.2"),
    "extraObjects": ([CONFIG_MAP], {}, f"name: of-{RELEASE}"),
}


def inner(schema):
    """The schema itself, or the definition that it refers to."""
    return SCHEMA["definitions"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def leaves(values=VALUES, path=""):
    """The values that one sets, as `a.b`: what has an EFFECT, or no inner values."""
    for name, value in values.items():
        here = f"{path}{name}"
        if here in EFFECTS or not isinstance(value, dict) or not value:
            yield here
        else:
            yield from leaves(value, f"{here}.")


def described():
    """What values.yaml says of each value: {`a.b`: (text, default)}."""
    texts, text, parents = {}, [], []
    for line in (CHART / "values.yaml").read_text().splitlines():
        if comment := re.match(r" *# (-- )?(.*)", line):
            text = [comment[2]] if comment[1] else [*text, comment[2]] if text else []
        elif key := re.match(r"( *)([a-zA-Z]+):", line):
            parents = [*parents[: len(key[1]) // 2], key[2]]
            if text:
                texts[".".join(parents)] = " ".join(text)
            text = []
    return texts


def value_at(path):
    value = VALUES
    for name in path.split("."):
        value = value[name]
    return value


def table():
    """The rows of the README's table of values."""
    texts = described()
    for path in leaves():
        default = value_at(path)
        shown = json.dumps(default) if isinstance(default, (dict, list, bool)) else default
        text = texts[path].replace("|", "\\|")
        yield f"| `{path}` | " + (f"`{shown}`" if shown != "" else "") + f" | {text} |"


def test_every_value_is_described():
    assert set(described()) == set(leaves())


def test_every_value_is_in_the_readme():
    lines = (CHART / "README.md").read_text().splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert rows == list(table()), "write these rows instead:\n" + "\n".join(table())


def test_the_schema_names_every_value_and_no_other():
    def walk(values, schema, path):
        assert set(values) == set(schema["properties"]), path
        assert path == "global." or schema["additionalProperties"] is False, path
        for name, value in values.items():
            if path + name not in EFFECTS:
                walk(value, inner(schema["properties"][name]), f"{path}{name}.")

    walk(VALUES, SCHEMA, "")


def flat(objects):
    return yaml.safe_dump_all(objects, width=1000)


def test_every_value_has_an_effect_here():
    assert set(EFFECTS) == set(leaves())


@pytest.mark.parametrize("path", EFFECTS)
def test_every_value_does_something(render, path):
    value, needs, effect = EFFECTS[path]
    before, after = (render(hooks=True, **needs, **more) for more in ({}, {path: value}))
    assert flat(after) != flat(before)
    if effect.startswith("!"):
        assert effect[1:] in {o["kind"] for o in before}
        assert effect[1:] not in {o["kind"] for o in after}
    else:
        assert effect in flat(after)


@pytest.mark.parametrize("settings,says", [
    (["replicaCount=one"], "replicaCount"),
    (["replicas=2"], "replicas"),
    (["image.pullPolicy=Sometimes"], "pullPolicy"),
    (["image.digest=sha256:12"], "digest"),
    (["image.registry=r/"], "registry"),
    (["logging.level=loud"], "level"),
    (["adapter.namespace=Not_A_Name"], "namespace"),
    (["resources.limit.cpu=1"], "limit"),
    (["strategy.type=Sometimes"], "strategy"),
    (["podDisruptionBudget.minAvailable=half"], "minAvailable"),
    (["livenessProbe.httpGet.path=/"], "httpGet"),
    (["prometheus.serviceMonitor.interval=often"], "interval"),
    (["prometheus.podMonitor.enabled=true"], "podMonitor"),
    (["networkPolicy.policyTypes={Egress}"], "policyTypes"),
    (["extraObjects[0].kind=ConfigMap"], "apiVersion"),
    (["hostAliases[0].ip=10.0.0.1"], "hostnames"),
    (["watchNamespaces={a}"], "watchNamespaces"),
    (["leaderElection.enabled=false"], "set replicaCount to 1"),
    (["prometheus.rules.enabled=true"], "set prometheus.serviceMonitor.enabled"),
])
def test_wrong_values_are_refused(helm, settings, says):
    done = helm("template", RELEASE, CHART, *OLDEST, *(a for s in settings for a in ("--set", s)))
    assert done.returncode != 0
    assert says in done.stderr


# ---- what the values mean


def test_two_replicas_survive_a_drain(render):
    objects = render()
    deployment, budget = only(objects, "Deployment"), only(objects, "PodDisruptionBudget")
    assert deployment["spec"]["replicas"] == 2
    assert "--leader-elect=true" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert budget["spec"]["maxUnavailable"] == 1 and "minAvailable" not in budget["spec"]


def test_a_budget_has_one_measure(render):
    spec = only(render("podDisruptionBudget.minAvailable=1"), "PodDisruptionBudget")["spec"]
    assert spec["minAvailable"] == 1 and "maxUnavailable" not in spec


def test_one_replica_never_blocks_a_drain(render):
    kinds = {o["kind"] for o in render("replicaCount=1", "podDisruptionBudget.minAvailable=1")}
    assert "Deployment" in kinds and "PodDisruptionBudget" not in kinds


def test_spread_is_about_the_operators(render):
    deployment = only(render(), "Deployment")
    (constraint,) = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"]
    assert constraint["labelSelector"] == deployment["spec"]["selector"]
    given = {**constraint, "labelSelector": {"matchLabels": {"team": "a"}}}
    deployment = only(render(topologySpreadConstraints=[given]), "Deployment")
    assert deployment["spec"]["template"]["spec"]["topologySpreadConstraints"] == [given]


def test_network_policy_lets_the_metrics_be_read(render):
    objects = render("networkPolicy.enabled=true")
    policy, pod = only(objects, "NetworkPolicy")["spec"], only(objects, "Deployment")["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress"], "egress cannot be limited without the user's rules"
    (rule,) = policy["ingress"]
    assert rule == {"ports": [{"port": pod["spec"]["containers"][0]["ports"][0]["name"], "protocol": "TCP"}]}


def test_own_priority_wins(render):
    pod = only(render("global.priorityClassName=a", "priorityClassName=b"), "Deployment")["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "b"


def test_a_default_can_be_taken_back(render):
    """OpenShift gives its own user: null takes ours away."""
    pod = only(render("podSecurityContext.runAsUser=null"), "Deployment")["spec"]["template"]["spec"]
    assert "runAsUser" not in pod["securityContext"] and pod["securityContext"]["runAsNonRoot"] is True


def test_every_value_is_taken_by_the_api_server(cluster, stack, crd, namespace, render):  # noqa: F811
    """Strict server-side dry run of a release for which everything is set that adds something."""
    values = {path: value for path, (value, _, effect) in EFFECTS.items() if not effect.startswith("!")}
    for path in ("serviceAccount.create", "leaderElection.enabled", "adapter.namespace", "priorityClassName"):
        del values[path]
    values.update({**RULES, **DASHBOARD, **NETWORK, "adapter.namespace": namespace})
    objects = render(hooks=True, **values)
    for o in objects:
        if o["metadata"].get("namespace") == SYSTEM:
            o["metadata"]["namespace"] = namespace
    done = cluster.kubectl(
        "-n", namespace, "apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts",
        "-f", "-", stdin=yaml.safe_dump_all(objects),
    )
    assert len(done.stdout.splitlines()) == len(objects)
    assert "Warning" not in done.stderr
    assert {"ServiceMonitor", "PrometheusRule", "NetworkPolicy", "PodDisruptionBudget", "Job"} <= {o["kind"] for o in objects}
