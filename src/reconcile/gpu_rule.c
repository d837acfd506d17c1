/* The recording rule of the GPU signal. */
#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "survey.h"

json_t *survey_rule(struct survey *s, const char *prometheus, const json_t *namespaces)
{
	struct monitoring place = {NULL, NULL, NULL};
	auto_json *exporters = json_sorted_keys(s->trusted);
	auto_free char *ns = NULL;
	auto_free char *name = NULL;
	const struct view *now = survey_our_object(s, KIND_PROMETHEUSRULE, GPU_OBJECT_NAME);
	json_t *row;

	if (!survey_place(s, &monitoring_rule, now, prometheus, &place)) {
		row = json_pack("{s:s+}", "problem",
			"the recording rule is selected by no Prometheus: ", place.problem);
	} else {
		ns = survey_namespace_of(place.selected_by);
		name = xasprintf("%s/%s", ns, GPU_OBJECT_NAME);
		survey_want(s, gpu_rule_make(ns, place.labels, exporters, namespaces));
		row = json_pack("{s:s, s:s}", "name", name, "selectedBy", place.selected_by);
		survey_set_since(s, row, KIND_PROMETHEUSRULE, ns, GPU_OBJECT_NAME);
	}
	monitoring_release(&place);
	return row;
}
