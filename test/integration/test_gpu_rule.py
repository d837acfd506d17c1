"""The recording rule of the GPU signal, put to promtool: what it records is what a pod's GPUs did.

A test writes what a DCGM exporter's page says and how Prometheus scrapes it, and reads the recorded series. The rule
is the PrometheusRule that the operator prints.
"""

import itertools
import json
import re
import subprocess

import pytest
import yaml
from conftest import smallest
from operator_fixtures import OPERATOR

RECORD = "inference_autoscaler:gpu_utilization:percent"
UTIL, RATIO = "DCGM_FI_DEV_GPU_UTIL", "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
SHARED = {"job": "dcgm-exporter", "instance": "10.0.0.9:9400"}
# A target as prometheus-operator discovers it through a Service: with the exporter's own pod.
EXPORTER = {**SHARED, "namespace": "monitoring", "pod": "dcgm-exporter-x7", "service": "dcgm-exporter",
            "endpoint": "metrics", "container": "exporter"}
BLANK_INT, BLANK_FLOAT = 2147483632, 140737488355328.0


@pytest.fixture(scope="module")
def groups():
    """spec.groups of the PrometheusRule, as the operator writes it."""
    spec = yaml.safe_dump(smallest(mode="GPU"))
    run = subprocess.run([OPERATOR, "render", "-f", "-"], input=spec, check=True, stdout=subprocess.PIPE, text=True)
    (rule,) = (o for o in yaml.safe_load_all(run.stdout) if o["kind"] == "PrometheusRule")
    return rule["spec"]["groups"]


