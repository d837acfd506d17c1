/* From what is seen to what is believed. */
#include "hpa_period.h"

#include <stddef.h>

#include "base/memory.h"
#include "base/text.h"
#include "chain/lints.h"
#include "read_counts.h"

/* What is told is one of these, so that a status is not written because 51 s became 53 s. */
static const int64_t steps_s[] = {1, HPA_PERIOD_NEAR_S, HPA_PERIOD_LONG_S, 45, 60, 90, 120, 180, 300, 600, 1200};

int64_t hpa_period_mean_s(int64_t pairs, int64_t reads, int64_t round_ms)
{
	return pairs > 0 && reads > 0 ? pairs * READ_COUNTS_WINDOW * round_ms / (reads * 1000) : 0;
}

static int64_t step_of(int64_t mean_s)
{
	int64_t found = steps_s[0];

	for (size_t i = 0; i < ARRAY_LEN(steps_s) && steps_s[i] <= mean_s; i++) {
		found = steps_s[i];
	}
	return found;
}

/* Whether they are those of the round before. */
static bool keep_who(struct hpa_period *period, char *who_take)
{
	bool same = text_equal(period->who, who_take);

	free_indirect(&period->who);
	period->who = who_take;
	return same;
}

void hpa_period_release(struct hpa_period *period)
{
	free_indirect(&period->who);
}

bool hpa_period_round(struct hpa_period *period, char *who_take, int64_t mean_s)
{
	int64_t step = step_of(mean_s);
	bool longer = step > period->believed_s;
	bool goes_on = period->rounds > 0 && longer == (period->seen_s > period->believed_s);

	if (!keep_who(period, who_take) || mean_s <= 0 || step == period->believed_s) {
		period->rounds = 0;
		return false;
	}
	period->seen_s = !goes_on || (longer ? step < period->seen_s : step > period->seen_s) ? step : period->seen_s;
	period->rounds = goes_on ? period->rounds + 1 : 1;
	if (period->rounds < (longer ? HPA_PERIOD_LONGER_ROUNDS : HPA_PERIOD_SHORTER_ROUNDS)) {
		return false;
	}
	period->believed_s = period->seen_s;
	period->rounds = 0;
	return true;
}
