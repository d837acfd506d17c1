/* When spec.fallback is in force. */
#include "reconcile/fallback.h"

#include <string.h>

#include "report/status.h"

/* How long Ready is False already; 0 when this pass is the first that finds it so. */
static int64_t broken_ms(const struct facts *facts)
{
	const struct view_condition *ready = view_condition(&facts->object->status.conditions, "Ready");

	return ready != NULL && strcmp(ready->status, "False") == 0 && view_condition_since_ms(ready) >= 0
	               ? facts->now_ms - view_condition_since_ms(ready)
	               : 0;
}

struct fallback fallback_find(const struct facts *facts, const struct verdict *verdicts, size_t first)
{
	const struct autoscaler *spec = facts->workload.spec;
	const struct view_conditions *before = &facts->object->status.conditions;
	int64_t left_ms;

	if (spec->fallback_replicas <= spec->min_replicas || spec->paused || first == links_count) {
		return (struct fallback){.active = false};
	}
	if (strcmp(view_condition_status(before, CONDITION_FALLBACK), "True") == 0) {
		return (struct fallback){.active = true};
	}
	if (verdicts[first].status != VERDICT_FALSE) {
		return (struct fallback){.active = false};
	}
	left_ms = spec->fallback_after_ms - broken_ms(facts);
	return (struct fallback){.active = left_ms <= 0, .again_ms = left_ms > 0 ? left_ms : 0};
}
