/* The headless Service that gives the pods' metrics port a name for the ServiceMonitor. */
#include "children/children.h"

static json_t *make(const struct workload *w)
{
	json_t *service = child_base(&child_service, w->spec);
	json_t *selector = json_deep_copy(w->match_labels);

	json_object_set_new(service, "spec",
		json_pack("{s:s, s:o, s:[{s:s, s:s, s:I, s:I}]}", "clusterIP", "None", "selector",
			selector != NULL ? selector : json_object(), "ports", "name", METRICS_PORT, "protocol", "TCP",
			"port", (json_int_t)w->port, "targetPort", (json_int_t)w->port));
	return service;
}

const struct child child_service = {
	.form = {.kind = KIND_SERVICE, .exact = "spec.selector", .mend_by_patch = true},
	.suffix = "-metrics",
	.for_pages = true,
	.make = make,
};
