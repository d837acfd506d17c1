"""The Helm chart: it renders, it holds our CRD, and its operator has just the rights it needs."""

import copy
import re
import uuid

import lupa
import pytest
import yaml
from conftest import CHART, CRD_FILE, OLDEST, POLICIES, RELEASE, REPO, SYSTEM, eventually, has_policies, only, smallest
from operator_fixtures import stack  # noqa: F401  (a fixture is found by its name)


def rules(objects):
    """Every rule of the roles that are bound: (kind, namespace, rule)."""
    bound = {o["roleRef"]["name"] for o in objects if o["kind"] in ("ClusterRoleBinding", "RoleBinding")}
    return [
        (o["kind"], o["metadata"].get("namespace"), rule)
        for o in objects if o["kind"] in ("ClusterRole", "Role") and o["metadata"]["name"] in bound
        for rule in o["rules"]
    ]


def test_lint(helm):
    done = helm("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout + done.stderr


def test_too_old_a_cluster_is_refused(helm):
    done = helm("template", RELEASE, CHART, "--kube-version", "1.28.9")
    assert done.returncode != 0
    assert "1.29.0" in done.stderr


def test_package_holds_the_crd(helm, tmp_path):
    """The CRD is a symbolic link in the tree, and must be a file in the package."""
    done = helm("package", CHART, "--destination", tmp_path)
    assert done.returncode == 0, done.stderr
    (package,) = tmp_path.glob("*.tgz")
    done = helm("template", RELEASE, package, *OLDEST)
    assert done.returncode == 0, done.stderr
    crd = only([d for d in yaml.safe_load_all(done.stdout) if d], "CustomResourceDefinition")
    assert crd["spec"] == yaml.safe_load(CRD_FILE.read_text())["spec"]


def test_crd_is_kept_by_default(render):
    crd = only(render(), "CustomResourceDefinition")
    assert crd["spec"] == yaml.safe_load(CRD_FILE.read_text())["spec"]
    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_crd_can_go_with_the_release(render):
    assert "annotations" not in only(render("crds.keep=false"), "CustomResourceDefinition")["metadata"]


def test_crd_can_be_left_out(render):
    assert "CustomResourceDefinition" not in {o["kind"] for o in render("crds.enabled=false")}


def test_operator_is_told_what_the_values_say(render):
    objects = render(
        "adapter.namespace=m", "adapter.deployment=d", "adapter.configMap=c", "adapter.configKey=k.yaml",
        "leaderElection.leaseName=l", "leaderElection.leaseDuration=60s", "leaderElection.renewDeadline=40s",
        "leaderElection.retryPeriod=5s", "logging.level=debug", "logging.format=text", "operatorClass=blue",
        "writeShared=false", "listenAddress=0.0.0.0",
        "extraArgs={--more}",
    )
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["args"] == [
        "run", "--listen", "0.0.0.0:8080", "--health-listen", "0.0.0.0:8081", "--operator-class", "blue",
        "--leave-shared",
        "--adapter-namespace", "m", "--adapter-deployment", "d", "--adapter-configmap", "c",
        "--adapter-config-key", "k.yaml", "--tenant-min-scrape-interval", "5s",
        "--metrics-service", f"{SYSTEM}/{RELEASE}:443", "--metrics-certificates", f"{RELEASE}-certificates",
        "--metrics-api-listen", "0.0.0.0:6443",
        "--leader-elect=true", "--lease-name", "l", "--lease-namespace", SYSTEM,
        "--lease-duration", "60s", "--lease-renew-deadline", "40s", "--lease-retry-period", "5s",
        "--log-level", "debug", "--log-format", "text", "--more",
    ]
    assert {e["name"] for e in container["env"]} == {"POD_NAME", "POD_NAMESPACE"}
    assert "--leader-elect=false" in yaml.safe_dump(render("leaderElection.enabled=false", "replicaCount=1"))


def test_image(render):
    def image(*settings):
        return only(render(*settings), "Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]

    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    digest = "sha256:" + "a" * 64
    assert image() == f"inference-autoscaler:{version}"
    assert image("image.repository=r/x", "image.tag=v1") == "r/x:v1"
    assert image("image.registry=r:5000", "image.repository=x", "image.tag=v1") == "r:5000/x:v1"
    assert image("image.repository=r/x", "image.tag=v1", f"image.digest={digest}") == f"r/x@{digest}"


def test_labels_of_pods_cannot_break_the_selector(render):
    deployment = only(render("podLabels.app\\.kubernetes\\.io/name=x", "podLabels.team=a"), "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels["team"] == "a"
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_service_finds_the_pods(render):
    objects = render()
    labels = only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    service = only(objects, "Service")
    assert service["spec"]["selector"].items() <= labels.items()
    metrics = {"name": "metrics", "port": 8080, "targetPort": "http"}
    assert service["spec"]["ports"] == [metrics, {"name": "metrics-api", "port": 443, "targetPort": "metrics-api"}]
    assert only(render("metricsServer.enabled=false"), "Service")["spec"]["ports"] == [metrics]


def test_the_service_of_the_arguments_leads_to_the_port_that_is_listened_on(render):
    objects = render("metricsServer.port=10250", "fullnameOverride=ias")
    service, certificates = only(objects, "Service"), only(objects, "ConfigMap")
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    args = dict(zip(container["args"][1::2], container["args"][2::2]))
    (port,) = [p for p in service["spec"]["ports"] if p["port"] == 443]
    assert args["--metrics-service"] == f"{SYSTEM}/{service['metadata']['name']}:443"
    assert args["--metrics-certificates"] == certificates["metadata"]["name"]
    assert args["--metrics-api-listen"] == "[::]:10250"
    assert {"name": port["targetPort"], "containerPort": 10250} in container["ports"]
    # An upgrade leaves what is in it, since the release says nothing of it.
    assert "data" not in certificates


def test_a_certificate_of_cert_manager_is_for_the_service_and_mounted(render):
    objects = render("metricsServer.certManager.issuerRef.name=ca", "fullnameOverride=ias")
    certificate, pod = only(objects, "Certificate"), only(objects, "Deployment")["spec"]["template"]["spec"]
    assert certificate["spec"]["dnsNames"] == [f"{only(objects, 'Service')['metadata']['name']}.{SYSTEM}.svc"]
    assert certificate["spec"]["issuerRef"] == {"name": "ca"}
    (volume,) = [v for v in pod["volumes"] if v.get("secret", {}).get("secretName") == certificate["spec"]["secretName"]]
    (container,) = pod["containers"]
    (mount,) = [m for m in container["volumeMounts"] if m["name"] == volume["name"]]
    args = dict(zip(container["args"], container["args"][1:]))
    assert args["--metrics-api-cert-file"] == f"{mount['mountPath']}/tls.crt" and mount["readOnly"]
    assert args["--metrics-api-key-file"] == f"{mount['mountPath']}/tls.key"
    for values in ((), ("metricsServer.certManager.issuerRef.name=ca", "metricsServer.enabled=false")):
        plain = render(*values)
        assert not [o for o in plain if o["kind"] == "Certificate"]
        assert "metrics-api-cert-file" not in str(plain) and "metrics-api/" not in str(plain)


def test_an_operator_that_does_not_serve_may_register_nothing(render):
    objects = render("metricsServer.enabled=false", hooks=True)
    for _, namespace, rule in rules(objects):
        assert namespace != "kube-system"
        if "apiservices" in rule["resources"]:
            assert set(rule["verbs"]) <= {"list", "watch"}, rule
    assert "certificates" not in yaml.safe_dump_all(o for o in objects if o["kind"] != "CustomResourceDefinition")
    assert not [o for o in objects if o["metadata"].get("annotations", {}).get("helm.sh/hook", "").startswith("pre-delete")]


def hooked(objects, hook):
    """Those that Helm makes at this time."""
    return [o for o in objects if hook in o["metadata"].get("annotations", {}).get("helm.sh/hook", "").split(",")]


def test_the_registration_goes_while_the_operator_is_there(render):
    """By a Job before the release goes, which needs nothing that is made later."""
    objects = render(hooks=True)
    first = hooked(objects, "pre-delete")
    job, server = only(first, "Job"), only(objects, "Deployment")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    args = server["spec"]["template"]["spec"]["containers"][0]["args"]
    at = args.index("--metrics-service")
    assert container["args"] == ["cleanup", "--yes", "--metrics-api-only", *args[at:at + 4]]
    account = job["spec"]["template"]["spec"]["serviceAccountName"]
    assert only(first, "ServiceAccount")["metadata"]["name"] == account
    granted = {(r, v, n) for _, _, rule in rules(first) for r in rule["resources"] for v in rule["verbs"]
               for n in rule.get("resourceNames", [""])}
    assert {("apiservices", "list", ""), ("configmaps", "delete", f"{RELEASE}-certificates"),
            *(("apiservices", "delete", f"{v}.custom.metrics.k8s.io") for v in ("v1beta1", "v1beta2"))} <= granted
    assert not [o for o in render("writeShared=false", hooks=True) if "helm.sh/hook" in o["metadata"].get("annotations", {})]


def test_cleanup_runs_as_the_operator_does(render):
    """It comes after the release, once, in bounded time, and takes nothing from autoscalers that stay."""
    objects = render("adapter.namespace=m", "image.tag=v1", "nodeSelector.disk=ssd", hooks=True)
    job, operator = only(hooked(objects, "post-delete"), "Job"), only(objects, "Deployment")
    pod, server = (o["spec"]["template"]["spec"] for o in (job, operator))
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-delete"
    assert job["spec"]["activeDeadlineSeconds"] <= 120
    assert pod["nodeSelector"] == server["nodeSelector"] and pod["securityContext"] == server["securityContext"]
    for field in ("image", "securityContext", "resources"):
        assert pod["containers"][0][field] == server["containers"][0][field]
    args = pod["containers"][0]["args"]
    assert args[:3] == ["cleanup", "--yes", "--if-unused"]
    assert args[3:] == server["containers"][0]["args"][5:7] == ["--adapter-namespace", "m"]
    labels = job["spec"]["template"]["metadata"]["labels"]
    assert not operator["spec"]["selector"]["matchLabels"].items() <= labels.items(), "the Service would find it"
    given = only(hooked(render("crds.keep=false", hooks=True), "post-delete"), "Job")
    assert "--if-unused" not in given["spec"]["template"]["spec"]["containers"][0]["args"]


def test_cleanup_may_no_more_than_the_operator(render):
    def granted(objects):
        return {
            (g, r, v, n)
            for o in objects if o["kind"] in ("ClusterRole", "Role") for rule in o["rules"]
            for g in rule["apiGroups"] for r in rule["resources"] for v in rule["verbs"]
            for n in rule.get("resourceNames", [""])
        }

    own = render("rbac.aggregate=false")
    cleanup = granted(render("rbac.aggregate=false", hooks=True)[len(own):])
    # The certificates' ConfigMap goes first: an operator that could delete it, or make it, would register anew.
    assert cleanup - granted(own) == {("", "configmaps", "delete", f"{RELEASE}-certificates")}


@pytest.fixture
def notes(helm, cluster, stack):  # noqa: F811
    """What helm says after an install with --set arguments."""

    def run(*settings):
        args = [a for s in settings for a in ("--set", s)]
        done = helm(
            "install", RELEASE, CHART, "--dry-run=client", "--take-ownership",
            "--kubeconfig", cluster.kubeconfig, "-n", SYSTEM, *args,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split("NOTES:\n", 1)[1]

    return run


def test_notes_say_what_to_do_next(notes):
    text = notes()
    assert f"kubectl -n {SYSTEM} rollout status deployment/{RELEASE}" in text
    assert "kind: InferenceAutoscaler" in text
    assert "prometheus.serviceMonitor.enabled" in text
    assert "kubectl delete ias -A --all" in text
    assert "\n\n\n" not in text


def test_notes_fit_the_values(notes):
    text = notes(
        "crds.enabled=false", "rbac.create=false", "prometheus.serviceMonitor.enabled=true", "adapter.namespace=m",
        "adapter.configMap=c", "networkPolicy.enabled=true", "networkPolicy.egress[0].ports[0].port=443",
    )
    for words in ("crds.enabled=false", "rbac.create=false", "ConfigMap m/c", "prometheus.serviceMonitor.labels",
                  "networkPolicy.egress", "inference-autoscaler cleanup"):
        assert words in text
    assert "crds.keep=false" in notes("crds.keep=false")
    assert "prometheus." not in notes("prometheus.serviceMonitor.enabled=true", "prometheus.serviceMonitor.labels.a=b")
    assert "\n\n\n" not in text


def reported(*conditions, generation=2):
    """A status of these conditions: (type, status, reason)."""
    words = [{"type": t, "status": s, "reason": r, "message": "why"} for t, s, r in conditions]
    return {"observedGeneration": generation, "conditions": words}


BROKEN, WORKS = ("Ready", "False", "Some"), ("Ready", "True", "Ready")
STALLED, RECONCILING = ("Stalled", "True", "Some"), ("Reconciling", "True", "Some")


@pytest.mark.parametrize("status,health", [
    (None, "Progressing"),
    ({}, "Progressing"),
    ({"observedGeneration": -1}, "Progressing"),
    (reported(), "Progressing"),
    (reported(("TargetFound", "False", "Some")), "Progressing"),
    (reported(WORKS, generation=1), "Progressing"),
    (reported(BROKEN, STALLED, generation=1), "Progressing"),
    (reported(("Ready", "Unknown", "Probing"), RECONCILING), "Progressing"),
    (reported(BROKEN, RECONCILING), "Progressing"),
    (reported(BROKEN, STALLED), "Degraded"),
    (reported(WORKS), "Healthy"),
    (reported(WORKS, ("Advice", "True", "RelistLong")), "Healthy"),
    (reported(("Ready", "True", "Paused")), "Suspended"),
], ids=str)
def test_health_for_argocd(status, health):
    lua = lupa.LuaRuntime()
    resource = {"metadata": {"generation": 2}} | ({} if status is None else {"status": status})
    lua.globals().obj = lua.table_from(resource, recursive=True)
    answer = lua.execute((CHART / "files" / "argocd-health.lua").read_text())
    assert answer["status"] == health
    assert answer["message"]


@pytest.mark.parametrize("args,there", [
    ([], False), (POLICIES, True), (["--kube-version", "1.30.0"], True),
    # As when helm asks a cluster that has them switched off.
    (["--kube-version", "1.30.0", "--api-versions", "v1/Pod"], False),
    ([*POLICIES, "--set", "admissionPolicies.enabled=false"], False),
])
def test_policies_are_there_where_the_api_server_has_them(helm, args, there):
    done = helm("template", RELEASE, CHART, *OLDEST, *args)
    assert done.returncode == 0, done.stderr
    assert ("kind: ValidatingAdmissionPolicy" in done.stdout) == there


def test_a_policy_is_bound_and_about_this_release_alone(render):
    """Each is in force by a binding of its name, and what is said of the operator is said of this one's ServiceAccounts."""
    objects = render(hooks=True)
    policies = [o for o in objects if o["kind"] == "ValidatingAdmissionPolicy"]
    bindings = [o for o in objects if o["kind"] == "ValidatingAdmissionPolicyBinding"]
    names = [o["metadata"]["name"] for o in policies]
    assert len(set(names)) == 7 and all(name.startswith(f"{SYSTEM}.{RELEASE}.") for name in names)
    assert [(o["metadata"]["name"], o["spec"]) for o in bindings] == [
        (name, {"policyName": name, "validationActions": ["Deny"]}) for name in names
    ]
    accounts = {o["metadata"]["name"] for o in objects if o["kind"] == "ServiceAccount"}
    assert len(accounts) == 2
    about = {name for policy in policies for condition in policy["spec"].get("matchConditions", ())
             for name in re.findall(f"'system:serviceaccount:{SYSTEM}:(.*?)'", condition["expression"])}
    assert about == accounts
    everybody = [o["metadata"]["name"] for o in policies if "matchConditions" not in o["spec"]]
    assert everybody == [f"{SYSTEM}.{RELEASE}.tenants"]


# ---- rights


def test_no_wildcard_and_no_secret(render):
    for _, _, rule in rules(render()):
        words = [w for key in ("apiGroups", "resources", "verbs") for w in rule[key]]
        assert not [w for w in words if "*" in w]
        assert not {"secrets", "pods/exec", "pods/log", "serviceaccounts/token", "clusterroles", "roles"} & set(words)
        assert not {"escalate", "bind", "impersonate", "deletecollection"} & set(words)
        assert "nonResourceURLs" not in rule


def test_writes_outside_are_by_name(render):
    """What is not a child of an autoscaler is written by its name only; creating cannot be limited so, nor can the
    adapter's ConfigMap, whose name may have a hash, unless the values name it."""
    ours = {"services", "servicemonitors", "horizontalpodautoscalers", "inferenceautoscalers/status",
            "inferenceautoscalers/finalizers"}
    named = rules(render("adapter.configMap=c"))
    (lifted,) = [one for one in rules(render()) if one not in named]
    assert lifted == ("Role", "monitoring", {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list", "watch", "patch"]})
    for _, _, rule in named:
        if set(rule["verbs"]) <= {"get", "list", "watch"} or set(rule["resources"]) <= ours:
            continue
        if set(rule["verbs"]) <= {"list", "watch", "create"} and rule["resources"] in (
                ["leases"], ["prometheusrules"], ["apiservices"]):
            continue
        if rule["verbs"] == ["create"] and rule["resources"] in (["tokenreviews"], ["subjectaccessreviews"]):
            continue  # questions: nothing is stored
        assert rule.get("resourceNames") or rule["resources"] == ["events"], rule


def test_who_leaves_what_is_shared_may_not_write_it(render):
    """Neither the adapter's objects, nor the rule of the GPUs; its own children still, and no cleanup comes after it."""
    for _, namespace, rule in rules(render("writeShared=false")):
        if namespace == "monitoring" or {"prometheusrules", "apiservices"} & set(rule["resources"]):
            assert set(rule["verbs"]) <= {"list", "watch"}, rule
    assert not [o for o in render("writeShared=false", hooks=True) if "cleanup" in o["metadata"]["name"]]


FEW = ("watchNamespaces={team-a,team-b}", "sharedNamespaces={prom,team-b}", "tenants.exporterNamespaces={gpus}")


def spread(found):
    """The rules as single grants."""
    return {
        (group, resource, verb, *rule.get("resourceNames", ()))
        for rule in found for group in rule["apiGroups"] for resource in rule["resources"] for verb in rule["verbs"]
    }


def test_of_some_namespaces_the_rights_are_roles_in_them(render):
    """Cluster-wide is what has no namespace; where autoscalers are served the operator may what it may everywhere else."""
    found = rules(render(*FEW))
    wide = [rule for kind, _, rule in found if kind == "ClusterRole"]
    assert {r for rule in wide for r in rule["resources"]} == {
        "namespaces", "apiservices", "tokenreviews", "subjectaccessreviews"}
    usual = spread(rule for kind, _, rule in rules(render()) if kind == "ClusterRole")
    for team in ("team-a", "team-b"):
        assert spread(wide) | spread(rule for _, namespace, rule in found if namespace == team) == usual
    assert spread(rule for _, namespace, rule in found if namespace == "default") == {
        ("events.k8s.io", "events", "create"), ("events.k8s.io", "events", "patch")}
    for place in ("prom", "gpus", "monitoring"):
        here = spread(rule for _, namespace, rule in found if namespace == place and "configmaps" not in rule["resources"])
        assert here and here - {("apps", "deployments", "patch", "prometheus-adapter")} < usual
        assert not {r for _, r, *_ in here} & {"inferenceautoscalers", "horizontalpodautoscalers", "statefulsets", "events"}
    assert {namespace for _, namespace, _ in found} == {
        None, "team-a", "team-b", "prom", "gpus", "monitoring", "default", SYSTEM}
    assert "default" not in {namespace for _, namespace, _ in rules(render(*FEW, "metricsServer.enabled=false"))}


def test_of_some_namespaces_operator_and_cleanup_are_told(render):
    objects = render(*FEW, hooks=True)
    after = [o for o in objects if o["kind"] == "Job" and o["metadata"]["annotations"]["helm.sh/hook"] == "post-delete"]
    for kind in ("Deployment", "Job"):
        args = only(objects if kind == "Deployment" else after, kind)["spec"]["template"]["spec"]["containers"][0]["args"]
        at = args.index("--watch-namespaces")
        assert args[at:at + 4] == ["--watch-namespaces", "team-a,team-b", "--shared-namespaces", "monitoring,prom,gpus"]
    cleanup = [o for o in objects if o["kind"] == "ClusterRole" and "cleanup" in o["metadata"]["name"]]
    assert {r for o in cleanup for rule in o["rules"] for r in rule["resources"]} == {"apiservices"}
    assert "--watch-namespaces" not in yaml.safe_dump(render("sharedNamespaces={prom}", hooks=True))


def test_all_namespaces_for_tenants_cannot_be_given_by_roles(helm):
    done = helm("template", RELEASE, CHART, *OLDEST, "--set", "watchNamespaces={a}", "--set", "tenants.monitorNamespaces={*}")
    assert done.returncode != 0 and "watchNamespaces" in done.stderr


def test_rights_cover_the_metrics_that_engines_have(render):
    """Each of the engines and of the GPU may be read, and no other."""
    tables = "".join(file.read_text() for file in (REPO / "src" / "engine").glob("*.c"))
    metrics = set(re.findall(r'\.metric = "(\w+)"', tables))
    assert metrics
    found = rules(render())
    granted = {r for _, _, rule in found if rule["apiGroups"] == ["custom.metrics.k8s.io"] for r in rule["resources"]}
    assert granted == {f"pods/{m}" for m in metrics}


def test_rights_can_be_left_to_others(render):
    kinds = {o["kind"] for o in render("rbac.create=false", "rbac.aggregate=false", "serviceAccount.create=false", hooks=True)}
    assert not kinds & {"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount"}


# (verb, group, resource, subresource, name, namespace): {ns} is any, {adapter} the adapter's, {system} the release's.
ALLOWED = [
    *(("", v, "inference-autoscaler.io", "inferenceautoscalers", "", "") for v in ("list", "watch")),
    ("{ns}", "patch", "inference-autoscaler.io", "inferenceautoscalers", "status", "gemma"),
    ("{ns}", "update", "inference-autoscaler.io", "inferenceautoscalers", "finalizers", "gemma"),
    *(
        ("{ns}", v, group, resource, "", "gemma")
        for group, resource in (
            ("", "services"), ("monitoring.coreos.com", "servicemonitors"), ("autoscaling", "horizontalpodautoscalers"),
        )
        for v in ("list", "watch", "create", "patch")
    ),
    ("{ns}", "delete", "autoscaling", "horizontalpodautoscalers", "", "gemma"),
    *(("{ns}", "delete", g, r, "", "gemma") for g, r in (("", "services"), ("monitoring.coreos.com", "servicemonitors"))),
    *(("", v, "monitoring.coreos.com", "prometheusrules", "", "") for v in ("list", "watch", "create")),
    *(("{ns}", v, "monitoring.coreos.com", "prometheusrules", "", "inference-autoscaler-gpu") for v in ("patch", "delete")),
    *(("{ns}", v, "events.k8s.io", "events", "", "") for v in ("create", "patch")),
    *(("", v, "apps", "daemonsets", "", "") for v in ("list", "watch")),
    *(("", v, "", "pods", "", "") for v in ("list", "watch")),
    *(("", "list", g, r, "", "") for g, r in (
        ("monitoring.coreos.com", "prometheuses"), ("monitoring.coreos.com", "prometheusagents"), ("apps", "deployments"),
        ("apps", "statefulsets"), ("", "namespaces"),
    )),
    *(("", v, "apiregistration.k8s.io", "apiservices", "", "") for v in ("list", "watch", "create")),
    *(("", v, "apiregistration.k8s.io", "apiservices", "", f"{version}.custom.metrics.k8s.io")
      for v in ("patch", "delete") for version in ("v1beta1", "v1beta2")),
    *(("{system}", v, "", "configmaps", "", f"{RELEASE}-certificates") for v in ("list", "watch", "patch")),
    *(("kube-system", v, "", "configmaps", "", "extension-apiserver-authentication") for v in ("list", "watch")),
    ("{ns}", "get", "leaderworkerset.x-k8s.io", "leaderworkersets", "scale", "gemma"),
    *(("", v, "keda.sh", "scaledobjects", "", "") for v in ("list", "watch")),
    *(("{ns}", "get", "custom.metrics.k8s.io", "pods", metric, "*") for metric in (
        "vllm_num_requests_running", "custom_num_requests_waiting",
    )),
    *(("{adapter}", v, "", "configmaps", "", "adapter-config-7b2c9f") for v in ("list", "watch", "patch")),
    *(("{adapter}", v, "apps", "deployments", "", "prometheus-adapter") for v in ("list", "watch", "patch")),
    ("{system}", "create", "coordination.k8s.io", "leases", "", ""),
    *(("{system}", v, "coordination.k8s.io", "leases", "", RELEASE) for v in ("get", "update")),
]
DENIED = [
    *(("{ns}", v, "", "secrets", "", "x") for v in ("get", "list", "watch")),
    *(("{system}", v, "", "secrets", "", "x") for v in ("get", "list")),
    *(("{ns}", v, "inference-autoscaler.io", "inferenceautoscalers", "", "gemma") for v in ("create", "patch", "update", "delete")),
    *(("{ns}", v, "apps", "deployments", "", "server") for v in ("patch", "update", "delete")),
    ("{ns}", "patch", "apps", "deployments", "scale", "server"),
    *(("{ns}", v, "", "configmaps", "", "x") for v in ("get", "list", "patch")),
    ("{adapter}", "get", "", "configmaps", "", "other"),
    ("{adapter}", "delete", "", "configmaps", "", "prometheus-adapter"),
    ("{adapter}", "patch", "apps", "deployments", "", "other"),
    ("{ns}", "create", "coordination.k8s.io", "leases", "", ""),
    ("{system}", "update", "coordination.k8s.io", "leases", "", "other"),
    *(("{ns}", v, "custom.metrics.k8s.io", "pods", "vllm_num_requests_running", "*") for v in ("list", "create", "delete")),
    ("{ns}", "get", "external.metrics.k8s.io", "vllm_num_requests_running", "", ""),
    ("{ns}", "create", "", "pods", "exec", "x"),
    *(("{ns}", v, "", "pods", "", "x") for v in ("get", "create", "patch", "delete")),
    *(("{ns}", v, "monitoring.coreos.com", "prometheusrules", "", "gemma") for v in ("patch", "delete")),
    *(("{ns}", v, "apps", "daemonsets", "", "dcgm") for v in ("create", "patch", "delete")),
    ("", "list", "apiextensions.k8s.io", "customresourcedefinitions", "", ""),
    ("", "get", "apiregistration.k8s.io", "apiservices", "", "v1beta1.custom.metrics.k8s.io"),
    *(("", v, "apiregistration.k8s.io", "apiservices", "", name) for v in ("patch", "delete")
      for name in ("v1beta1.metrics.k8s.io", "v1beta1.external.metrics.k8s.io")),
    *(("{system}", v, "", "configmaps", "", f"{RELEASE}-certificates") for v in ("create", "update", "delete")),
    ("{system}", "list", "", "configmaps", "", ""),
    ("kube-system", "list", "", "configmaps", "", ""),
]


@pytest.fixture(scope="module")
def installed(cluster, helm):
    """The chart's service account and roles on the API server: the places that ALLOWED and DENIED name."""
    suffix = uuid.uuid4().hex[:8]
    places = {"ns": f"ns-{suffix}", "adapter": f"adapter-{suffix}", "system": f"system-{suffix}"}
    for name in places.values():
        cluster.core.create_namespace({"metadata": {"name": name}})
    done = helm(
        "template", RELEASE, CHART, *OLDEST, "--no-hooks", "-n", places["system"],
        "--set", f"adapter.namespace={places['adapter']}",
    )
    assert done.returncode == 0, done.stderr
    objects = [d for d in yaml.safe_load_all(done.stdout) if d]
    wanted = ("ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
    objects = [o for o in objects if o["kind"] in wanted]
    cluster.apply(*objects)
    yield places
    cluster.kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=yaml.safe_dump_all(objects))
    for name in places.values():
        cluster.core.delete_namespace(name)


def may(cluster, places, access):
    namespace, verb, group, resource, subresource, name = access
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{places['system']}:{RELEASE}",
            "groups": ["system:serviceaccounts", "system:authenticated"],
            "resourceAttributes": {
                "namespace": namespace.format(**places), "verb": verb, "group": group, "resource": resource,
                "subresource": subresource, "name": name,
            },
        },
    }
    _, answer = cluster.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return answer["status"]["allowed"]


@pytest.mark.parametrize("access", ALLOWED, ids=" ".join)
def test_operator_may(cluster, installed, access):
    # The authorizer learns of a new role through a watch of its own.
    assert eventually(lambda: may(cluster, installed, access), timeout=5)


@pytest.mark.parametrize("access", DENIED, ids=" ".join)
def test_operator_may_not(cluster, installed, access):
    assert eventually(lambda: may(cluster, installed, ALLOWED[0]), timeout=5)
    assert not may(cluster, installed, access)


def person_may(cluster, role, verb, subresource=""):
    """Whether one with a built-in role may do it with InferenceAutoscalers."""
    review = {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": role, "resourceAttributes": {
            "namespace": "default", "verb": verb, "group": "inference-autoscaler.io", "resource": "inferenceautoscalers",
            "subresource": subresource,
        }},
    }
    return cluster.request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)[1]["status"]["allowed"]


@pytest.mark.parametrize("role,writes", [("view", False), ("edit", True), ("admin", True)])
def test_people_may_what_their_roles_say(cluster, installed, role, writes):
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": f"chart-test-{role}", "namespace": "default"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": f"a-{role}er"}],
    }
    cluster.apply(binding)
    person = f"a-{role}er"
    for verb in ("get", "list", "watch"):
        assert eventually(lambda: person_may(cluster, person, verb), timeout=10)
    for verb in ("create", "update", "patch", "delete", "deletecollection"):
        if writes:
            assert eventually(lambda: person_may(cluster, person, verb), timeout=10)
        else:
            assert not person_may(cluster, person, verb)
    assert not person_may(cluster, person, "patch", "status")


