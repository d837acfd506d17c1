/* The GPU signal: its recording rule, what it exposes, and the exporters that feed it. */
#include "engine/gpu.h"

/*
 * Who holds the GPU. A scrape that keeps its own labels (honorLabels false) moves those of the page
 * aside, to exported_namespace and exported_pod; one that honours the page's has the workload in
 * namespace and pod, and so has a target without such labels of its own. Each label is therefore
 * taken from where it was moved to, or else from its own place. They are written to new labels,
 * because two series that differ only in the exporter's own pod (it was restarted) would collide
 * otherwise, and a collision fails the whole rule.
 *
 * A GPU that nobody holds carries no workload, so that pod is missing or the exporter's own. That
 * pod is the one that this very target's `up` has: a pod that merely is scraped as well stays.
 */
#define HELD(series, match, range)                                                                                     \
	"        label_replace(label_replace(label_replace(label_replace(\n"                                           \
	"          (\n"                                                                                                \
	"            " series "{" match "exported_pod!=\"\"}\n"                                                        \
	"            or (" series "{" match "exported_pod=\"\",pod!=\"\"}"                                             \
	" unless on (job, instance, namespace, pod) up)\n"                                                             \
	"          ) " range ",\n"                                                                                     \
	"          \"workload_namespace\", \"$1\", \"namespace\", \"(.+)\"),\n"                                        \
	"          \"workload_namespace\", \"$1\", \"exported_namespace\", \"(.+)\"),\n"                               \
	"          \"workload_pod\", \"$1\", \"pod\", \"(.+)\"),\n"                                                    \
	"          \"workload_pod\", \"$1\", \"exported_pod\", \"(.+)\")\n"

/* The end of two label_replace(): whose GPU it is becomes whose series it is. */
#define AS_WORKLOAD                                                                                                    \
	"    \"namespace\", \"$1\", \"workload_namespace\", \"(.+)\"),\n"                                              \
	"    \"pod\", \"$1\", \"workload_pod\", \"(.+)\")\n"

/* One GPU, or one MIG instance of it, however often it is scraped. */
#define PER_GPU "max by (workload_namespace, workload_pod, UUID, GPU_I_ID) (\n"

/*
 * The ranges drop NaN and what DCGM writes for "no value" (2^31 and above) or, wrongly, for a value
 * (NVIDIA/DCGM#199), before it can win a maximum; such a GPU then has no value rather than 0.
 *
 * GPU_UTIL does not exist for a MIG instance, and exporters have written 0 there
 * (NVIDIA/dcgm-exporter#216): it is not read where a GPU_I_ID says that this is one. The ratio
 * stands in wherever GPU_UTIL has no value. Rounding may carry a ratio a little over 1.
 */
const char gpu_record_expr[] =
	"avg by (namespace, pod) (\n"
	"  label_replace(label_replace(\n"
	"      " PER_GPU HELD("DCGM_FI_DEV_GPU_UTIL", "GPU_I_ID=\"\",",
		">= 0 <= 100") "      )\n"
			       "      or 100 * clamp_max(" PER_GPU HELD("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "",
				       ">= 0 <= 2") "      ), 1),\n" AS_WORKLOAD ")";

const char gpu_shared_expr[] = "count by (namespace, pod) (\n"
			       "  label_replace(label_replace(\n" HELD("",
				       "__name__=~\"DCGM_FI_DEV_GPU_UTIL|DCGM_FI_PROF_GR_ENGINE_ACTIVE\",vgpu!=\"\",",
				       "") ",\n" AS_WORKLOAD ")";

const char *const gpu_dcgm_series[] = {
	"DCGM_FI_DEV_GPU_UTIL",
	"DCGM_FI_PROF_GR_ENGINE_ACTIVE",
	NULL,
};

const struct engine_signal gpu_utilization = {
	.name = "Utilization",
	.metric = "gpu_utilization_percent",
	.series = {GPU_RECORD},
	.series_query = "{__name__=~\"^" GPU_RECORD "$\",namespace!=\"\",pod!=\"\"}",
	.metrics_query = "max(" GPU_RECORD "{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
	.default_target_milli = 70000,
};

/* GKE's managed add-on; NVIDIA/gpu-operator assets/state-dcgm-exporter; the chart in
 * NVIDIA/dcgm-exporter deployment; the recipe in kubernetes/examples AI/vllm-deployment/hpa. */
const struct gpu_exporter gpu_exporters[] = {
	{"GKE", "gke-managed-system", "app.kubernetes.io/name", "gke-managed-dcgm-exporter", "metrics"},
	{"GPUOperator", NULL, "app", "nvidia-dcgm-exporter", "gpu-metrics"},
	{"Standalone", NULL, "app.kubernetes.io/name", "dcgm-exporter", "metrics"},
	{"Standalone", NULL, "app.kubernetes.io/name", "gpu-dcgm-exporter", "metrics"},
};

const size_t gpu_exporters_count = sizeof(gpu_exporters) / sizeof(gpu_exporters[0]);
