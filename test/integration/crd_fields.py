"""Every property of the InferenceAutoscaler's spec, with values that must be taken and values that must be refused.

A row is (path, valid values, [(invalid value, words of the refusal)], place); place makes the part of a spec that
holds the value, and is None where the path alone says it. test_crd.py tries them all, and fails when a property of
the schema is missing here.
"""

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "server"}
POLICY = {"type": "Pods", "value": 4, "periodSeconds": 15}
CUSTOM = {"type": "Custom", "namespace": "gpu", "selector": {"matchLabels": {"app": "dcgm"}}, "port": "metrics"}

# What the API server itself says.
TYPE = "must be of type"
SUPPORTED = "supported values"
AT_LEAST_0 = "greater than or equal to 0"
AT_LEAST_1 = "greater than or equal to 1"
# What our rules say.
PORT = "write a number from 1 to 65535"
TARGET_SAYS = "write a number, such as 4"
KEY = "label key: write letters, digits"
VALUE = "label value: write letters, digits"

INJECTION = 'x"}) or vector(1) # {{ . }}'


def nested(path):
    """Puts a value at a dotted path of the spec."""
    def put(value):
        for name in reversed(path.split(".")):
            value = {name: value}
        return value
    return put


def reference(name):
    return lambda value: {"scaleTargetRef": {**TARGET, name: value}}


def listed(name):
    return lambda value: {"requests": {"signals": [{"signal": "Waiting", name: value}]}}


FIGURE = {"name": "Running", "series": "depth"}
SIGNALS = ["Running", "Waiting", "InFlight", "KVCache"]


def custom(signals):
    """With the signals that are described, since no other can be asked for."""
    asked = [{"signal": name} for name in SIGNALS if name in [one["name"] for one in signals]]
    return {"engine": {"type": "Custom", "signals": signals}, **({"requests": {"signals": asked}} if asked else {})}


def figure(name):
    return lambda value: custom([{**FIGURE, name: value}])


def policy(direction, name):
    return lambda value: {"behavior": {direction: {"policies": [{**POLICY, name: value}]}}}


def exporter(name):
    return lambda value: {"gpu": {"exporter": {**CUSTOM, name: value}}}
TARGETS = [1, 4, "4", "2.5", "1500m", "1k", "1m", "0.001", "1M", "0.000000000001P", 1000000]
NO_TARGETS = [(bad, TARGET_SAYS) for bad in (
    0, -4, "0", "0m", "0.0", "", "four", "4 or 5", "-4", "1e3", "4.", ".5", "4.k", "4i", "4kM", "5000000n", "4\n", "0.0001",
    "0.5m", 1000001, "1.1M", "1G",
    "999999999999999999Gi", "1e20",
)] + [(2.5, "integer"), ("1" * 21, "20")]

LABELS = [{"release": "prometheus"}, {"example.com/team": "a", "empty": ""}, {"A.b_c-d": "A.b_c-d"}]
NO_LABELS = [
    ({"-bad": "x"}, KEY),
    ({"a/b/c": "x"}, KEY),
    ({"a.-b/c": "x"}, KEY),
    ({"a" * 254 + "/b": "x"}, KEY),
    ({INJECTION: "x"}, KEY),
    ({"release": "no spaces"}, VALUE),
    ({"release": INJECTION}, VALUE),
    ({"release": "x" * 64}, "63"),
    ({f"k{i}": "x" for i in range(17)}, "16"),
]


def direction(name):
    """The rows of the behavior, alike for scaleUp and scaleDown."""
    path = f"behavior.{name}"
    return [
        (f"{path}.stabilizationWindowSeconds", [0, 1, 3600], [(-1, AT_LEAST_0), (3601, "3600"), ("0s", TYPE)], None),
        (f"{path}.selectPolicy", ["Max", "Min", "Disabled"], [("Average", SUPPORTED), ("max", SUPPORTED)], None),
        (
            f"{path}.policies",
            [[POLICY], [POLICY, {**POLICY, "type": "Percent"}], [POLICY] * 16],
            [([], "at least 1"), ([POLICY] * 17, "16"), ([{"type": "Pods"}], "Required")],
            None,
        ),
        (f"{path}.policies[].type", ["Pods", "Percent"], [("Nodes", SUPPORTED), ("pods", SUPPORTED)],
         policy(name, "type")),
        (f"{path}.policies[].value", [1, 100, 2147483647], [(0, AT_LEAST_1), (-4, AT_LEAST_1)],
         policy(name, "value")),
        (f"{path}.policies[].periodSeconds", [1, 15, 1800], [(0, AT_LEAST_1), (1801, "1800")],
         policy(name, "periodSeconds")),
        (
            f"{path}.tolerance",
            [0, "0", "0.05", "50m", 1],
            [(-1, "write a fraction"), ("-0.1", "write a fraction"), ("5%", "write a fraction")],
            None,
        ),
    ]