def test_the_role_edit_is_enough_alone(cluster, crd, installed):
    """Whoever has nothing but it applies with kubectl, which reads first, and sees the status."""
    role = f"{installed['system']}:{RELEASE}:edit"
    person, ns = "a-tenant", installed["ns"]
    cluster.apply({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "chart-test-alone", "namespace": ns},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": person}],
    })
    mine = yaml.safe_dump(smallest("alone", ns))

    def applied():
        done = cluster.kubectl("apply", "-f", "-", "--as", person, stdin=mine, check=False)
        assert done.returncode == 0, done.stderr
        return True

    eventually(applied, timeout=10)
    applied()  # the second one reads what is there, and patches
    for verb in (["get"], ["delete"]):
        done = cluster.kubectl(*verb, "inferenceautoscaler/alone", "-n", ns, "--as", person, check=False)
        assert done.returncode == 0, done.stderr


def test_metric_is_read_with_get(cluster, installed):
    """What an HPA-like query of all pods is to the authorizer: the verb get, the only one that the operator has."""
    path = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{installed['ns']}/pods/*/{{}}?labelSelector=app%3Dx"

    def ask(metric, account=RELEASE):
        user = f"system:serviceaccount:{installed['system']}:{account}"
        return cluster.kubectl("get", "--raw", path.format(metric), "--as", user, check=False).stderr

    for metric in ("vllm_num_requests_running", "custom_num_requests_waiting"):
        assert eventually(lambda m=metric: "forbidden" not in ask(m), timeout=5)
        assert "forbidden" in ask(metric, "another")


def test_pod_meets_restricted(cluster, installed, render):
    """A pod of the operator is taken by a namespace that enforces PodSecurity "restricted"; a laxer one is not."""
    namespace = installed["system"]
    cluster.core.patch_namespace(
        namespace, {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    )
    template = only(render(), "Deployment")["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "operator", **template["metadata"]}, "spec": template["spec"]}
    path, dry = f"/api/v1/namespaces/{namespace}/pods", [("dryRun", "All")]
    status, answer = cluster.request("POST", path, pod, dry)
    assert status == 201, answer["message"]
    lax = copy.deepcopy(pod)
    lax["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
    status, answer = cluster.request("POST", path, lax, dry)
    assert status == 403 and "PodSecurity" in answer["message"]


def test_api_server_takes_every_object(cluster, installed, render):
    """Strict server-side dry run of the whole release."""
    objects = render(f"adapter.namespace={installed['adapter']}")
    if not has_policies(cluster):  # helm leaves them out there, where it installs
        objects = [o for o in objects if not o["kind"].startswith("ValidatingAdmissionPolicy")]
    for o in objects:
        if "namespace" in o["metadata"] and o["metadata"]["namespace"] == SYSTEM:
            o["metadata"]["namespace"] = installed["system"]
    done = cluster.kubectl(
        "apply", "--server-side", "--dry-run=server", "--validate=strict", "--force-conflicts", "-f", "-",
        stdin=yaml.safe_dump_all(objects),
    )
    assert len(done.stdout.splitlines()) == len(objects)
    assert "Warning" not in done.stderr
