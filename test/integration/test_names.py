"""The names of series on their way from an engine to Prometheus: whichever arrive, the rules find their values.

The client library and the Prometheus that asks agree on how names are written, so what arrives depends on the versions
of both. Real ones stand side by side here: each Prometheus scrapes the pages of each library.
"""

import json
import os
import re
import subprocess
import sys
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
import yaml
from chain_fixtures import (  # noqa: F401  (fixtures are found by name)
    Processes,
    answers,
    free_port,
    operator_kubeconfig,
    stack,
    target,
    working,
)
from conftest import REPO, eventually, oldest_prometheus, smallest, tool
from operator_fixtures import OPERATOR, explained, listening_port

# The last before names were negotiated, the first after it, and today's.
LIBRARIES = ["0.22.1", "0.23.1", "0.26.0"]

# What each engine's page has, as series and value, and what the signals then say.
PAGES = {
    "vllm": {
        'vllm:num_requests_running{engine="0",model_name="m"}': 5,
        'vllm:num_requests_waiting{engine="0",model_name="m"}': 2,
        'vllm:kv_cache_usage_perc{engine="0",model_name="m"}': 0.5,
        'vllm:unread{engine="0",model_name="m"}': 1,
    },
    # of Ray Serve, whose agent has no ':' left to negotiate about; and of one that has
    "ray": {
        "ray_vllm_num_requests_running": 5,
        "ray_vllm_num_requests_waiting": 2,
        "ray_vllm_kv_cache_usage_perc": 0.5,
    },
    "ray-colon": {
        "ray_vllm:num_requests_running": 5,
        "ray_vllm:num_requests_waiting": 2,
        "ray_vllm:kv_cache_usage_perc": 0.5,
    },
    "sglang": {
        'sglang:num_running_reqs{tp_rank="0"}': 7,
        'sglang:num_queue_reqs{tp_rank="0"}': 3,
        'sglang:num_decode_prealloc_queue_reqs{tp_rank="0"}': 4,
        'sglang:token_usage{tp_rank="0"}': 0.25,
    },
    "lmdeploy": {
        'lmdeploy:num_requests_running{engine="0"}': 3,
        'lmdeploy:num_requests_waiting{engine="0"}': 1,
        'lmdeploy:num_api_requests_waiting{engine="0"}': 6,
        'lmdeploy:gpu_cache_usage_perc{engine="0"}': 0.75,
    },
}
VLLM = {"Running": 5, "Waiting": 2, "InFlight": 7, "KVCache": 50}
SAYS = {
    ("VLLM", "vllm"): VLLM,
    ("VLLM", "ray"): VLLM,
    ("VLLM", "ray-colon"): VLLM,
    # since 2.0 it passes vLLM's names on
    ("NIM", "vllm"): VLLM,
    ("SGLang", "sglang"): {"Running": 7, "Waiting": 7, "InFlight": 14, "KVCache": 25},
    ("LMDeploy", "lmdeploy"): {"Running": 3, "Waiting": 7, "InFlight": 10, "KVCache": 75},
}
# What a job of each Prometheus is told; with the scheme "legacy" (spec.nameValidationScheme) 3 asks for escaped names.
JOBS = {
    "2.42": {"usual": {}},
    "3": {"usual": {}, "legacy": {"metric_name_validation_scheme": "legacy"}},
}
# What stands between vLLM's prefix and the rest of a name that has arrived, by library.
ARRIVES = {
    ("2.42", "usual"): {"0.22.1": ":", "0.23.1": "_", "0.26.0": "_"},
    ("3", "usual"): {"0.22.1": ":", "0.23.1": ":", "0.26.0": ":"},
    ("3", "legacy"): {"0.22.1": ":", "0.23.1": "_", "0.26.0": "_"},
}


def serve_by(version, pages):
    """A process that serves the pages by this version of prometheus_client, and their ports."""
    folder = subprocess.run([REPO / "hack" / "venv", f"prometheus_client=={version}"], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    program = Path(__file__).with_name("client_library.py")
    process = subprocess.Popen([sys.executable, program, json.dumps(pages)], env=os.environ | {"PYTHONPATH": folder},
                               stdout=subprocess.PIPE, text=True)
    return process, json.loads(process.stdout.readline())


def stop(process):
    process.terminate()
    process.wait(timeout=15)
    process.stdout.close()


@pytest.fixture(scope="module")
def pages():
    """{library: {page: port}}"""
    running = {version: serve_by(version, PAGES) for version in LIBRARIES}
    yield {version: ports for version, (_, ports) in running.items()}
    for process, _ in running.values():
        stop(process)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory):
    """{page: what a ServiceMonitor of the page's engine has prometheus-operator write into the scrape}"""
    made, file = {}, tmp_path_factory.mktemp("spec") / "spec.yaml"
    for engine, page in SAYS:
        file.write_text(yaml.safe_dump(smallest(engine={"type": engine})))
        run = subprocess.run([OPERATOR, "render", "-f", file], check=True, stdout=subprocess.PIPE, text=True)
        (spec,) = (o["spec"] for o in yaml.safe_load_all(run.stdout) if o["kind"] == "ServiceMonitor")
        made[engine, page] = {
            "metric_relabel_configs": [{snake(key): value for key, value in relabeling.items()}
                                       for relabeling in spec["endpoints"][0]["metricRelabelings"]],
            **{snake(limit): spec[limit] for limit in ("sampleLimit", "labelLimit", "bodySizeLimit")},
        }
    return made


def snake(name):
    return re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def named(engine, page):
    return f"{engine}-{page}"