FIELDS = [
    (
        "scaleTargetRef.apiVersion",
        ["apps/v1", "leaderworkerset.x-k8s.io/v1", "example.com/v1beta2"],
        [(bad, "such as apps/v1") for bad in ("", "v1", "apps", "apps/v1/x", "Apps/v1", INJECTION)]
        + [("a" * 251 + "/v1", "253")],
        reference("apiVersion"),
    ),
    (
        "scaleTargetRef.kind",
        ["Deployment", "StatefulSet", "LeaderWorkerSet"],
        [(bad, "such as Deployment") for bad in ("", "deployment", "Deploy/ment")] + [("D" * 64, "63")],
        reference("kind"),
    ),
    (
        "scaleTargetRef.name",
        ["a", "vllm-gemma", "gemma.v2", "9", "a" * 253],
        [(bad, "write the workload's metadata.name") for bad in ("", "Gemma", "a_b", "a-", "a..b", INJECTION)]
        + [("a" * 254, "253")],
        reference("name"),
    ),
    ("mode", ["Requests", "GPU", "Combined"], [("", SUPPORTED), ("requests", SUPPORTED)], None),
    (
        "minReplicas",
        [1, 2, 5],
        [(0, "write minReplicas: 1"), (-1, "write minReplicas: 1"), ("1", TYPE), (2147483648, "2147483647")],
        None,
    ),
    (
        "maxReplicas",
        [1, 100, 2147483647],
        [(0, "write maxReplicas: 1"), (-1, "write maxReplicas: 1"), (2147483648, "2147483647"), (1.5, TYPE)],
        None,
    ),
    (
        "engine.type",
        ["Auto", "VLLM", "SGLang", "TGI", "TensorRTLLM", "Triton", "LMDeploy", "NIM", "LlamaCpp"],
        [("vllm", SUPPORTED), ("", SUPPORTED), ("Custom", "write it with type: Custom")],
        None,
    ),
    (
        "engine.port",
        [1, 8000, 65535, "http", "metrics-2"],
        [(bad, PORT) for bad in (0, -1, 65536, "", "8000", "Http", "a--b", "-a")] + [("sixteen-long-abc", "15")],
        None,
    ),
    (
        "engine.signals",
        [[FIGURE], [FIGURE, {"name": "KVCache", "series": "fill"}], [{**FIGURE, "name": name} for name in SIGNALS]],
        [
            ([], "at least 1"), ([FIGURE, FIGURE], "Duplicate"), ([{"name": "Running"}], "Required"),
            ([{**FIGURE, "unit": "Ratio"}], "write Requests for Running"),
            ([{**FIGURE, "name": "KVCache", "unit": "Requests"}], "Ratio or Percent"),
        ],
        custom,
    ),
    ("engine.signals[].name", ["Running", "Waiting", "InFlight"], [("running", SUPPORTED), ("", SUPPORTED)], figure("name")),
    (
        "engine.signals[].series",
        ["depth", "ray_vllm_num_requests_running", "queue:depth", 'depth{queue="high",model=""}',
         'd{m="org/name-1.5:v2@x+y"}', "upper", "nodes_waiting", "kubernetes_queue", "ray_node_queue"],
        [(bad, "write letters, digits") for bad in (
            "", "9a", "a b", "a{}", "a{", 'a{b="c"', 'a{b=c}', 'a{b="c"} or b', 'a{pod="x"}', 'a{b="c",namespace="x"}',
            'a{__name__="b"}', 'a{b=~"c"}', 'a{b="}"}', 'a{b="{{.}}"}', 'a{b="<<.X>>"}', "a\n", "sum(a)", INJECTION,
            # what would mean something in a relabeling
            'a{b="c\\"d"}', 'a{b="c;d"}', 'a{b="(c|d)"}', 'a{b="c*"}', 'a{b="$1"}', 'a{b="^c"}', 'a{b="[c]"}', "a.*", "a|b",
            "a'b", 'a{b="c\'d"}', 'a{b="$(POD_NAME)"}')]
        + [(bad, "a name of the platform's") for bad in (
            "up", 'up{a="b"}', "ALERTS", "ALERTS_FOR_STATE", "scrape_duration_seconds", "kube_pod_info", "kubelet_running_pods",
            "node_load1", "node:cpu:sum", "container_memory_rss", "apiserver_request_total", "DCGM_FI_DEV_GPU_UTIL",
            "inference_autoscaler:gpu_utilization:percent")]
        + [("a" * 256, "255"), ("a" * 10000, "255"), ('a{b="' + "c" * 10000 + '"}', "255")],
        figure("series"),
    ),
    ("engine.signals[].over", ["Sum", "Max"], [("sum", SUPPORTED), ("Avg", SUPPORTED)], figure("over")),
    ("engine.signals[].unit", ["Ratio", "Percent", "Ratio"], [("Requests", "Ratio or Percent"), ("ratio", SUPPORTED)],
     lambda value: custom([{"name": "KVCache", "series": "fill", "unit": value}])),
    (
        "engine.path",
        ["/", "/metrics", "/v1/metrics/", "/prometheus/metrics", "/a.b_c~d-e", "/.well-known/metrics", "/..a", "/..."],
        [(bad, "such as /metrics") for bad in ("", "metrics", "/a b", "/a\r\nX: y", "//a", "/m?x=1", "/%2e", "/{{.}}",
                                              "/..", "/.", "/../../x", "/a/../b", "/a/./b", "/a/..", "/a/../")]
        + [("/" + "a" * 255, "255")],
        None,
    ),
    ("engine.scheme", ["http", "https"], [("HTTP", SUPPORTED), ("ftp", SUPPORTED)], None),
    (
        "requests.signal",
        SIGNALS,
        [("running", SUPPORTED), ("", SUPPORTED)],
        None,
    ),
    ("requests.target", TARGETS, NO_TARGETS, None),
    (
        "requests.signals",
        [
            [{"signal": "Running", "target": 4}],
            [{"signal": "Waiting"}, {"signal": "KVCache", "target": "80"}],
            [{"signal": name} for name in SIGNALS],
        ],
        [
            ([], "at least 1"),
            ([{"signal": "Running"}, {"signal": "Running"}], "Duplicate"),
            ([{"signal": name} for name in (*SIGNALS, "Running")], "4"),
            ([{"target": 4}], "Required"),
            ([{"signal": "KVCache", "target": 101}], "write a number up to 100"),
        ],
        None,
    ),
    ("requests.signals[].signal", SIGNALS, [("running", SUPPORTED), ("", SUPPORTED)], listed("signal")),
    ("requests.signals[].target", TARGETS, NO_TARGETS, listed("target")),
    ("gpu.signal", ["Utilization"], [("Memory", SUPPORTED), ("", SUPPORTED)], None),
    ("gpu.target", [1, 70, 100], [(0, AT_LEAST_1), (101, "100"), ("70", TYPE)], None),
    (
        "gpu.exporter.type",
        ["Auto", "GKE", "GPUOperator", "Standalone"],
        [("auto", SUPPORTED), ("AKS", SUPPORTED), ("Custom", "write all three")],
        None,
    ),
    (
        "gpu.exporter.namespace",
        ["a", "gpu-operator", "9"],
        [(bad, "write lower-case letters") for bad in ("", "A", "a.b", INJECTION)] + [("a" * 64, "63")],
        exporter("namespace"),
    ),
    (
        "gpu.exporter.selector.matchLabels",
        LABELS,
        [({}, "at least 1"), *NO_LABELS],
        lambda value: exporter("selector")({"matchLabels": value}),
    ),
    (
        "gpu.exporter.port",
        ["metrics", "gpu-metrics", "p9400"],
        [(bad, "at most 15") for bad in ("", "9400", "Metrics", "-m")] + [("a" * 16, "15")],
        exporter("port"),
    ),
    (
        "scrapeInterval",
        ["1s", "15s", "1m", "1m30s", "1500ms", "2m"],
        [(bad, "write one such as 15s") for bad in ("", "15", "0s", "999ms", "2m1s", "-15s", "1h", "15s\n", "1.5s")]
        + [(15, TYPE), ("9" * 20 + "s", "20")],
        None,
    ),
    *direction("scaleUp"),
    *direction("scaleDown"),
    (
        "operatorClass",
        ["a", "blue-team", "9"],
        [(bad, "write lower-case letters") for bad in ("", "A", "a.b", INJECTION)] + [("a" * 64, "63"), (1, TYPE)],
        None,
    ),
    (
        "fallback.replicas",
        [1, 3, 5],
        [(0, AT_LEAST_1), ("3", TYPE), (6, "lower it or raise maxReplicas")],
        None,
    ),
    (
        "fallback.after",
        ["30s", "3m", "1m30s", "1h", "59m60s"],
        [(bad, "write one such as 3m") for bad in ("", "3", "29s", "1h1s", "-3m", "3m\n", "1.5m", "90000ms")] + [(180, TYPE)],
        lambda value: {"fallback": {"replicas": 3, "after": value}},
    ),
    ("source", ["Auto", "Prometheus", "Direct"], [("direct", SUPPORTED), ("KEDA", SUPPORTED)], None),
    ("paused", [True, False], [("true", TYPE), ("no", TYPE)], None),
    (
        "monitor.labels",
        [{}, *LABELS],
        NO_LABELS + [
            ({"app.kubernetes.io/managed-by": "me"}, "remove app.kubernetes.io/managed-by"),
            ({"inference-autoscaler.io/autoscaler": "x"}, "starts with inference-autoscaler.io/"),
        ],
        None,
    ),
    (
        "monitor.namespace",
        ["a", "monitoring", "9"],
        [(bad, "write lower-case letters") for bad in ("", "M", "a.b", INJECTION)] + [("a" * 64, "63")],
        None,
    ),
]
PLACES = {path: place or nested(path) for path, _, _, place in FIELDS}
