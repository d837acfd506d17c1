"""A release of the chart from its former version to its end, with the operator and the cleanup run as their pods say."""

import subprocess
import time
import uuid

import pytest
import yaml
from conftest import CHART, RELEASE, REPO, eventually, has_policies, install_crd, tool
from operator_fixtures import (  # noqa: F401  (fixtures are found by name)
    FOREIGN, OPERATOR, Autoscaler, Operator, address, deployment, engine_port, make_pod_ready, set_status, stack,
    write_kubeconfig,
)

# What `helm template inference-autoscaler … -n ia-upgrade --set adapter.namespace=ia-upgrade-adapter` said at 0.1.0.
FORMER = REPO / "test" / "integration" / "chart-0.1.0.yaml"
KINDS = "deployments,replicasets,services,serviceaccounts,leases,jobs,roles,rolebindings,poddisruptionbudgets"
GLOBAL_KINDS = "clusterroles,clusterrolebindings"
POLICIES = ",validatingadmissionpolicies,validatingadmissionpolicybindings"


class Release:
    """A Helm release in a namespace of its own, with an adapter in another and a server to scale in a third."""

    def __init__(self, cluster, folder):
        self.cluster, self.folder, self.helm_path = cluster, folder, tool("helm")
        self.namespace = f"release-{uuid.uuid4().hex[:8]}"
        self.adapter = f"{self.namespace}-adapter"
        self.shop = f"{self.namespace}-shop"

    def command(self, *args):
        return [self.helm_path, *map(str, args), "--kubeconfig", self.cluster.kubeconfig, "-n", self.namespace]

    def helm(self, *args):
        done = subprocess.run(self.command(*args), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def install(self, chart=CHART, *settings):
        # The CRD may be there already, from another test and without a release.
        args = [a for s in (f"adapter.namespace={self.adapter}", *settings) for a in ("--set", s)]
        self.helm("upgrade", "--install", RELEASE, chart, "--take-ownership", *args)

    def install_former(self):
        chart = self.folder / "former"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text(f"{{apiVersion: v2, name: {RELEASE}, version: 0.1.0, appVersion: 0.1.0}}")
        objects = FORMER.read_text().replace("ia-upgrade", self.namespace)
        assert "{{" not in objects
        (chart / "templates" / "all.yaml").write_text(objects)
        self.helm("install", RELEASE, chart, "--take-ownership")

    def objects(self):
        """Every object that comes and goes with the release: {(kind, namespace, name): uid}."""
        listed = []
        for namespace in (self.namespace, self.adapter):
            listed += self.listed("-n", namespace, KINDS)
        kinds = GLOBAL_KINDS + (POLICIES if has_policies(self.cluster) else "")
        listed += [o for o in self.listed(kinds) if o["metadata"]["name"].startswith(self.namespace)]
        return {
            (o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]): o["metadata"]["uid"] for o in listed
        }

    def listed(self, *args):
        return yaml.load(self.cluster.kubectl("get", *args, "-o", "yaml").stdout, Loader=yaml.CSafeLoader)["items"]

    def deployment(self):
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments/{RELEASE}"
        code, answer = self.cluster.request("GET", path)
        assert code == 200, answer
        return answer

    def rules(self):
        return self.cluster.core.read_namespaced_config_map("prometheus-adapter", self.adapter).data["config.yaml"]

    def registered(self):
        """The versions of the custom metrics API that lead to this release."""
        found = self.listed("apiservices")
        return sorted(o["spec"]["version"] for o in found if o["spec"].get("group") == "custom.metrics.k8s.io"
                      and (o["spec"].get("service") or {}).get("namespace") == self.namespace)

    def kubeconfig(self, pod):
        account = pod["serviceAccountName"]
        return write_kubeconfig(self.folder / account, self.cluster, self.namespace, account)

    def operator(self):
        """The operator as its Deployment runs it, leading; the caller stops it."""
        pod = self.deployment()["spec"]["template"]["spec"]
        command, listen, address, *args = pod["containers"][0]["args"]
        assert (command, listen) == ("run", "--listen")
        env = {"POD_NAME": "operator-0", "POD_NAMESPACE": self.namespace}
        running = Operator(self.kubeconfig(pod), self.folder / "operator.log", *args, env=env)
        eventually(running.synced, timeout=30)
        return running

    def uninstall(self, pod_runs=True):
        """Uninstalls, playing the kubelet to the cleanup's pods: helm's process, and what the cleanups said."""
        return self.with_jobs("uninstall", RELEASE, pod_runs=pod_runs)

    def with_jobs(self, *args, pod_runs=True):
        helm = subprocess.Popen(
            self.command(*args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        said = []
        try:
            while helm.poll() is None:
                for pod in self.cluster.core.list_namespaced_pod(self.namespace, label_selector="job-name").items:
                    if pod.status.phase == "Pending" and pod_runs:
                        said.append(self.run_pod(pod))
                time.sleep(0.1)
        finally:
            helm.kill()
        return helm.returncode, helm.stdout.read(), said

    def run_pod(self, pod):
        """Runs the one container of a pod here, and reports its end as the kubelet would."""
        args = pod.spec.containers[0].args
        kubeconfig = self.kubeconfig({"serviceAccountName": pod.spec.service_account_name})
        done = subprocess.run(
            [OPERATOR, *args, "--kubeconfig", kubeconfig], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=60,
        )
        phase = "Failed" if done.returncode else "Succeeded"
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod.metadata.name}"
        set_status(self.cluster, path, {"phase": phase})
        return done.stdout


def clear_metrics_api(cluster):
    """What an operator registered that is not there any more keeps every namespace from being deleted."""
    for version in ("v1beta1", "v1beta2"):
        path = f"/apis/apiregistration.k8s.io/v1/apiservices/{version}.custom.metrics.k8s.io"
        code, found = cluster.request("GET", path)
        if code == 200 and found["metadata"].get("labels", {}).get("app.kubernetes.io/managed-by") == RELEASE:
            cluster.request("DELETE", path)


@pytest.fixture
def release(cluster, crd, stack, engine_port, tmp_path):  # noqa: F811
    clear_metrics_api(cluster)
    made = Release(cluster, tmp_path)
    for name in (made.namespace, made.adapter, made.shop):
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        # Namespaces get this account a moment later; it is not the release's.
        eventually(lambda name=name: cluster.core.read_namespaced_service_account("default", name))
    cluster.apply(
        {
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "prometheus-adapter", "namespace": made.adapter}, "data": {"config.yaml": FOREIGN},
        },
        deployment("prometheus-adapter", made.adapter, {"app": "adapter"}, replicas=0),
        deployment("server", made.shop, {"app": "server"}, engine_port),
    )
    make_pod_ready(cluster, made.shop, ip=address())  # the chart's operator listens beyond this machine
    yield made
    subprocess.run(made.command("uninstall", RELEASE, "--no-hooks", "--ignore-not-found"), capture_output=True)
    cluster.custom.delete_collection_namespaced_custom_object(
        "inference-autoscaler.io", "v1alpha1", made.shop, "inferenceautoscalers"
    )
    clear_metrics_api(cluster)
    namespaces = (made.namespace, made.adapter, made.shop)
    cluster.kubectl("delete", "namespace", "--ignore-not-found", "--wait=false", *namespaces)
    install_crd(cluster, crd)


