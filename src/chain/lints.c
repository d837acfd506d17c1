/* The table of the lints, and what becomes of what they say. */
#include "chain/lints.h"

#include <string.h>

#include "base/memory.h"
#include "lint.h"

/* In the order in which they are told: what costs most first. */
static const struct lint {
	const char *reason; /* CamelCase */
	enum lint_verdict (*check)(const struct facts *facts, struct strbuf *sentence);
} lints[] = {
	{"TargetUnreachable", lint_target_unreachable},
	{"TargetTooLow", lint_target_low},
	{"ReplicasKept", lint_replicas_kept},
	{"ColdStartLong", lint_cold_start_long},
	{"DrainTooShort", lint_drain_too_short},
	{"GPUShared", lint_gpu_shared},
	{"HPAPeriodLong", lint_hpa_period_long},
	{"OneAdapterReplica", lint_one_adapter_replica},
	{"RelistLong", lint_relist_long},
	{"NameLeaves", lint_name_leaves},
};

_Static_assert(sizeof(lints) / sizeof(lints[0]) <= LINTS_MAX, "raise LINTS_MAX");

/* NULL when it was silent. */
static const char *said_last(const struct facts *facts, const char *reason)
{
	const struct view_status *status = &facts->object->status;

	for (uint32_t i = 0; i < status->advice_count; i++) {
		if (strcmp(status->advice[i].reason, reason) == 0) {
			return status->advice[i].message;
		}
	}
	return NULL;
}

static void add(json_t *all, const char *reason, const char *message)
{
	json_array_append_new(all, json_pack("{s:s, s:s}", "reason", reason, "message", message));
}

json_t *lints_check(const struct facts *facts)
{
	json_t *all = json_array();

	for (size_t i = 0; i < ARRAY_LEN(lints); i++) {
		auto_strbuf sentence = STRBUF_INIT;
		enum lint_verdict verdict = lints[i].check(facts, &sentence);
		const char *before = said_last(facts, lints[i].reason);

		if (verdict == LINT_REPORTED || (verdict == LINT_STILL && before != NULL)) {
			add(all, lints[i].reason, sentence.buf);
		} else if (verdict == LINT_UNSEEN && before != NULL) {
			add(all, lints[i].reason, before);
		}
	}
	return all;
}
