/* The recording rule of the GPU signal. */
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "reconcile/prometheus.h"
#include "survey.h"

/* Whether the rule reads and records what has its own namespace in a label alone: then the namespaces of the workloads are
 * lost, or the series are not found. */
static bool is_enforced(const struct survey *s, const char *prometheus, const char *ns)
{
	const char *label = view_prometheus_enforces(prometheus_by_key(s->world, prometheus), KIND_PROMETHEUSRULE, ns,
		GPU_OBJECT_NAME);

	return label != NULL && (strcmp(label, "namespace") == 0 || s->scraped_elsewhere);
}

void survey_rule(struct survey *s, const char *prometheus, const json_t *namespaces, struct rule_survey *row)
{
	struct monitoring place = {NULL, NULL, NULL};
	auto_json *exporters = json_sorted_keys(s->trusted);
	auto_free char *ns = NULL;
	const struct view *now = survey_our_object(s, KIND_PROMETHEUSRULE, GPU_OBJECT_NAME);

	if (!survey_place(s, &monitoring_rule, now, prometheus, &place)) {
		row->problem = xasprintf("the recording rule is selected by no Prometheus: %s", place.problem);
	} else {
		ns = survey_namespace_of(place.selected_by);
		survey_want(s, gpu_rule_make(ns, place.labels, exporters, namespaces));
		row->name = xasprintf("%s/%s", ns, GPU_OBJECT_NAME);
		row->selected_by = xstrdup(place.selected_by);
		row->since_ms = survey_since(s, KIND_PROMETHEUSRULE, ns, GPU_OBJECT_NAME);
		row->enforced = is_enforced(s, place.selected_by, ns);
	}
	monitoring_release(&place);
}
