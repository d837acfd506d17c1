"""The chart's values: each is described, checked, and does something that the API server takes."""

import json
import re

import pytest
import yaml
from conftest import CHART, OLDEST, RELEASE, SYSTEM, has_policies, only
from operator_fixtures import stack  # noqa: F401  (a fixture is found by its name)

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())

SECRET = [{"name": "pull"}]
PORT = {"ports": [{"port": 443}]}
URL = {"prometheus.url": "https://prometheus.example"}
FILE = {"name": "mine", "key": "of.it"}
PASSWORD = {"prometheus.auth.passwordSecret": {"name": "p"}, "prometheus.auth.username": "u"}
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
    "admissionPolicies.enabled": (False, {}, "!ValidatingAdmissionPolicy"),
    "scaleTargets": ([{"apiGroup": "x.example", "resource": "things"}], {}, "- things/scale\n"),
    "watchNamespaces": (["team-a"], {}, "namespace: team-a"),
    "sharedNamespaces": (["prom"], {"watchNamespaces": ["team-a"]}, "namespace: prom"),
    "operatorClass": ("blue", {}, "- --operator-class\n"),
    "writeShared": (False, {}, "- --leave-shared\n"),
    "tenants.monitorNamespaces": (["a", "b"], {}, "- a,b\n"),
    "tenants.exporterNamespaces": (["*"], {}, "- '*'\n"),
    "tenants.minScrapeInterval": ("1s", {}, "- 1s\n"),
    "monitorLabels": ({"release": "kps", "team": "a"}, {}, "- release=kps,team=a\n"),
    "metricsServer.enabled": (False, {}, "!ConfigMap"),
    "metricsServer.takeOver": (True, {}, "- --metrics-take-over\n"),
    "metricsServer.port": (10250, {}, "containerPort: 10250"),
    "metricsServer.certManager.issuerRef": ({"name": "ca", "kind": "ClusterIssuer"}, {}, "kind: ClusterIssuer"),
    "adapter.enabled": (False, {}, "kind: ClusterRole"),
    "adapter.namespace": ("metrics", {}, "namespace: metrics"),
    "adapter.deployment": ("pa", {}, "- pa\n"),
    "adapter.configMap": ("pa", {}, "- pa\n"),
    "adapter.configKey": ("rules.yaml", {}, "- rules.yaml\n"),
    "leaderElection.enabled": (False, {"replicaCount": 1}, "--leader-elect=false"),
    "leaderElection.leaseName": ("one", {}, "- one\n"),
    "leaderElection.leaseDuration": ("1m", {}, "- 1m\n"),
    "leaderElection.renewDeadline": ("12s", {}, "- 12s\n"),
    "leaderElection.retryPeriod": ("3s", {}, "- 3s\n"),
    "listenAddress": ("0.0.0.0", {}, "- 0.0.0.0:8080\n"),
    "logging.level": ("debug", {}, "- debug\n"),
    "logging.format": ("text", {}, "- text\n"),
    "metrics.needToken": (True, {}, "- --metrics-need-token\n"),
    "prometheus.url": ("https://p.example:9091/prom", {}, "- https://p.example:9091/prom\n"),
    "prometheus.headers": ({"X-Scope-OrgID": "a"}, URL, "- 'X-Scope-OrgID: a'\n"),
    "prometheus.tls.caSecret": (FILE, {}, "- --prometheus-ca-file\n"),
    "prometheus.tls.caConfigMap": (FILE, {}, "- --prometheus-ca-file\n"),
    "prometheus.tls.clientSecret": ("client", {}, "- --prometheus-client-tls-cert-file\n"),
    "prometheus.tls.serverName": ("prom.example", {}, "- prom.example\n"),
    "prometheus.tls.insecureSkipVerify": (True, {}, "- --prometheus-insecure-skip-verify\n"),
    "prometheus.auth.serviceAccountToken.enabled": (True, URL, "- --prometheus-token-file\n"),
    "prometheus.auth.serviceAccountToken.audience": (
        "prometheus", {**URL, "prometheus.auth.serviceAccountToken.enabled": True}, "audience: prometheus",
    ),
    "prometheus.auth.tokenSecret": (FILE, URL, "- --prometheus-token-file\n"),
    "prometheus.auth.username": ("somebody", {**URL, **PASSWORD}, "- somebody\n"),
    "prometheus.auth.passwordSecret": ({"name": "q"}, {**URL, **PASSWORD}, "name: q"),
    "prometheus.serviceMonitor.enabled": (True, {}, "kind: ServiceMonitor"),
    "prometheus.serviceMonitor.labels": ({"release": "p"}, MONITOR, "release: p"),
    "prometheus.serviceMonitor.interval": ("1m", MONITOR, "interval: 1m"),
    "prometheus.rules.enabled": (True, MONITOR, "kind: PrometheusRule"),
    "prometheus.rules.labels": ({"release": "p"}, RULES, "release: p"),
    "grafana.dashboard.enabled": (True, {}, "grafana_dashboard: '1'"),
    "grafana.dashboard.labels": ({"show": "yes"}, DASHBOARD, "show: 'yes'"),
    "grafana.dashboard.annotations": ({"grafana_folder": "x"}, DASHBOARD, "grafana_folder: x"),
    "networkPolicy.enabled": (True, {}, "kind: NetworkPolicy"),
    "networkPolicy.prometheusNamespaces": (["prom"], NETWORK, "kubernetes.io/metadata.name: prom"),
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
    before, after = (render(hooks=True, **{**needs, **more}) for more in ({}, {path: value}))
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
    (["tenants.monitorNamespaces={a,*}"], "monitorNamespaces"),
    (["tenants.exporterNamespaces=a"], "exporterNamespaces"),
    (["tenants.minScrapeInterval=often"], "minScrapeInterval"),
    (["monitorLabels.release=a b"], "monitorLabels"),
    (["operatorClass=Blue"], "operatorClass"),
    (["listenAddress=::"], "listenAddress"),
    (["metricsServer.port=443"], "port"),
    (["metricsServer.port=8081"], "port"),
    (["metricsServer.certManager.issuerRef.kind=Issuer"], "issuerRef"),
    (["leaderElection.leaseDuration=15"], "leaseDuration"),
    (["resources.limit.cpu=1"], "limit"),
    (["strategy.type=Sometimes"], "strategy"),
    (["podDisruptionBudget.minAvailable=half"], "minAvailable"),
    (["livenessProbe.httpGet.path=/"], "httpGet"),
    (["prometheus.serviceMonitor.interval=often"], "interval"),
    (["prometheus.podMonitor.enabled=true"], "podMonitor"),
    (["networkPolicy.policyTypes={Egress}"], "policyTypes"),
    (["networkPolicy.prometheusNamespaces={a,*}"], "prometheusNamespaces"),
    (["metrics.needToken=yes"], "needToken"),
    (["extraObjects[0].kind=ConfigMap"], "apiVersion"),
    (["hostAliases[0].ip=10.0.0.1"], "hostnames"),
    (["watchNamespaces={*}"], "watchNamespaces"),
    (["leaderElection.enabled=false"], "set replicaCount to 1"),
    (["prometheus.url=prometheus:9090"], "url"),
    (["prometheus.url=https://me:secret@prometheus"], "url"),
    (["prometheus.headers.X-Scope-OrgID=a"], "needs prometheus.url"),
    (["prometheus.tls.caSecret.key=ca.crt"], "caSecret"),
    (["prometheus.tls.caSecret.name=a", "prometheus.tls.caConfigMap.name=b"], "exclude each other"),
    (["prometheus.tls.caSecret.name=a", "prometheus.tls.insecureSkipVerify=true"], "insecureSkipVerify"),
    (["prometheus.auth.tokenSecret.name=a"], "prometheus.auth.tokenSecret needs prometheus.url"),
    (["prometheus.url=https://p", "prometheus.auth.username=a"], "username and prometheus.auth.passwordSecret need each"),
    (["prometheus.url=https://p", "prometheus.auth.passwordSecret.name=a"], "username and prometheus.auth.passwordSecret"),
    (["prometheus.url=https://p", "prometheus.auth.tokenSecret.name=a", "prometheus.auth.serviceAccountToken.enabled=true"],
     "prometheus.auth.serviceAccountToken and prometheus.auth.tokenSecret exclude each other"),
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


