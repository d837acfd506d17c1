/* The set of metrics that the adapter has rules for. */
#include "adapter_metrics.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/presets.h"

char *adapter_metrics_text(const json_t *metrics)
{
	auto_json *names = json_sorted_keys(metrics);
	auto_strbuf text = STRBUF_INIT;
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name) {
		strbuf_addf(&text, "%s%s", i > 0 ? "," : "", json_string_value(name));
	}
	return json_array_size(names) > 0 ? strbuf_take(&text) : NULL;
}

json_t *adapter_metrics_parse(const char *text)
{
	json_t *metrics = json_object();

	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		auto_free char *name = xstrndup(text, len);

		if (engine_signal_by_metric(name) != NULL) {
			json_object_set_new(metrics, name, json_true());
		}
		text += len + (text[len] == ',' ? 1 : 0);
	}
	return metrics;
}

struct adapter_rule *adapter_metrics_rules(const json_t *metrics)
{
	struct adapter_rule *rules = xcalloc(json_object_size(metrics) + 1, sizeof(*rules));
	size_t n = 0;
	const char *metric;
	json_t *value;

	json_object_foreach((json_t *)metrics, metric, value) {
		rules[n++] = adapter_rule_of(engine_signal_by_metric(metric));
	}
	return rules;
}
