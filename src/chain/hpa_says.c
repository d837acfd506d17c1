/* The HPA's status as a witness. */
#include "chain/hpa_says.h"

#include <string.h>

#include "evidence/range.h"

/* Not every API server tells. */
static bool is_behind(const struct view_hpa *hpa)
{
	return hpa->observed_generation >= 0 && hpa->observed_generation < hpa->view.meta.generation;
}

struct hpa_says hpa_says(const struct view_hpa *hpa, const char *metric)
{
	struct hpa_says says = {.there = hpa != NULL, .average_milli = MILLI_NONE};
	const struct view_condition *active;

	if (hpa == NULL) {
		return says;
	}
	active = view_condition(&hpa->conditions, "ScalingActive");
	/* Without the target's scale the metrics are not read, and what was read before stands. */
	says.active = active != NULL && strcmp(active->status, "True") == 0 &&
	              strcmp(view_condition_status(&hpa->conditions, "AbleToScale"), "False") != 0;
	says.average_milli = view_hpa_average_of(hpa, metric);
	says.spoke = active != NULL && !is_behind(hpa) && (!says.active || says.average_milli != MILLI_NONE);
	return says;
}

bool hpa_says_reported(const struct view *autoscaler, const char *metric)
{
	const struct view_status *status;

	if (autoscaler == NULL) {
		return false;
	}
	status = &view_autoscaler(autoscaler)->status;
	if (status->observed_generation != autoscaler->meta.generation ||
		strcmp(view_condition_status(&status->conditions, "MetricServed"), "True") != 0) {
		return false;
	}
	for (uint32_t i = 0; i < status->signals_count; i++) {
		if (strcmp(status->signals[i].metric, metric) == 0) {
			return status->signals[i].served;
		}
	}
	return false;
}

static bool all_are_fresh(const struct hpa_proof *proof)
{
	const struct series_seen *series = &proof->seen->series;

	return series->seen_ms > 0 && series->failure.text == NULL && series->missing.count == 0 &&
	       series->unconfirmed.count == 0 && proof->counted > 0 && series->pods == (int64_t)proof->counted;
}

static bool is_new(const struct hpa_proof *proof)
{
	int64_t age_ms = proof->now_ms - proof->silent_ms;

	/* Below zero the clock was set. */
	return proof->silent_ms > 0 && age_ms >= 0 && age_ms < HPA_SAYS_MS;
}

bool hpa_proves(const struct hpa_proof *proof)
{
	const struct series_seen *series = &proof->seen->series;
	struct range range = RANGE_EMPTY;

	if (!proof->says->spoke || !proof->says->active || !is_new(proof) || !all_are_fresh(proof) ||
		!evidence_matches(&proof->seen->mismatches)) {
		return false;
	}
	for (size_t i = 0; i < series->samples.count; i++) {
		range_add(&range, series->samples.items[i].milli);
	}
	return range_holds(&range, proof->says->average_milli);
}