def scaled(release):
    """An autoscaler on the server whose children and rule are there; it, once the operator has stopped."""
    running = release.operator()
    try:
        autoscaler = Autoscaler(release.cluster, release.shop).create(source="Prometheus")
        autoscaler.waits_for_children()
        eventually(lambda: "vllm_num_requests_running" in release.rules(), timeout=20)
        eventually(lambda: autoscaler.condition("Ready"), timeout=20)
    finally:
        assert running.stop() == 0, running.log()
    # Of what another test leaves behind no Event can be told.
    refused = [line for line in running.log().splitlines() if "forbidden" in line.lower() and "being terminated" not in line]
    assert not refused, refused
    return autoscaler


def test_upgrade_from_the_former_version_keeps_everything(release):
    release.install_former()
    former, old = release.objects(), release.deployment()
    autoscaler = Autoscaler(release.cluster, release.shop).create()
    uid = autoscaler.get()["metadata"]["uid"]

    release.install()
    kept, new = release.objects(), release.deployment()
    assert {k: kept.get(k) for k in former if k[0] != "ReplicaSet"} == {
        k: v for k, v in former.items() if k[0] != "ReplicaSet"
    }, "an object was made anew or is gone"
    assert new["spec"]["selector"] == old["spec"]["selector"]
    assert (old["spec"]["replicas"], new["spec"]["replicas"]) == (1, 2)
    assert autoscaler.get()["metadata"]["uid"] == uid
    assert scaled(release).get()["metadata"]["uid"] == uid


