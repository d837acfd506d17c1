/* All rules of ours. */
#include "adapter/adapter_rules.h"

#include "base/memory.h"
#include "engine/custom.h"
#include "engine/gpu.h"

struct adapter_rule *adapter_rules_all(size_t *count)
{
	struct adapter_rule *rules = xcalloc((engines_count + 1) * ENGINE_SIGNALS_MAX + 1, sizeof(*rules));

	*count = 0;
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			const struct engine_signal *signal = &engines[e].signals[i];

			if (engine_signal_by_metric(signal->metric) == signal) {
				rules[(*count)++] = adapter_rule_of(signal);
			}
		}
	}
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX; i++) {
		rules[(*count)++] = adapter_rule_of(&custom_rules.signals[i]);
	}
	rules[(*count)++] = adapter_rule_of(&gpu_utilization);
	return rules;
}
