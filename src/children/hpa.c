/* The HorizontalPodAutoscaler that scales the target on the served metrics. */
#include "children/children.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"

/* Up at once (4 pods or 100 % per 15 s, the larger), down after 300 s by at most 100 % per 15 s. */
static json_t *default_behavior(void)
{
	return json_pack("{s:{s:i, s:s, s:[{s:s, s:i, s:i}, {s:s, s:i, s:i}]}, s:{s:i, s:[{s:s, s:i, s:i}]}}",
		"scaleUp", "stabilizationWindowSeconds", 0, "selectPolicy", "Max", "policies", "type", "Pods", "value",
		4, "periodSeconds", 15, "type", "Percent", "value", 100, "periodSeconds", 15, "scaleDown",
		"stabilizationWindowSeconds", 300, "policies", "type", "Percent", "value", 100, "periodSeconds", 15);
}

/* The user's, with tolerances in the form in which the API server keeps them ("0.05" is 50m there):
 * any other would look like a change for ever. */
static json_t *user_behavior(const json_t *behavior)
{
	json_t *copy = json_deep_copy(behavior);
	const char *direction;
	json_t *rules;

	json_object_foreach(copy, direction, rules) {
		json_t *tolerance = json_object_get(rules, "tolerance");
		auto_free char *text =
			json_is_string(tolerance) ? xstrdup(json_string_value(tolerance)) : json_text(tolerance);
		int64_t milli = quantity_parse_milli(text);

		if (milli >= 0) {
			auto_free char *canonical = quantity_format_milli(milli);

			json_object_set_new(rules, "tolerance", json_string(canonical));
		}
	}
	return copy;
}

/* The figures in their order: the HPA takes the largest of their answers. */
static json_t *metrics(const struct workload *w)
{
	json_t *list = json_array();

	for (size_t i = 0; i < w->signals_count; i++) {
		auto_free char *target = quantity_format_milli(w->signals[i].target_milli);

		json_array_append_new(list, json_pack("{s:s, s:{s:{s:s}, s:{s:s, s:s}}}", "type", "Pods", "pods",
						    "metric", "name", w->signals[i].signal->metric, "target", "type",
						    "AverageValue", "averageValue", target));
	}
	return list;
}

static json_t *make(const struct workload *w)
{
	const struct autoscaler *spec = w->spec;
	json_t *hpa = child_base(&child_hpa, spec);
	int64_t min = w->min_replicas;
	int64_t max = spec->max_replicas;

	/* Paused: everything stays in place and the HPA holds what it finds. A target at zero is at
	 * rest by hand already, and an HPA cannot ask for zero. */
	if (spec->paused && w->replicas > 0) {
		min = max = w->replicas;
	}
	json_object_set_new(hpa, "spec",
		json_pack("{s:{s:s, s:s, s:s}, s:I, s:I, s:o, s:o}", "scaleTargetRef", "apiVersion",
			spec->target_api_version, "kind", spec->target_kind, "name", spec->target_name, "minReplicas",
			(json_int_t)min, "maxReplicas", (json_int_t)max, "metrics", metrics(w), "behavior",
			spec->behavior != NULL ? user_behavior(spec->behavior) : default_behavior()));
	return hpa;
}

const struct child child_hpa = {.form = {.kind = KIND_HPA}, .suffix = "", .make = make};
