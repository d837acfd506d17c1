/* When certificates turn over. */
#include "turnover.h"

/* Waits until `for_ms` is long enough. */
static enum turnover_step when_settled(int64_t for_ms, enum turnover_step then, int64_t *again_ms)
{
	if (for_ms >= TURNOVER_SETTLE_MS) {
		return then;
	}
	*again_ms = TURNOVER_SETTLE_MS - for_ms;
	return TURNOVER_WAIT;
}

static enum turnover_step follow(const struct turnover *t, int64_t *again_ms)
{
	if (!t->serving || t->left_ms <= 0) {
		return TURNOVER_MAKE;
	}
	*again_ms = t->left_ms;
	return TURNOVER_WAIT;
}

enum turnover_step turnover_next(const struct turnover *t, int64_t *again_ms)
{
	*again_ms = TURNOVER_NEVER;
	if (t->served_for_ms != TURNOVER_NEVER) {
		return when_settled(t->served_for_ms, TURNOVER_DROP, again_ms);
	}
	if (!t->has_next) {
		return follow(t, again_ms);
	}
	if (!t->asked && !t->serving) {
		return TURNOVER_SERVE; /* nobody comes yet, and whoever comes first is to be answered */
	}
	if (t->known_for_ms == TURNOVER_NEVER) {
		return TURNOVER_WAIT;
	}
	return when_settled(t->known_for_ms, TURNOVER_SERVE, again_ms);
}