def test_network_policy_lets_prometheus_read_the_metrics(render):
    objects = render("networkPolicy.enabled=true")
    policy, pod = only(objects, "NetworkPolicy")["spec"], only(objects, "Deployment")["spec"]["template"]
    assert policy["podSelector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert policy["policyTypes"] == ["Ingress"], "egress cannot be limited without the user's rules"
    # A control plane is in no namespace: who may ask there is checked by its certificate.
    everybody, rule = policy["ingress"]
    assert everybody == {"ports": [{"port": "metrics-api", "protocol": "TCP"}]}
    assert rule == {
        "from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}],
        "ports": [{"port": pod["spec"]["containers"][0]["ports"][0]["name"], "protocol": "TCP"}],
    }


def test_a_network_policy_without_namespaces_lets_nobody_in(render):
    """An empty `from` would be everybody."""
    values = {"networkPolicy.prometheusNamespaces": [], "metricsServer.enabled": False}
    policy = only(render("networkPolicy.enabled=true", **values), "NetworkPolicy")
    assert policy["spec"]["policyTypes"] == ["Ingress"] and "ingress" not in policy["spec"]


def test_a_token_for_the_metrics_is_good_for_nothing_else(render):
    def made(*settings):
        return {(o["kind"], o["metadata"]["name"]): o for o in render(*settings)}

    on = ("prometheus.serviceMonitor.enabled=true",)
    before, after = made(*on), made(*on, "metrics.needToken=true")
    new = {key: after[key] for key in set(after) - set(before)}
    assert sorted(kind for kind, _ in new) == ["ClusterRole", "ClusterRoleBinding", "Secret", "ServiceAccount"]
    objects = list(new.values())
    (endpoint,) = only(after.values(), "ServiceMonitor")["spec"]["endpoints"]
    secret, account = only(objects, "Secret"), only(objects, "ServiceAccount")
    assert endpoint["authorization"]["credentials"] == {"name": secret["metadata"]["name"], "key": "token"}
    assert secret["metadata"]["annotations"]["kubernetes.io/service-account.name"] == account["metadata"]["name"]
    (subject,) = only(objects, "ClusterRoleBinding")["subjects"]
    assert subject["name"] == account["metadata"]["name"]
    assert only(objects, "ClusterRole")["rules"] == [{"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]


def test_own_priority_wins(render):
    pod = only(render("global.priorityClassName=a", "priorityClassName=b"), "Deployment")["spec"]["template"]["spec"]
    assert pod["priorityClassName"] == "b"


def test_a_default_can_be_taken_back(render):
    pod = only(render("podSecurityContext.seccompProfile=null"), "Deployment")["spec"]["template"]["spec"]
    assert pod["securityContext"] == {"runAsNonRoot": True}


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_no_user_or_group_is_fixed(render, kind):
    """OpenShift's restricted-v2 gives each namespace its own, and refuses a pod that wants another; elsewhere the image's
    is taken, which is not root."""
    for made in [o for o in render(hooks=True) if o["kind"] == kind]:
        runs_as_anybody(made["spec"]["template"]["spec"])


def runs_as_anybody(pod):
    for context in (pod["securityContext"], *(c["securityContext"] for c in pod["containers"])):
        assert not {"runAsUser", "runAsGroup", "fsGroup", "supplementalGroups", "seLinuxOptions"} & set(context)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = pod["containers"]
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_both_families_of_addresses_are_listened_on(render):
    _, args = operator_pod(render())
    assert args[args.index("--listen") + 1] == "[::]:8080"


def operator_pod(objects):
    """The operator's pod and its arguments."""
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    return pod, pod["containers"][0]["args"]


def mounted(pod):
    """Where each file of the Prometheus volume comes from: {path: (kind, name, key)}, None as name and key of a token."""
    (mount,) = pod["containers"][0]["volumeMounts"]
    (volume,) = pod["volumes"]
    assert mount["name"] == volume["name"] and mount["readOnly"] is True
    files = {}
    for source in volume["projected"]["sources"]:
        ((kind, what),) = source.items()
        for item in what.get("items", [{"key": None, "path": what.get("path")}]):
            files[f"{mount['mountPath']}/{item['path']}"] = (kind, what.get("name"), item["key"])
    return files


def option_files(args):
    """{option: file} of the options that name one."""
    return {a: args[i + 1] for i, a in enumerate(args) if a.startswith("--prometheus-") and a.endswith("-file")}


WAYS = {
    "thanos of OpenShift": (
        {"prometheus.auth.serviceAccountToken.enabled": True,
         "prometheus.tls.caConfigMap": {"name": "openshift-service-ca.crt", "key": "service-ca.crt"}},
        {"--prometheus-ca-file": ("configMap", "openshift-service-ca.crt", "service-ca.crt"),
         "--prometheus-token-file": ("serviceAccountToken", None, None)},
    ),
    "a token": (
        {"prometheus.auth.tokenSecret": {"name": "t"}}, {"--prometheus-token-file": ("secret", "t", "token")},
    ),
    "basic auth": (
        {"prometheus.auth.username": "u", "prometheus.auth.passwordSecret": {"name": "p", "key": "pw"},
         "prometheus.tls.caSecret": {"name": "c"}},
        {"--prometheus-ca-file": ("secret", "c", "ca.crt"), "--prometheus-password-file": ("secret", "p", "pw")},
    ),
    "a client certificate": (
        {"prometheus.tls.clientSecret": "c", "prometheus.tls.caSecret": {"name": "c"}},
        {"--prometheus-ca-file": ("secret", "c", "ca.crt"),
         "--prometheus-client-tls-cert-file": ("secret", "c", "tls.crt"),
         "--prometheus-client-tls-key-file": ("secret", "c", "tls.key")},
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_prometheus_mounts_the_files_it_names(render, way):
    values, wanted = WAYS[way]
    objects = render(hooks=True, **URL, **values)
    pod, args = operator_pod(objects)
    files = mounted(pod)
    assert {option: files[file] for option, file in option_files(args).items()} == wanted
    assert len(files) == len(wanted)
    # The files are the kubelet's to fetch, for the operator alone.
    roles = yaml.safe_dump_all(o for o in objects if o["kind"] in ("Role", "ClusterRole"))
    assert "secrets" not in roles
    assert not [o for o in objects if o["kind"] == "Job" and "volumes" in o["spec"]["template"]["spec"]]


def test_every_value_is_taken_by_the_api_server(cluster, stack, crd, namespace, render):  # noqa: F811
    """Strict server-side dry run of a release for which everything is set that adds something."""
    values = {path: value for path, (value, _, effect) in EFFECTS.items() if not effect.startswith("!")}
    for path in ("serviceAccount.create", "leaderElection.enabled", "adapter.namespace", "priorityClassName",
                 "prometheus.tls.caSecret", "prometheus.tls.insecureSkipVerify", "prometheus.auth.tokenSecret",
                 "prometheus.auth.username", "prometheus.auth.passwordSecret", "writeShared", "watchNamespaces", "sharedNamespaces"):
        del values[path]
    values.update({**RULES, **DASHBOARD, **NETWORK, "adapter.namespace": namespace})
    objects = render(hooks=True, **values)
    if not has_policies(cluster):
        objects = [o for o in objects if not o["kind"].startswith("ValidatingAdmissionPolicy")]
    objects = [o for o in objects if o["kind"] != "Certificate"]  # cert-manager is not there
    for o in objects:
        if o["metadata"].get("namespace") == SYSTEM or o["metadata"]["name"] == f"of-{RELEASE}":
            o["metadata"]["namespace"] = namespace
    done = cluster.kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts",
        "-f", "-", stdin=yaml.safe_dump_all(objects),
    )
    assert len(done.stdout.splitlines()) == len(objects)
    assert "Warning" not in done.stderr
    assert {"ServiceMonitor", "PrometheusRule", "NetworkPolicy", "PodDisruptionBudget", "Job"} <= {o["kind"] for o in objects}
