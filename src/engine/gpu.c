/* The GPU signal: its recording rule, what it exposes, and the exporters that feed it. */
#include "engine/gpu.h"

#include <stdbool.h>
#include <string.h>

#include "base/strbuf.h"

/*
 * Who holds the GPU. A scrape that keeps its own labels (honorLabels false) moves those of the page
 * aside, to exported_namespace and exported_pod; one that honours the page's has the workload in
 * namespace and pod, and so has a target without such labels of its own. Each label is therefore
 * taken from where it was moved to, or else from its own place.
 *
 * They are written to new labels, which a series has not yet: it was reduced to the labels that are
 * read here. Otherwise two series of a page that differ in such a label, or in the exporter's own
 * pod (it was restarted), would collide, and a collision fails the whole rule.
 *
 * A GPU that nobody holds carries no workload, so that pod is missing or the exporter's own. That
 * pod is the one that this very target's `up` has: a pod that merely is scraped as well stays.
 */
#define MOVED "exported_pod!=\"\"}"
#define PLAIN "exported_pod=\"\",pod!=\"\"}"
#define HELD_ONLY " unless on (job, instance, namespace, pod) up"

/* A selector up to its last '{', what stands in it, the range, and `targets`. */
static void add_held(struct strbuf *promql, const char *series, const char *range, const char *targets)
{
	strbuf_addf(promql,
		"        label_replace(label_replace(label_replace(label_replace(\n"
		"          max by (job, instance, namespace, pod, exported_namespace, exported_pod, UUID, GPU_I_ID) ((\n"
		"            %s" MOVED " and on (job, instance) %s\n"
		"            or %s" MOVED " and on (job, instance, exported_namespace)\n"
		"              label_replace(max by (job, instance, namespace) (up{namespace!=\"\"}),"
		" \"exported_namespace\", \"$1\", \"namespace\", \"(.+)\")\n"
		"            or %s" PLAIN HELD_ONLY " and on (job, instance) %s\n"
		"            or %s" PLAIN HELD_ONLY " and on (job, instance, namespace) up\n"
		"          )%s),\n"
		"          \"workload_namespace\", \"$1\", \"namespace\", \"(.+)\"),\n"
		"          \"workload_namespace\", \"$1\", \"exported_namespace\", \"(.+)\"),\n"
		"          \"workload_pod\", \"$1\", \"pod\", \"(.+)\"),\n"
		"          \"workload_pod\", \"$1\", \"exported_pod\", \"(.+)\")\n",
		series, targets, series, series, targets, series, range);
}

/* The end of two label_replace(): whose GPU it is becomes whose series it is. */
#define AS_WORKLOAD                                                                                                    \
	"    \"namespace\", \"$1\", \"workload_namespace\", \"(.+)\"),\n"                                              \
	"    \"pod\", \"$1\", \"workload_pod\", \"(.+)\")\n"

/* One GPU, or one MIG instance of it, however often it is scraped. */
#define PER_GPU "max by (workload_namespace, workload_pod, UUID, GPU_I_ID) (\n"

/* A namespace's name, which is also all that a regular expression takes as it is. */
static bool is_plain(const char *name)
{
	return name[0] != '\0' && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

char *gpu_targets(const json_t *namespaces)
{
	struct strbuf promql = STRBUF_INIT;
	size_t i;
	json_t *ns;

	strbuf_addstr(&promql, "up{namespace=~\"");
	json_array_foreach((json_t *)namespaces, i, ns) {
		if (is_plain(json_string_value(ns))) {
			strbuf_addf(&promql, "|%s", json_string_value(ns));
		}
	}
	strbuf_addstr(&promql, "\"}");
	return strbuf_take(&promql);
}

/*
 * The ranges drop NaN and what DCGM writes for "no value" (2^31 and above) or, wrongly, for a value
 * (NVIDIA/DCGM#199), before it can win a maximum; such a GPU then has no value rather than 0.
 *
 * GPU_UTIL does not exist for a MIG instance, and exporters have written 0 there
 * (NVIDIA/dcgm-exporter#216): it is not read where a GPU_I_ID says that this is one. The ratio
 * stands in wherever GPU_UTIL has no value. Rounding may carry a ratio a little over 1.
 */
char *gpu_record_expr(const char *targets)
{
	struct strbuf promql = STRBUF_INIT;

	strbuf_addstr(&promql, "avg by (namespace, pod) (\n  label_replace(label_replace(\n      " PER_GPU);
	add_held(&promql, "DCGM_FI_DEV_GPU_UTIL{GPU_I_ID=\"\",", " >= 0 <= 100", targets);
	strbuf_addstr(&promql, "      )\n      or 100 * clamp_max(" PER_GPU);
	add_held(&promql, "DCGM_FI_PROF_GR_ENGINE_ACTIVE{", " >= 0 <= 2", targets);
	strbuf_addstr(&promql, "      ), 1),\n" AS_WORKLOAD ")");
	return strbuf_take(&promql);
}

char *gpu_shared_expr(const char *targets)
{
	struct strbuf promql = STRBUF_INIT;

	strbuf_addstr(&promql, "count by (namespace, pod) (\n  label_replace(label_replace(\n");
	add_held(&promql, "{__name__=~\"DCGM_FI_DEV_GPU_UTIL|DCGM_FI_PROF_GR_ENGINE_ACTIVE\",vgpu!=\"\",", "", targets);
	strbuf_addstr(&promql, ",\n" AS_WORKLOAD ")");
	return strbuf_take(&promql);
}

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

/* GKE's; NVIDIA/gpu-operator's chart; the same operator on OpenShift. */
const char *const gpu_exporter_namespaces[] = {"gke-managed-system", "gpu-operator", "nvidia-gpu-operator", NULL};

bool gpu_is_exporters_namespace(const char *ns)
{
	for (size_t i = 0; gpu_exporter_namespaces[i] != NULL; i++) {
		if (strcmp(gpu_exporter_namespaces[i], ns) == 0) {
			return true;
		}
	}
	return false;
}