def config_of(version, pages, monitored):
    """A pod is named by its engine and page; its namespace by the library that serves it and the job that asks."""
    return {"global": {"scrape_interval": "1s"}, "scrape_configs": [{
        "job_name": f"{job}-{named(engine, page)}", **settings, **made, "static_configs": [
            {"targets": [f"127.0.0.1:{ports[page]}"], "labels": {"namespace": f"{job}-{library}", "pod": named(engine, page)}}
            for library, ports in pages.items()
        ],
    } for job, settings in JOBS[version].items() for (engine, page), made in monitored.items()]}


@pytest.fixture(scope="module")
def prometheuses(pages, monitored, tmp_path_factory):
    """{version: URL}"""
    processes, urls = [], {}
    try:
        for version, program in (("2.42", oldest_prometheus("prometheus")), ("3", tool("prometheus"))):
            processes.append(Processes(tmp_path_factory.mktemp("prometheus")))
            folder, port = processes[-1].folder, free_port()
            (folder / "prometheus.yml").write_text(yaml.safe_dump(config_of(version, pages, monitored)))
            processes[-1].start(program, f"--config.file={folder / 'prometheus.yml'}",
                                f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address=127.0.0.1:{port}")
            urls[version] = f"http://127.0.0.1:{port}"
        for version, url in urls.items():
            eventually(lambda url=url: answers(url + "/-/ready"), timeout=30)
            targets = len(JOBS[version]) * len(LIBRARIES) * len(SAYS)
            eventually(lambda url=url, targets=targets: len(ask(url, "up == 1")) == targets, timeout=30)
        yield urls
    finally:
        for each in processes:
            each.stop()


def ask(url, query):
    """[(labels, value)]"""
    answer = json.load(urllib.request.urlopen(f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": query})))
    return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """{(engine, signal): the adapter's rule}"""
    found, folder = {}, tmp_path_factory.mktemp("spec")
    for (engine, _), says in SAYS.items():
        for signal in says:
            file = folder / f"{engine}-{signal}.yaml"
            file.write_text(yaml.safe_dump(smallest(engine={"type": engine}, requests={"signal": signal})))
            run = subprocess.run([OPERATOR, "render", "-f", file], check=True, stdout=subprocess.PIPE, text=True)
            config = next(o for o in yaml.safe_load_all(run.stdout) if o["kind"] == "ConfigMap")["data"]["config.yaml"]
            (found[engine, signal],) = yaml.safe_load(config)["rules"]
    return found


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("version, job", ARRIVES)
def test_a_value_is_found_under_whatever_name_it_arrives(prometheuses, rules, version, job, library):
    url, namespace = prometheuses[version], f"{job}-{library}"
    arrived = {labels["__name__"] for labels, _ in ask(url, f'{{namespace="{namespace}",pod="{named("VLLM", "vllm")}"}}')}
    assert f"vllm{ARRIVES[version, job][library]}num_requests_running" in arrived
    for (engine, page), says in SAYS.items():
        pod = named(engine, page)
        matchers = f'namespace="{namespace}",pod=~"{pod}"'
        for signal, value in says.items():
            rule = rules[engine, signal]
            query = rule["metricsQuery"].replace("<<.LabelMatchers>>", matchers).replace("<<.GroupBy>>", "pod")
            assert ask(url, query) == [({"pod": pod}, value)], (engine, signal, page)
            # the adapter lists the metric for the pods of the series that it finds by the rule's other query
            discovered = {(labels["namespace"], labels["pod"]) for labels, _ in ask(url, rule["seriesQuery"])}
            assert (namespace, pod) in discovered, (engine, signal)


@pytest.mark.parametrize("version, job", ARRIVES)
def test_of_a_page_nothing_else_arrives(prometheuses, version, job):
    """Prometheus' own series of the scrape do."""
    arrived = {labels["__name__"] for labels, _ in ask(prometheuses[version], f'{{namespace=~"{job}-.*",pod!=""}}')}
    own = {name for name in arrived if name == "up" or name.startswith("scrape_")}
    assert {"up", "scrape_samples_scraped"} <= own
    assert {re.sub("^(ray_)?(vllm|sglang|lmdeploy)[:_]", "", name) for name in arrived - own} == {
        re.sub("^(ray_)?(vllm|sglang|lmdeploy)[:_]|{.*", "", series) for page in PAGES.values() for series in page
        if "unread" not in series}


# ---- the whole chain, where the names that arrive are not those of the page that the operator reads


@pytest.fixture(scope="module")
def engine_port(pages):
    return pages[LIBRARIES[-1]]["vllm"]


@pytest.fixture(scope="module")
def prometheus_program():
    return oldest_prometheus("prometheus")


def test_a_chain_of_escaped_names_works(cluster, working):
    (said,) = explained(cluster, listening_port(working.operator.process.pid))["items"]
    (pod,) = said["values"][0]["pods"]
    assert (pod["page"], pod["prometheus"]) == ("5", "5")
    served = f"/apis/custom.metrics.k8s.io/v1beta1/namespaces/{working.namespace}/pods/*/vllm_num_requests_running"
    code, answer = cluster.request("GET", served)
    assert (code, [item["value"] for item in answer["items"]]) == (200, ["5"])


def test_the_hpa_scales_by_escaped_names(cluster, working):
    """Five requests run at a target of four, by the real HPA controller's own reading."""
    path = f"/apis/apps/v1/namespaces/{working.namespace}/deployments/server"
    working.patch({"maxReplicas": 2})
    eventually(lambda: cluster.request("GET", path)[1]["spec"]["replicas"] == 2, timeout=60)
    (metric,) = working.child("HorizontalPodAutoscaler")["status"]["currentMetrics"]
    assert metric["pods"]["metric"]["name"] == "vllm_num_requests_running"
