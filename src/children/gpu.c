/* The shared objects behind the GPU signal. */
#include "children/gpu.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/gpu.h"
#include "engine/kept.h"

const struct child_form gpu_service_form = {.kind = KIND_SERVICE, .exact = "spec.selector", .mend_by_patch = true};
const struct child_form gpu_monitor_form = {.kind = KIND_SERVICEMONITOR, .exact = "spec.selector"};
const struct child_form gpu_rule_form = {.kind = KIND_PROMETHEUSRULE, .mend_by_patch = true};

static json_t *base(enum kind kind, const char *ns, const char *name, const json_t *labels)
{
	auto_free char *api_version = kube_api_version(&kinds[kind].resource);
	json_t *own = json_pack("{s:s, s:s}", LABEL_MANAGED_BY, MANAGED_BY, LABEL_SHARED, SHARED_GPU);

	json_object_update_missing(own, (json_t *)labels);
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:o}}", "apiVersion", api_version, "kind", kinds[kind].resource.kind,
		"metadata", "name", name, "namespace", ns, "labels", own);
}

json_t *gpu_service_make(const char *ns, const json_t *pod_labels, const char *container_port)
{
	json_t *service = base(KIND_SERVICE, ns, GPU_OBJECT_NAME, NULL);

	json_object_set_new(service, "spec",
		json_pack("{s:s, s:o, s:[{s:s, s:s, s:i, s:s}]}", "clusterIP", "None", "selector",
			json_deep_copy(pod_labels), "ports", "name", METRICS_PORT, "protocol", "TCP", "port", 9400,
			"targetPort", container_port));
	return service;
}

/* "a|b"; heap. */
static char *series_read(void)
{
	struct strbuf names = STRBUF_INIT;

	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		strbuf_addf(&names, "%s%s", i > 0 ? "|" : "", gpu_dcgm_series[i]);
	}
	return strbuf_take(&names);
}

/* A target has as many samples of each as GPUs and instances of them. */
static void add_limits(json_t *spec)
{
	json_t *endpoint = json_array_get(json_object_get(spec, "endpoints"), 0);
	auto_free char *names = series_read();

	json_object_set_new(endpoint, "metricRelabelings",
		json_pack("[{s:s, s:[s], s:s}]", "action", "keep", "sourceLabels", "__name__", "regex", names));
	json_object_set_new(spec, "sampleLimit", json_integer(2 * PAGE_SAMPLES_MAX));
	json_object_set_new(spec, "labelLimit", json_integer(KEPT_LABELS_MAX));
	json_object_set_new(spec, "bodySizeLimit", json_string(KEPT_BODY_MAX));
}

json_t *gpu_monitor_make(const char *ns, const struct object_meta *service, const char *port, const json_t *labels,
	const char *interval, bool local)
{
	auto_free char *name = xasprintf("%s.%s.%s", GPU_OBJECT_NAME, service->ns, service->name);
	json_t *monitor = base(KIND_SERVICEMONITOR, ns, name, labels);

	json_object_set_new(monitor, "spec",
		json_pack("{s:{s:o}, s:{s:[s]}, s:[{s:s, s:s, s:s}]}", "selector", "matchLabels",
			view_pairs_json(&service->labels), "namespaceSelector", "matchNames", service->ns, "endpoints",
			"port", port, "path", "/metrics", "interval", interval));
	if (local) {
		add_limits(json_object_get(monitor, "spec"));
	}
	return monitor;
}

/* "a,b"; heap, NULL when there is nothing. */
static char *joined(const json_t *texts)
{
	struct strbuf all = STRBUF_INIT;
	size_t i;
	json_t *text;

	json_array_foreach((json_t *)texts, i, text) {
		strbuf_addf(&all, "%s%s", i > 0 ? "," : "", json_string_value(text));
	}
	return json_array_size(texts) > 0 ? strbuf_take(&all) : NULL;
}

json_t *gpu_rule_make(const char *ns, const json_t *labels, const json_t *exporters, const json_t *namespaces)
{
	json_t *rule = base(KIND_PROMETHEUSRULE, ns, GPU_OBJECT_NAME, labels);
	auto_free char *targets = gpu_targets(namespaces);
	auto_free char *expr = gpu_record_expr(targets);
	auto_free char *known = joined(exporters);

	if (known != NULL) {
		json_object_set_new(json_object_get(rule, "metadata"), "annotations",
			json_pack("{s:s}", ANNOTATION_EXPORTERS, known));
	}
	json_object_set_new(rule, "spec",
		json_pack("{s:[{s:s, s:s, s:[{s:s, s:s}]}]}", "groups", "name", GPU_OBJECT_NAME, "interval", "15s",
			"rules", "record", GPU_RECORD, "expr", expr));
	return rule;
}
