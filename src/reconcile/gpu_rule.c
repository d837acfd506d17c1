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
	const struct view_prometheus *by = prometheus_by_key(s->world, prometheus);
	const char *label = view_prometheus_enforces(by, KIND_PROMETHEUSRULE, ns, GPU_OBJECT_NAME);

	return label != NULL && (strcmp(label, "namespace") == 0 || s->scraped_elsewhere);
}

/* A namespace of the platform's with an exporter whose series the rule reads; borrowed, NULL when there is none. */
static const char *exporter_namespace(const struct survey *s, const json_t *namespaces)
{
	size_t i;
	json_t *ns;

	json_array_foreach((json_t *)(uintptr_t)namespaces, i, ns) {
		if (survey_is_platforms(s, json_string_value(ns))) {
			return json_string_value(ns);
		}
	}
	return NULL;
}

void survey_rule(struct survey *s, const char *prometheus, const json_t *namespaces, struct rule_survey *row)
{
	auto_survey_place place = {.ns = NULL};
	auto_json *exporters = json_sorted_keys(s->trusted);
	const struct survey_placed placed = {.kind = &monitoring_rule,
		.now = survey_our_object(s, KIND_PROMETHEUSRULE, GPU_OBJECT_NAME),
		.only = prometheus,
		.exporter_ns = exporter_namespace(s, namespaces)};

	if (!survey_place(s, &placed, &place)) {
		row->problem =
			xasprintf("the recording rule is selected by no Prometheus: %s", place.monitoring.problem);
	}
	if (place.ns == NULL) {
		return;
	}
	survey_want(s, gpu_rule_make(place.ns, place.monitoring.labels, exporters, namespaces));
	if (row->problem != NULL) {
		return;
	}
	row->name = xasprintf("%s/%s", place.ns, GPU_OBJECT_NAME);
	row->selected_by = xstrdup(place.monitoring.selected_by);
	row->since_ms = survey_since(s, KIND_PROMETHEUSRULE, place.ns, GPU_OBJECT_NAME);
	row->enforced = is_enforced(s, place.monitoring.selected_by, place.ns);
}
