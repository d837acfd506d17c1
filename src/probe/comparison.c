/* Two sides of a hop: whether they match. */
#include "comparison.h"

#include <stdlib.h>

#include "base/json.h"

#define NEAR_MS 500
#define HURRY_SAMPLES 3
#define MISMATCH_SAMPLES 8
#define BEFORE_MS 200 /* more than it takes from the begin of a probe until the page is read */
#define AFTER_MS 100
#define AGAIN_MIN_MS 2000

static void widen(struct range *range, const struct range *by)
{
	range->low = by->low < range->low ? by->low : range->low;
	range->high = by->high > range->high ? by->high : range->high;
}

static struct range range_of(const json_t *pair)
{
	return (struct range){json_integer_value(json_array_get(pair, 0)), json_integer_value(json_array_get(pair, 1))};
}

/* What the adapter cuts off and we round, and what is lost of a large sum's last digits. */
static int64_t rounding(int64_t value)
{
	return 2 + llabs(value) / 1000000;
}

static bool are_mismatched(const struct range *a, const struct range *b)
{
	return a->low > b->high + rounding(b->high) || b->low > a->high + rounding(a->high);
}

/* How long after a scrape that is, of which the last may not be known yet: they come in step. */
static int64_t phase_of(int64_t at_ms, int64_t scrape_ms, int64_t interval_ms)
{
	int64_t phase = interval_ms > 0 ? (at_ms - scrape_ms) % interval_ms : 0;

	return phase < 0 ? phase + interval_ms : phase;
}

/* How many probes were just before and just after a scrape, with this one. */
static json_t *count_near(const json_t *before, const struct comparison *now)
{
	int64_t phase = phase_of(now->look_at_ms, now->sample_at_ms, now->interval_ms);
	const json_t *counts = json_object_get(before, "near");
	bool early = now->interval_ms - phase <= NEAR_MS;
	bool late = phase <= NEAR_MS;

	return json_pack("[I, I]", json_integer_value(json_array_get(counts, 0)) + early,
		json_integer_value(json_array_get(counts, 1)) + late);
}

static json_t *remember(const json_t *before, const struct range *values, const struct range *series,
	const struct comparison *now)
{
	json_int_t last = json_path_int(before, "sampleTime", 0);
	/* Two Prometheuses behind one address answer by turns: what is older than the last is not new. */
	bool sampled = now->sample_time > last;

	return json_pack("{s:I, s:I, s:I, s:o, s:[I, I], s:[I, I], s:I, s:I}", "since",
		json_path_int(before, "since", (json_int_t)now->look_at_ms), "looks",
		json_path_int(before, "looks", 0) + 1, "samples", json_path_int(before, "samples", 0) + sampled, "near",
		count_near(before, now), "values", (json_int_t)values->low, (json_int_t)values->high, "series",
		(json_int_t)series->low, (json_int_t)series->high, "sampleTime",
		sampled ? (json_int_t)now->sample_time : last, "sampleAt",
		sampled ? (json_int_t)now->sample_at_ms : json_path_int(before, "sampleAt", 0));
}

json_t *comparison_step(const json_t *before, const struct comparison *now)
{
	const struct range value = {now->value, now->value};
	struct range values = before != NULL ? range_of(json_object_get(before, "values")) : value;
	struct range series = before != NULL ? range_of(json_object_get(before, "series")) : now->sample;

	widen(&values, &value);
	widen(&series, &now->sample);
	if (are_mismatched(&values, &series)) {
		return remember(before, &values, &series, now);
	}
	return are_mismatched(&value, &now->sample) ? remember(NULL, &value, &now->sample, now) : NULL;
}

bool comparison_mismatch(const json_t *memories)
{
	const char *pod;
	json_t *memory;

	json_object_foreach((json_t *)memories, pod, memory) {
		if (json_path_int(memory, "samples", 0) >= MISMATCH_SAMPLES) {
			return true;
		}
	}
	return false;
}

int64_t comparison_again_ms(const json_t *memory, int64_t interval_ms, int64_t now_ms)
{
	int64_t phase;
	int64_t wait;

	if (json_path_int(memory, "samples", 0) < HURRY_SAMPLES || interval_ms <= 0) {
		return 0;
	}
	phase = phase_of(now_ms, json_path_int(memory, "sampleAt", 0), interval_ms);
	/* Now it is about a scrape's moment: halfway comes next. */
	if (phase < interval_ms / 4) {
		wait = interval_ms / 2 - phase;
	} else if (phase > interval_ms - interval_ms / 4) {
		wait = interval_ms + interval_ms / 2 - phase;
	} else {
		wait = interval_ms - phase + (json_path_int(memory, "samples", 0) % 2 == 0 ? -BEFORE_MS : AFTER_MS);
	}
	return wait > AGAIN_MIN_MS ? wait : AGAIN_MIN_MS;
}
