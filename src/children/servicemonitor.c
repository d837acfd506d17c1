/* The ServiceMonitor that makes prometheus-operator scrape the pods through our Service. */
#include "children/children.h"

#include <string.h>

#include "base/memory.h"
#include "engine/custom.h"
#include "engine/kept.h"

/* Whether the endpoint is ready, as Prometheus' two ways to discover endpoints tell it: one of them is empty. */
#define ENDPOINT_READY "__meta_kubernetes_endpoint_ready", "__meta_kubernetes_endpointslice_endpoint_conditions_ready"

static json_t *target_relabelings(const struct workload *w)
{
	/* Not by what the pod says alone: Prometheus may know of a new endpoint before it knows that its pod
	 * is ready or runs, and looks again only when the endpoint changes. */
	json_t *relabelings = json_pack("[{s:s, s:[s, s, s], s:s}, {s:s, s:[s, s], s:s, s:s, s:s}]", "action", "drop",
		"sourceLabels", "__meta_kubernetes_pod_phase", ENDPOINT_READY, "regex", "Pending;(false;|;false)",
		"action", "replace", "sourceLabels", ENDPOINT_READY, "regex", "false;|;false", "targetLabel", "unready",
		"replacement", "true");

	/* Some targets have it, those at a port that the pod lists, and the page's own would move aside for it (custom.h). */
	if (strcmp(w->engine->type, CUSTOM_ENGINE) == 0) {
		json_array_append_new(relabelings,
			json_pack("{s:s, s:s}", "action", "labeldrop", "regex", "container"));
	}
	return relabelings;
}

static json_t *make(const struct workload *w)
{
	json_t *monitor = child_base(&child_servicemonitor, w->spec);
	json_t *labels = json_object_get(json_object_get(monitor, "metadata"), "labels");
	const char *key;
	json_t *value;

	/* Ours stay: we find it by them. */
	json_object_foreach((json_t *)w->monitor_labels, key, value) {
		if (json_object_get(labels, key) == NULL) {
			json_object_set(labels, key, value);
		}
	}
	/* A pod that is not ready is scraped too, and marked: while its model loads it must not count, but an engine
	 * that fails its readiness probe because it is overloaded must (engine/presets.c distinguishes the two). One
	 * that is pending, because its images or init containers load, has no page. */
	json_object_set_new(monitor, "spec",
		json_pack("{s:{s:{s:s}}, s:o*, s:[{s:s, s:s, s:s, s:s, s:o*, s:o, s:o}], s:I, s:I, s:s}", "selector",
			"matchLabels", LABEL_AUTOSCALER, w->spec->name, "namespaceSelector",
			strcmp(child_namespace(&child_servicemonitor, w->spec), w->spec->ns) != 0
				? json_pack("{s:[s]}", "matchNames", w->spec->ns)
				: NULL,
			"endpoints", "port", METRICS_PORT, "path", w->path, "scheme", w->scheme, "interval",
			w->spec->scrape_interval, "tlsConfig",
			/* A pod's certificate cannot name the address that Prometheus asks. */
			strcmp(w->scheme, "https") == 0 ? json_pack("{s:b}", "insecureSkipVerify", 1) : NULL,
			"relabelings", target_relabelings(w),
			/* What GPUs do, above all, is not these pods' to say. */
			"metricRelabelings", kept_relabelings(w->engine), "sampleLimit",
			(json_int_t)kept_samples_max(w->engine), "labelLimit", (json_int_t)KEPT_LABELS_MAX,
			"bodySizeLimit", KEPT_BODY_MAX));
	return monitor;
}

const struct child child_servicemonitor = {
	.form = {.kind = KIND_SERVICEMONITOR, .exact = "spec.selector"},
	.suffix = "",
	.for_pages = true,
	.make = make,
};
