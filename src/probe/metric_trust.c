/* When the metrics API need not be asked. */
#include "metric_trust.h"

#include "evidence/range.h"
#include "hop.h"
#include "reading.h"
#include "timing.h"

static bool is_young(const struct metric_trust *trust)
{
	int64_t age_ms = trust->now_ms - trust->before->value.seen_ms;

	/* Below zero the clock was set. */
	return age_ms >= 0 && age_ms < timing_of_key(METRIC_TRUSTED_MS, trust->request->ns, trust->request->name);
}

/* Whether nothing was wrong with it; one that was never given is not young either. */
static bool is_good(const struct metric_seen *seen)
{
	return seen->failure.text == NULL && seen->unconfirmed_ms == 0 && seen->missing.count == 0 &&
	       seen->unconfirmed.count == 0;
}

/* What the HPA read has no values by pod: then all that counted had samples. */
static bool had_value(const struct signal_seen *then, const char *pod)
{
	return then->value.by_hpa ? hop_sample(&then->series, pod) != NULL
	                          : reading_value_of(&then->value, pod) != NULL;
}

/* Whether the pods that count are those that had a value then. */
static bool same_pods_count(const struct metric_trust *trust)
{
	const struct counted_pods *counted = trust->counted;

	for (size_t i = 0; i < counted->count; i++) {
		if (!had_value(trust->before, counted->items[i].name)) {
			return false;
		}
	}
	return trust->before->value.pods == (int64_t)counted->count;
}

/* Whether what was read of the pages tells between which values the average lies: of GPUs, and of many pods, it does not. */
static bool pages_tell(const struct metric_trust *trust)
{
	return trust->now->series.samples.count == trust->counted->count;
}

/* Whether the HPA's average lies among the samples. */
static bool hpa_agrees(const struct metric_trust *trust)
{
	const struct series_seen *series = &trust->now->series;
	struct range range = RANGE_EMPTY;

	if (trust->request->direct && !pages_tell(trust)) {
		return hpa_says_value(&trust->hpa);
	}
	for (size_t i = 0; i < series->samples.count; i++) {
		if (series->samples.items[i].age_ms < trust->fresh_ms) {
			range_add(&range, series->samples.items[i].milli);
		}
	}
	return hpa_says_value(&trust->hpa) && range_holds(&range, trust->hpa.average_milli);
}

/* Whether the last good answer stands. */
static bool stands(const struct metric_trust *trust)
{
	const struct series_seen *series = &trust->now->series;

	return trust->healthy && trust->same_question && trust->before != NULL && is_good(&trust->before->value) &&
	       is_young(trust) && series->missing.count == 0 && series->unconfirmed.count == 0 &&
	       evidence_matches(&trust->before->mismatches) && evidence_matches(&trust->now->mismatches) &&
	       same_pods_count(trust) && hpa_agrees(trust);
}

static bool is_proved(const struct metric_trust *trust)
{
	const struct hpa_proof proof = {.says = &trust->hpa,
		.silent_ms = trust->silence->last_ms,
		.now_ms = trust->now_ms,
		.seen = trust->now,
		.counted = trust->counted->count};

	return hpa_proves(&proof) && (trust->before == NULL || evidence_matches(&trust->before->mismatches));
}

/* Whether the first probe since our start sees nothing else than what the status says. */
static bool is_reported(const struct metric_trust *trust)
{
	const struct series_seen *series = &trust->now->series;

	return trust->before == NULL && !trust->request->direct && trust->hpa.reported &&
	       series->pods == (int64_t)trust->counted->count && series->missing.count == 0 &&
	       series->unconfirmed.count == 0 && evidence_matches(&trust->now->mismatches) && hpa_agrees(trust);
}

int64_t metric_reported_ms(const struct probe_request *request, int64_t now_ms)
{
	return now_ms - timing_part_of_key(METRIC_TRUSTED_MS, request->ns, request->name);
}

/* Whether it is the HPA's turn to ask for the first time; who has an answer to this question does not lose it. */
static bool is_awaited(const struct metric_trust *trust)
{
	bool answered = trust->same_question && trust->before != NULL && trust->before->value.seen_ms > 0;

	/* Our own server has the value at once: to ask it costs less than to wait. */
	return !trust->request->direct && !answered && !trust->hpa.spoke && hpa_silence_awaited_ms(trust->silence) > 0;
}

enum metric_source metric_source(const struct metric_trust *trust)
{
	if (stands(trust)) {
		return METRIC_STANDS;
	}
	if (is_proved(trust)) {
		return METRIC_BY_HPA;
	}
	if (is_reported(trust)) {
		return METRIC_REPORTED;
	}
	return is_awaited(trust) ? METRIC_AWAITED : METRIC_ASK;
}
