/* The ServiceMonitor that makes prometheus-operator scrape the pods through our Service. */
#include "children/child.h"

#include <string.h>

static json_t *make(const struct workload *w)
{
	json_t *monitor = child_base(&child_servicemonitor, w->spec);
	json_t *labels = json_object_get(json_object_get(monitor, "metadata"), "labels");
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)w->monitor_labels, key, value) {
		json_object_set(labels, key, value);
	}
	/* A running pod that is not ready yet reports 0 and drags the average down while its model
	 * loads: it is not scraped (the HPA then ignores it). */
	json_object_set_new(monitor, "spec",
		json_pack(
			"{s:{s:{s:s}}, s:o*, s:[{s:s, s:s, s:s, s:s, s:o*, s:[{s:s, s:[s, s], s:s}], s:[{s:s, s:[s], s:s}]}]}",
			"selector", "matchLabels", LABEL_AUTOSCALER, w->spec->name, "namespaceSelector",
			strcmp(child_namespace(&child_servicemonitor, w->spec), w->spec->ns) != 0
				? json_pack("{s:[s]}", "matchNames", w->spec->ns)
				: NULL,
			"endpoints", "port", METRICS_PORT, "path", w->path, "scheme", w->scheme, "interval",
			w->spec->scrape_interval, "tlsConfig",
			/* A pod's certificate cannot name the address that Prometheus asks. */
			strcmp(w->scheme, "https") == 0 ? json_pack("{s:b}", "insecureSkipVerify", 1) : NULL,
			/* Not by __meta_kubernetes_pod_ready: Prometheus may know of a new endpoint before it hears that its
			 * pod is ready, and looks again only when the endpoints or the pod's phase change. */
			"relabelings", "action", "keep", "sourceLabels", "__meta_kubernetes_endpoint_ready",
			"__meta_kubernetes_endpointslice_endpoint_conditions_ready", "regex", "true;|;true",
			/* What GPUs do is not these pods' to say, although the rule that records it would not believe them. */
			"metricRelabelings", "action", "drop", "sourceLabels", "__name__", "regex",
			"DCGM_.*|inference_autoscaler:.*"));
	return monitor;
}

const struct child child_servicemonitor = {
	.form = {.kind = KIND_SERVICEMONITOR, .exact = "spec.selector"},
	.suffix = "",
	.for_pages = true,
	.make = make,
};