def test_uninstall_leaves_the_cluster_as_it_was(release):
    before, rules = release.objects(), release.rules()
    release.install()
    scaled(release).delete()
    hpa = Autoscaler(release.cluster, release.shop).child_path("HorizontalPodAutoscaler")
    eventually(lambda: release.cluster.request("GET", hpa)[0] == 404, timeout=20)
    assert release.objects().items() > before.items()

    code, output, said = release.uninstall()
    assert code == 0, output
    assert len(said) == 2, said  # of the registration before the release goes, and of the rest after it

    def restored():
        # Pods and what they hang on go in the background; the adapter was restarted.
        after = {k: v for k, v in release.objects().items() if k[0] != "ReplicaSet"}
        assert after == {k: v for k, v in before.items() if k[0] != "ReplicaSet"}, after.keys() ^ before.keys()
        return True

    assert eventually(restored, timeout=10)
    assert release.rules() == rules == FOREIGN
    assert release.cluster.request("GET", "/apis/inference-autoscaler.io/v1alpha1/inferenceautoscalers")[0] == 200


def test_uninstall_leaves_autoscalers_scaling(release):
    release.install()
    autoscaler = scaled(release)
    rules = release.rules()
    hpa = autoscaler.child("HorizontalPodAutoscaler")["metadata"]["uid"]

    code, output, said = release.uninstall()
    assert code == 0, output
    assert len(said) == 2 and f"{release.shop}/gemma" in said[1], said
    assert release.rules() == rules
    assert autoscaler.child("HorizontalPodAutoscaler")["metadata"]["uid"] == hpa

    release.install()
    scaled(release)
    assert autoscaler.child("HorizontalPodAutoscaler")["metadata"]["uid"] == hpa, "the next release makes it anew"


def test_uninstall_is_complete_where_the_cleanup_cannot_be(release):
    """The adapter's namespace is gone already: the release goes all the same, and its hooks with it."""
    release.install()
    release.cluster.core.delete_namespace(release.adapter)

    def gone():
        return release.cluster.request("GET", f"/api/v1/namespaces/{release.adapter}")[0] == 404

    assert eventually(gone, timeout=30)
    code, output, said = release.uninstall()
    assert code != 0 and "uninstallation completed with 1 error" in output, output
    assert len(said) == 1, said  # of the registration
    assert [k for k in release.objects() if k[2].startswith((RELEASE, release.namespace))] == []


def test_an_upgrade_that_ends_serving_takes_the_registration_away_first(release):
    """A registered API that nobody serves would keep every namespace of the cluster from being deleted."""
    release.install()
    running = release.operator()
    try:
        eventually(lambda: release.registered() == ["v1beta1", "v1beta2"], timeout=20)
        code, output, said = release.with_jobs("upgrade", RELEASE, CHART, "--reuse-values", "--set",
                                               "metricsServer.enabled=false")
        assert code == 0, output
        assert len(said) == 1 and "v1beta1.custom.metrics.k8s.io" in said[0], said
        assert release.registered() == []
    finally:
        assert running.stop() == 0, running.log()
    code, output, said = release.uninstall()
    assert code == 0 and len(said) == 1, (output, said)
