/* When the last answer of the metrics API stands. */
#include "metric_trust.h"

#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "comparison.h"
#include "reading.h"

#define JITTER_PERCENT 20

int64_t metric_trusted_ms(const char *ns, const char *name)
{
	auto_free char *key = xasprintf("%s/%s", ns, name);
	struct digest digest = digest_bytes(key, strlen(key));
	int64_t percent = 100 - JITTER_PERCENT + (int64_t)(digest.low % (2 * JITTER_PERCENT + 1));

	return METRIC_TRUSTED_MS / 100 * percent;
}

static bool is_young(const struct metric_trust *trust)
{
	int64_t age_ms = trust->now_ms - trust->before->value.seen_ms;

	/* Below zero the clock was set. */
	return age_ms >= 0 && age_ms < metric_trusted_ms(trust->request->ns, trust->request->name);
}

/* Whether nothing was wrong with it; one that was never given is not young either. */
static bool is_good(const struct metric_seen *seen)
{
	return seen->failure.text == NULL && seen->unconfirmed_ms == 0 && seen->missing.count == 0 &&
	       seen->unconfirmed.count == 0;
}

static bool nobody_mismatches(const struct mismatches *mismatches)
{
	return mismatches->page.count == 0 && mismatches->record.count == 0 && mismatches->metric.count == 0 &&
	       mismatches->hpa.looks == 0;
}

/* Whether the pods that count are those that had a value then. */
static bool same_pods_count(const struct metric_trust *trust)
{
	const struct metric_seen *then = &trust->before->value;
	const struct counted_pods *counted = trust->counted;

	for (size_t i = 0; i < counted->count; i++) {
		if (reading_value_of(then, counted->items[i].name) == NULL) {
			return false;
		}
	}
	return then->pods == (int64_t)counted->count;
}

/* Whether the HPA's average lies among the samples. */
static bool hpa_agrees(const struct metric_trust *trust)
{
	const struct series_seen *series = &trust->now->series;
	struct range range = {INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < series->samples.count; i++) {
		const struct sample *sample = &series->samples.items[i];

		if (sample->milli != MILLI_NONE && sample->age_ms < trust->fresh_ms) {
			range.low = sample->milli < range.low ? sample->milli : range.low;
			range.high = sample->milli > range.high ? sample->milli : range.high;
		}
	}
	return trust->hpa.there && trust->hpa.active && trust->hpa.average_milli != MILLI_NONE &&
	       range.low <= range.high && comparison_is_within(trust->hpa.average_milli, &range);
}

bool metric_is_trusted(const struct metric_trust *trust)
{
	const struct series_seen *series = &trust->now->series;

	return trust->healthy && trust->same_question && trust->before != NULL && is_good(&trust->before->value) &&
	       is_young(trust) && series->missing.count == 0 && series->unconfirmed.count == 0 &&
	       nobody_mismatches(&trust->before->mismatches) && nobody_mismatches(&trust->now->mismatches) &&
	       same_pods_count(trust) && hpa_agrees(trust);
}
