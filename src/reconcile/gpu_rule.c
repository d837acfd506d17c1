/* The recording rule of the GPU signal. */
#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "survey.h"

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
	}
	monitoring_release(&place);
}