@pytest.fixture
def recorded(promtool, groups, tmp_path):
    """Gives what the rule records of the series: {labels as a sorted tuple: value}."""
    (tmp_path / "rules.json").write_text(json.dumps({"groups": groups}))

    def run(series, at="2m"):
        test = {
            "interval": "15s",
            "input_series": [{"series": name, "values": values} for name, values in series],
            # nothing is expected, so that promtool says what it got
            "promql_expr_test": [{"expr": RECORD, "eval_time": at, "exp_samples": []}],
        }
        file = tmp_path / "test.json"
        file.write_text(json.dumps({"rule_files": ["rules.json"], "evaluation_interval": "15s", "tests": [test]}))
        done = subprocess.run([promtool, "test", "rules", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        if done.returncode == 0:
            return {}
        (got,) = re.findall(r"^ *got: (.*)$", done.stdout, re.M)
        samples = re.findall(r"\{(.*?)\} (\S+?)(?:, |$)", got)
        assert samples, done.stdout
        return {labels(text): float(value) for text, value in samples}

    return run


def labels(text):
    pairs = dict(re.findall(r'(\w+)="([^"]*)"', text))
    assert pairs.pop("__name__") == RECORD
    return tuple(sorted(pairs.items()))


def of(namespace, pod):
    """The labels that a record of this pod has: these and no others."""
    return (("namespace", namespace), ("pod", pod))


def gpu(value, uuid, holder=("shop", "a"), series=UTIL, **more):
    """A line of the exporter's page; nobody holds the GPU when holder is None."""
    index = uuid.removeprefix("GPU-")
    held = {"namespace": holder[0], "pod": holder[1], "container": "engine"} if holder else {}
    return series, {"gpu": index, "UUID": uuid, "device": f"nvidia{index}", "modelName": "NVIDIA H100 80GB HBM3",
                    "Hostname": "node-1", **held, **more}, value


def mig(value, uuid, instance, holder=("shop", "a"), series=RATIO):
    return gpu(value, uuid, holder, series, GPU_I_PROFILE="1g.10gb", GPU_I_ID=instance)


def scraped(page, target=EXPORTER, honor=False):
    """The series that Prometheus makes of a page: whose labels win is honorLabels, and `up` has the target's."""
    made = [(written("up", target), "1x40")]
    for name, own, value in page:
        if honor:
            merged = {**target, **own}
        else:
            merged = {**target, **{f"exported_{k}" if k in target and v else k: v for k, v in own.items()
                                   if v or k not in target}}
        made.append((written(name, merged), value if isinstance(value, str) else f"{value}x40"))
    return made


def written(name, own):
    return name + "{" + ",".join(f'{k}="{v}"' for k, v in own.items() if v) + "}"


def other_target(number):
    return {**EXPORTER, "job": f"other-{number}", "instance": f"10.0.1.{number}:9400", "pod": f"other-exporter-{number}"}


# ---- the rule itself


def test_the_rule_is_taken(promtool, groups, tmp_path):
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"groups": groups}))
    done = subprocess.run([promtool, "check", "rules", "--lint=all", "--lint-fatal", file], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [rule["record"] for group in groups for rule in group["rules"]] == [RECORD]


# ---- accuracy

SCRAPES = {
    "once": [False],
    "once, honorLabels": [True],
    "twice": [False, False],
    "twice, honorLabels": [True, True],
    "twice, one of each": [False, True],
}


@pytest.fixture(scope="module")
def table(request):
    rows = []
    yield rows
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print("\n\nGPUs per pod  scraped              pod   truth    recorded  error")
        for gpus, scrapes, pod, truth, value in rows:
            print(f"{gpus:12d}  {scrapes:20s} {pod:4s} {truth:7.3f}  {value:8.3f}  {abs(value - truth) / truth:6.3%}")


@pytest.mark.parametrize("scrapes", SCRAPES)
@pytest.mark.parametrize("gpus", [1, 2, 4])
def test_the_average_over_the_pods_gpus(recorded, table, gpus, scrapes):
    """Three pods on one node, an idle GPU between them; the truth is what the GPUs were made to say."""
    busy = {"a": [91, 13, 67, 100], "b": [1, 2, 4, 8], "c": [33, 34, 33, 33]}
    numbers = itertools.count()
    page = [gpu(value, f"GPU-{next(numbers)}", ("shop", pod)) for pod, values in busy.items()
            for value in values[:gpus]]
    page.append(gpu(77, "GPU-idle", None))
    series = []
    for number, honor in enumerate(SCRAPES[scrapes]):
        series += scraped(page, other_target(number), honor)

    got = recorded(series)

    truth = {of("shop", pod): sum(values[:gpus]) / gpus for pod, values in busy.items()}
    assert set(got) == set(truth)
    for pod, value in truth.items():
        table.append((gpus, scrapes, pod[1][1], value, got[pod]))
        assert abs(got[pod] - value) <= 0.005 * value


def test_a_gpu_that_only_one_of_two_exporters_sees_weighs_as_much(recorded):
    series = scraped([gpu(90, "GPU-0"), gpu(30, "GPU-1")]) + scraped([gpu(90, "GPU-0")], other_target(1))
    assert recorded(series) == {of("shop", "a"): 60}


def test_pods_of_one_name_in_two_namespaces(recorded):
    page = [gpu(10, "GPU-0", ("shop", "a")), gpu(90, "GPU-1", ("bank", "a"))]
    assert recorded(scraped(page)) == {of("shop", "a"): 10, of("bank", "a"): 90}


def test_two_containers_on_one_gpu_count_it_once(recorded):
    page = [gpu(40, "GPU-0"), gpu(40, "GPU-0", container="sidecar"), gpu(80, "GPU-1")]
    assert recorded(scraped(page)) == {of("shop", "a"): 60}


def test_pods_that_share_a_gpu_each_get_the_whole_of_it(recorded):
    page = [gpu(70, "GPU-0", ("shop", pod), vgpu=str(n)) for n, pod in enumerate("ab")]
    assert recorded(scraped(page)) == {of("shop", "a"): 70, of("shop", "b"): 70}


def test_zero_is_a_value(recorded):
    assert recorded(scraped([gpu(0, "GPU-0")])) == {of("shop", "a"): 0}


# ---- MIG


def test_mig_instances_of_one_gpu_are_told_apart(recorded):
    page = [mig(0.25, "GPU-0", "1"), mig(0.75, "GPU-0", "2"), mig(0.5, "GPU-0", "3", ("shop", "b"))]
    for honor in (False, True):
        assert recorded(scraped(page, honor=honor)) == {of("shop", "a"): 50, of("shop", "b"): 50}


def test_one_pod_on_mig_and_others_not(recorded):
    page = [mig(0.4, "GPU-0", "1"), gpu(90, "GPU-1", ("shop", "b"))]
    assert recorded(scraped(page)) == {of("shop", "a"): 40, of("shop", "b"): 90}


def test_zero_written_for_a_mig_instance_is_not_its_utilization(recorded):
    page = [mig(0, "GPU-0", "1", series=UTIL), mig(0.8, "GPU-0", "1"), mig(0, "GPU-0", "2", ("shop", "b"), UTIL)]
    assert recorded(scraped(page)) == {of("shop", "a"): 80}


def test_of_both_series_the_utilization_counts(recorded):
    page = [gpu(60, "GPU-0"), gpu(0.1, "GPU-0", series=RATIO), gpu(0.2, "GPU-1", series=RATIO)]
    assert recorded(scraped(page)) == {of("shop", "a"): 40}


def test_a_ratio_that_rounding_carried_over_1_is_100_percent(recorded):
    assert recorded(scraped([gpu(1.0001, "GPU-0", series=RATIO)])) == {of("shop", "a"): 100}


# ---- no value is no value


@pytest.mark.parametrize("blank", ["NaN", BLANK_INT, BLANK_FLOAT, 4294967295, -1])
def test_a_gpu_without_a_value_is_left_out(recorded, blank):
    values = f"{blank} " * 30
    alone = [gpu(values, "GPU-0"), gpu(values, "GPU-0", series=RATIO)]
    assert recorded(scraped(alone)) == {}
    beside = alone + [gpu(50, "GPU-1")]
    assert recorded(scraped(beside)) == {of("shop", "a"): 50}
    instead = [gpu(values, "GPU-0"), gpu(0.3, "GPU-0", series=RATIO)]
    assert recorded(scraped(instead)) == {of("shop", "a"): 30}


def test_a_blank_beside_a_value_of_the_same_gpu(recorded):
    """One exporter has lost the GPU, the other has not."""
    series = scraped([gpu(BLANK_INT, "GPU-0")]) + scraped([gpu(35, "GPU-0")], other_target(1))
    assert recorded(series) == {of("shop", "a"): 35}


def test_no_exporter_no_record(recorded):
    assert recorded(scraped([])) == {}


# ---- whose GPU it is

STATIC = {"job": "gpus", "instance": "node-1:9400"}
# as the Prometheus chart without an operator discovers endpoints: a namespace, but no pod
ENDPOINTS = {**STATIC, "namespace": "monitoring", "service": "dcgm-exporter", "node": "node-1"}
TARGETS = {"operator": EXPORTER, "static": STATIC, "endpoints": ENDPOINTS}


@pytest.mark.parametrize("honor", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_an_idle_gpu_is_nobodys(recorded, target, honor):
    """Old exporters write empty labels for it, new ones none."""
    page = [gpu(50, "GPU-0", None), gpu(50, "GPU-1", ("", "")), gpu(0.5, "GPU-2", None, RATIO)]
    assert recorded(scraped(page, TARGETS[target], honor)) == {}
    held = page + [gpu(20, "GPU-3")]
    assert recorded(scraped(held, TARGETS[target], honor)) == {of("shop", "a"): 20}


def test_one_target_honours_labels_and_another_has_none(recorded):
    series = scraped([gpu(30, "GPU-0")], honor=True) + scraped([gpu(30, "GPU-0")], STATIC)
    assert recorded(series) == {of("shop", "a"): 30}


def test_a_pod_that_is_scraped_itself_keeps_its_gpu(recorded):
    """Every workload has an `up` of its own, in one job with the exporter where a job finds pods by annotation."""
    for job in ("gemma-metrics", EXPORTER["job"]):
        workload = {"job": job, "instance": "10.0.0.5:8000", "namespace": "shop", "pod": "a"}
        series = scraped([gpu(30, "GPU-0")], honor=True) + scraped([], workload)
        assert recorded(series) == {of("shop", "a"): 30}


def test_a_gpu_that_goes_from_pod_to_pod(recorded):
    page = [gpu("80x3 stale", "GPU-0"), gpu("_x4 20x20", "GPU-0", ("shop", "b"))]
    assert recorded(scraped(page), "30s") == {of("shop", "a"): 80}
    assert recorded(scraped(page)) == {of("shop", "b"): 20}


# ---- an exporter that comes and goes


def test_a_gone_exporter_leaves_no_record(recorded):
    series = scraped([gpu("80x3 stale", "GPU-0")])
    assert recorded(series, "30s") == {of("shop", "a"): 80}
    assert recorded(series) == {}


@pytest.mark.parametrize("gone", ["80x3 stale", "80x3"])
def test_a_restarted_exporter_on_the_same_address(recorded, gone):
    """On the host's network only the pod's name changes, and without a staleness marker both are there for minutes."""
    again = {**EXPORTER, "pod": "dcgm-exporter-y8"}
    series = scraped([gpu(gone, "GPU-0"), gpu(gone, "GPU-1", None)])
    series += scraped([gpu("_x4 80x20", "GPU-0"), gpu("_x4 80x20", "GPU-1", None)], again)
    assert recorded(series) == {of("shop", "a"): 80}


# ---- whom the rule believes

# A pod of another namespace, as the operator's ServiceMonitor for its page has it scraped.
TENANT = {"job": "evil-metrics", "instance": "10.0.0.66:8000", "namespace": "a-tenant", "pod": "evil-0",
          "service": "evil-metrics", "endpoint": "ias-metrics", "container": "evil"}
REAL = [gpu(80, "GPU-0", ("shop", "a")), gpu(33, "GPU-1", ("bank", "b"))]
TRUTH = {of("shop", "a"): 80, of("bank", "b"): 33}


@pytest.mark.parametrize("honor", [False, True])
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("forged", {
    "GPUs of its own that idle": [gpu(0, f"GPU-x{n}", ("shop", "a")) for n in range(9)],
    "the same GPU, busy": [gpu(100, "GPU-0", ("shop", "a"))],
    "the other series": [gpu(1, f"GPU-x{n}", ("shop", "a"), RATIO) for n in range(9)],
    "a pod that has no GPU": [gpu(100, "GPU-x", ("shop", "idle"))],
    "the exporter's labels": [gpu(0, "GPU-x", ("shop", "a"), job=EXPORTER["job"], instance=EXPORTER["instance"])],
    "an up of the exporter's": [("up", {k: EXPORTER[k] for k in ("job", "instance", "namespace", "service")}, 1),
                                gpu(0, "GPU-x", ("shop", "a"))],
}.items(), ids=lambda item: item[0])
def test_a_page_of_a_tenant_moves_nobodys_value(recorded, forged, target, honor):
    series = scraped(REAL, TARGETS[target], honor) + scraped(forged[1], TENANT)
    assert recorded(series) == TRUTH


def test_a_tenants_service_and_job_of_the_exporters_name_move_nothing(recorded):
    """Both are names that a tenant may give, in its own namespace; so is the port."""
    named = {**TENANT, "job": EXPORTER["job"], "service": EXPORTER["service"], "instance": "10.0.0.66:9400"}
    series = scraped(REAL) + scraped([gpu(0, "GPU-x", ("shop", "a"))], named)
    assert recorded(series) == TRUTH


@pytest.mark.parametrize("target", [TENANT, EXPORTER], ids=["of a tenant", "of the exporter"])
@pytest.mark.parametrize("label", ["workload_pod", "workload_namespace", "vgpu", "container", "exported_workload_pod", "part"])
def test_no_labels_of_a_page_make_the_rule_fail(recorded, label, target):
    """Two series that differ in one label only; those of a pod that is not the page's are not believed."""
    page = [gpu(50, "GPU-x", ("shop", "c"), **{label: value}) for value in ("y", "z")]
    expected = TRUTH if target is TENANT else {**TRUTH, of("shop", "c"): 50}
    series = scraped(REAL + page) if target is EXPORTER else scraped(REAL) + scraped(page, TENANT)
    assert recorded(series) == expected


def test_no_up_of_a_page_makes_the_rule_fail(recorded):
    page = [("up", {label: value}, 1) for label in ("exported_namespace", "workload_namespace", "part") for value in "yz"]
    assert recorded(scraped(REAL) + scraped(page, TENANT)) == TRUTH


@pytest.mark.parametrize("honor", [False, True])
def test_a_tenants_own_exporter_speaks_of_its_own_pods(recorded, honor):
    page = [gpu(25, "GPU-5", ("a-tenant", "worker")), gpu(0, "GPU-6", ("shop", "a"))]
    assert recorded(scraped(REAL) + scraped(page, TENANT, honor)) == {**TRUTH, of("a-tenant", "worker"): 25}


@pytest.mark.parametrize("namespace", ["gpu-operator", "gke-managed-system", "nvidia-gpu-operator"])
def test_exporters_are_believed_where_they_usually_run(recorded, namespace):
    for honor in (False, True):
        assert recorded(scraped(REAL, {**EXPORTER, "namespace": namespace}, honor)) == TRUTH


# As NVIDIA's documents have it scraped, and a PodMonitor does.
@pytest.mark.parametrize("target", [
    {"job": "gpu-metrics", "instance": "10.0.0.9:9400", "kubernetes_node": "node-1"},
    {"job": "gpu-operator/dcgm", "instance": "10.0.0.9:9400", "namespace": "gpu-operator", "pod": "dcgm-x7",
     "container": "dcgm", "endpoint": "metrics"},
], ids=["scrape configuration", "PodMonitor"])
def test_any_way_to_scrape_the_exporter_is_believed(recorded, target):
    assert recorded(scraped(REAL, target) + scraped([gpu(0, "GPU-x")], TENANT)) == TRUTH


def rendered(*objects, options=()):
    """The recorded expression for these objects."""
    text = yaml.safe_dump_all(objects)
    run = subprocess.run([OPERATOR, "render", "-f", "-", *options], input=text, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True)
    assert run.returncode == 0, run.stderr
    (rule,) = (o for o in yaml.safe_load_all(run.stdout) if o["kind"] == "PrometheusRule")
    return rule["spec"]["groups"][0]["rules"][0]["expr"]


def service(namespace, labels, port):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dcgm", "namespace": namespace, "labels": labels},
            "spec": {"selector": {"a": "b"}, "ports": [{"name": port, "port": 9400}]}}


def test_render_binds_the_rule_to_the_exporter_of_the_files():
    spec = smallest(mode="GPU")
    assert 'up{namespace=~"|gke-managed-system|gpu-operator|monitoring|nvidia-gpu-operator"}' in rendered(spec)
    standalone = service("gpus", {"app.kubernetes.io/name": "dcgm-exporter"}, "metrics")
    assert 'up{namespace=~"|gpus"}' in rendered(spec, standalone)


def test_render_refuses_what_the_operator_would():
    spec = smallest(mode="GPU", gpu={"exporter": {"type": "Custom", "namespace": "gpus", "port": "web",
                                                  "selector": {"matchLabels": {"team": "gpu"}}}})
    run = subprocess.run([OPERATOR, "render", "-f", "-"], input=yaml.safe_dump(spec), capture_output=True, text=True)
    assert run.returncode == 1
    assert "spec.gpu.exporter.namespace 'gpus'" in run.stderr and "--tenant-exporter-namespaces" in run.stderr
    expr = rendered(spec, service("gpus", {"team": "gpu"}, "web"), options=["--tenant-exporter-namespaces", "x,gpus"])
    assert 'up{namespace=~"|gpus"}' in expr
