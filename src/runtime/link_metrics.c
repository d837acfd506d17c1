/* From conditions to samples. */
#include "link_metrics.h"

#include <string.h>

#include "report/status.h"

static void add_sample(const struct object_meta *autoscaler, const struct view_condition *condition,
	struct strbuf *page)
{
	bool healthy = strcmp(condition->status, "True") == 0;

	/* None of the label values can hold a quote: names of objects, and a type that we wrote. */
	if ((healthy || strcmp(condition->status, "False") == 0) && !status_only_while_true(condition->type)) {
		strbuf_addf(page,
			"inference_autoscaler_link_healthy{autoscaler_namespace=\"%s\",autoscaler=\"%s\",link=\"%s\"} %d\n",
			autoscaler->ns, autoscaler->name, condition->type, healthy);
	}
}

void link_health_begin(struct strbuf *page)
{
	strbuf_addstr(page,
		"# HELP inference_autoscaler_link_healthy Whether a link of an InferenceAutoscaler's chain works; absent "
		"where it is not known.\n# TYPE inference_autoscaler_link_healthy gauge\n");
}

void link_health_add(const struct view_autoscaler *autoscaler, struct strbuf *page)
{
	const struct view_status *status = &autoscaler->status;

	for (uint32_t i = 0; i < status->conditions.count; i++) {
		add_sample(&autoscaler->view.meta, &status->conditions.items[i], page);
	}
}

void advice_begin(struct strbuf *page)
{
	strbuf_addstr(page,
		"# HELP inference_autoscaler_advice What will hurt an InferenceAutoscaler although no link is broken.\n"
		"# TYPE inference_autoscaler_advice gauge\n");
}

void advice_add(const struct view_autoscaler *autoscaler, struct strbuf *page)
{
	const struct object_meta *meta = &autoscaler->view.meta;
	const struct view_status *status = &autoscaler->status;

	for (uint32_t i = 0; i < status->advice_count; i++) {
		strbuf_addf(page,
			"inference_autoscaler_advice{autoscaler_namespace=\"%s\",autoscaler=\"%s\",reason=\"%s\"} 1\n",
			meta->ns, meta->name, status->advice[i].reason);
	}
}
