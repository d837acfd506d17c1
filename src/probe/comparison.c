/* Two sides of a hop: apart, or met. */
#include "comparison.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/json.h"

#define NEAR_MS 1000
#define SUSPICIOUS_SAMPLES 3
#define LEAD_MS 100 /* from the begin of a look until the page is read */
#define AGAIN_MIN_MS 2000

struct range {
	int64_t low, high;
};

static void widen(struct range *range, int64_t value)
{
	range->low = value < range->low ? value : range->low;
	range->high = value > range->high ? value : range->high;
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

static bool are_apart(const struct range *a, const struct range *b)
{
	return a->low > b->high + rounding(b->high) || b->low > a->high + rounding(a->high);
}

static bool is_near(int64_t a, int64_t b)
{
	return llabs(a - b) <= NEAR_MS;
}

static json_t *remember(int64_t since, int64_t looks, int64_t samples, int64_t near, const struct range *values,
	const struct range *series, const struct comparison *now)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:[I, I], s:[I, I], s:I, s:I, s:I}", "since", (json_int_t)since, "looks",
		(json_int_t)looks, "samples", (json_int_t)samples, "near", (json_int_t)near, "values",
		(json_int_t)values->low, (json_int_t)values->high, "series", (json_int_t)series->low,
		(json_int_t)series->high, "sampleTime", (json_int_t)now->sample_time, "sampleAt",
		(json_int_t)now->sample_at_ms, "lookAt", (json_int_t)now->look_at_ms);
}

static json_t *begin(const struct comparison *now)
{
	const struct range value = {now->value, now->value};
	const struct range sample = {now->sample, now->sample};

	return are_apart(&value, &sample) ? remember(now->look_at_ms, 1, 1, is_near(now->sample_at_ms, now->look_at_ms), &value,
						    &sample, now)
					  : NULL;
}

json_t *comparison_step(const json_t *before, const struct comparison *now)
{
	struct range values = range_of(json_object_get(before, "values"));
	struct range series = range_of(json_object_get(before, "series"));
	int64_t last_look = json_path_int(before, "lookAt", 0);
	/* Two Prometheuses behind one address answer by turns: what is older than the last is not new. */
	bool sampled = now->sample_time > json_path_int(before, "sampleTime", 0);
	bool near = sampled &&
		    (is_near(now->sample_at_ms, now->look_at_ms) || is_near(now->sample_at_ms, last_look));

	widen(&values, now->value);
	widen(&series, now->sample);
	if (before == NULL || !are_apart(&values, &series)) {
		return begin(now);
	}
	return remember(json_path_int(before, "since", 0), json_path_int(before, "looks", 0) + 1,
		json_path_int(before, "samples", 0) + sampled, json_path_int(before, "near", 0) + near, &values, &series,
		sampled ? now : &(struct comparison){.sample_time = json_path_int(before, "sampleTime", 0),
					.sample_at_ms = json_path_int(before, "sampleAt", 0),
					.look_at_ms = now->look_at_ms});
}

int64_t comparison_again_ms(const json_t *memory, int64_t interval_ms, int64_t now_ms)
{
	int64_t phase;
	int64_t wait;

	if (json_path_int(memory, "samples", 0) < SUSPICIOUS_SAMPLES || interval_ms <= 0) {
		return 0;
	}
	phase = (now_ms - json_path_int(memory, "sampleAt", 0)) % interval_ms;
	phase = phase < 0 ? phase + interval_ms : phase;
	/* Now it is about a scrape's moment: halfway comes next. */
	if (phase < interval_ms / 4) {
		wait = interval_ms / 2 - phase;
	} else if (phase > interval_ms - interval_ms / 4) {
		wait = interval_ms + interval_ms / 2 - phase;
	} else {
		wait = interval_ms - phase - LEAD_MS;
	}
	return wait > AGAIN_MIN_MS ? wait : AGAIN_MIN_MS;
}
