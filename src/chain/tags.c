/* What is to be said of tags. */
#include "tags.h"

#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/custom.h"

bool tags_in_grace(const struct facts *facts, const struct workload_signal *signal, int64_t seen_ms)
{
	const struct view_condition *before = view_condition(&facts->object->status.conditions, "SeriesFresh");

	if (signal->signal->tag.label == NULL || before == NULL) {
		return false;
	}
	if (strcmp(before->status, "True") == 0) {
		return before->observed_generation != facts->object->view.meta.generation;
	}
	return strcmp(before->status, "Unknown") == 0 &&
	       grace_of_object(seen_ms, view_condition_since_ms(before),
		       clock_parse_duration(facts->workload.spec->scrape_interval));
}

void tags_say_missing(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	auto_free char *matcher = custom_tag_matcher(signal->signal);
	auto_free char *config = custom_tag_config(signal->signal);

	SAY(verdict, VERDICT_FALSE, "SeriesMissing",
		"Prometheus '%s' has no sample of '%s' with the label %s for the target's pods younger than three scrape "
		"intervals: ServiceMonitor '%s' puts it on; see whether Prometheus has loaded that, by the log of the "
		"config-reloader beside it. Where something else scrapes the pods, let it have the metric_relabel_configs "
		"[%s], or set spec.source to Direct, which needs none",
		prometheus_name(facts), signal->signal->series[0], matcher, facts->monitor, config);
}

char *tags_needed(const struct facts *facts)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < facts->workload.signals_count; i++) {
		auto_free char *config = custom_tag_config(facts->workload.signals[i].signal);

		if (config != NULL) {
			strbuf_addf(&text, "%s%s", text.len > 0 ? ", " : "", config);
		}
	}
	return text.len > 0 ? strbuf_take(&text) : NULL;
}
