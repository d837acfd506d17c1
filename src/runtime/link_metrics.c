/* From conditions to samples. */
#include "link_metrics.h"

#include <string.h>

#include "base/json.h"
#include "chain/lints.h"
#include "kube/resource.h"

static void add_sample(const json_t *autoscaler, const json_t *condition, struct strbuf *page)
{
	const char *status = json_path_string(condition, "status", "");
	bool known = strcmp(status, "True") == 0 || strcmp(status, "False") == 0;

	/* None of the label values can hold a quote: names of objects, and a type that we wrote. */
	if (known && strcmp(json_path_string(condition, "type", ""), CONDITION_ADVICE) != 0) {
		strbuf_addf(page,
			"inference_autoscaler_link_healthy{autoscaler_namespace=\"%s\",autoscaler=\"%s\",link=\"%s\"} %d\n",
			kube_object_namespace(autoscaler), kube_object_name(autoscaler),
			json_path_string(condition, "type", ""), strcmp(status, "True") == 0);
	}
}

void link_metrics_begin(struct strbuf *links, struct strbuf *advice)
{
	strbuf_addstr(links,
		"# HELP inference_autoscaler_link_healthy Whether a link of an InferenceAutoscaler's chain works; absent "
		"where it is not known.\n# TYPE inference_autoscaler_link_healthy gauge\n");
	strbuf_addstr(advice,
		"# HELP inference_autoscaler_advice What will hurt an InferenceAutoscaler although no link is broken.\n"
		"# TYPE inference_autoscaler_advice gauge\n");
}

void link_metrics_add(const json_t *autoscaler, struct strbuf *links, struct strbuf *advice)
{
	size_t i;
	json_t *condition;
	json_t *one;

	json_array_foreach(json_path(autoscaler, "status.conditions"), i, condition) {
		add_sample(autoscaler, condition, links);
	}
	json_array_foreach(json_path(autoscaler, "status.advice"), i, one) {
		strbuf_addf(advice,
			"inference_autoscaler_advice{autoscaler_namespace=\"%s\",autoscaler=\"%s\",reason=\"%s\"} 1\n",
			kube_object_namespace(autoscaler), kube_object_name(autoscaler),
			json_path_string(one, "reason", ""));
	}
}
