/* Two sides of a hop: whether they match. */
#include "comparison.h"

#define NEAR_MS 500
#define HURRY_SAMPLES 3
#define MISMATCH_SAMPLES 8
#define BEFORE_MS 200 /* more than it takes from the begin of a probe until the page is read */
#define AFTER_MS 100
#define AGAIN_MIN_MS 2000

/* How long after a scrape that is, of which the last may not be known yet: they come in step. */
static int64_t phase_of(int64_t at_ms, int64_t scrape_ms, int64_t interval_ms)
{
	int64_t phase = interval_ms > 0 ? (at_ms - scrape_ms) % interval_ms : 0;

	return phase < 0 ? phase + interval_ms : phase;
}

/* Whether the probe was just before or just after a scrape. */
static void count_near(struct mismatch *memory, const struct comparison *now)
{
	int64_t phase = phase_of(now->look_at_ms, now->sample_at_ms, now->interval_ms);

	memory->near[0] += now->interval_ms - phase <= NEAR_MS;
	memory->near[1] += phase <= NEAR_MS;
}

static void remember(struct mismatch *memory, const struct range *values, const struct range *series,
	const struct comparison *now)
{
	memory->since_ms = memory->looks > 0 ? memory->since_ms : now->look_at_ms;
	memory->looks++;
	count_near(memory, now);
	memory->values[0] = values->low;
	memory->values[1] = values->high;
	memory->series[0] = series->low;
	memory->series[1] = series->high;
	/* Two Prometheuses behind one address answer by turns: what is older than the last is not new. */
	if (now->sample_time > memory->sample_time_ms) {
		memory->samples++;
		memory->sample_time_ms = now->sample_time;
		memory->sample_ms = now->sample_at_ms;
	}
}

void comparison_step(struct mismatch *memory, const struct comparison *now)
{
	const struct range value = {now->value, now->value};
	bool before = memory->looks > 0;
	struct range values = before ? (struct range){memory->values[0], memory->values[1]} : value;
	struct range series = before ? (struct range){memory->series[0], memory->series[1]} : now->sample;

	range_widen(&values, &value);
	range_widen(&series, &now->sample);
	if (ranges_mismatch(&values, &series)) {
		remember(memory, &values, &series, now);
		return;
	}
	*memory = (struct mismatch){.looks = 0};
	if (ranges_mismatch(&value, &now->sample)) {
		remember(memory, &value, &now->sample, now);
	}
}

bool comparison_is_mismatch(const struct mismatch *memory)
{
	return memory->samples >= MISMATCH_SAMPLES;
}

int64_t comparison_again_ms(const struct mismatch *memory, int64_t interval_ms, int64_t now_ms)
{
	int64_t phase;
	int64_t wait;

	if (memory->samples < HURRY_SAMPLES || interval_ms <= 0) {
		return 0;
	}
	phase = phase_of(now_ms, memory->sample_ms, interval_ms);
	/* Now it is about a scrape's moment: halfway comes next. */
	if (phase < interval_ms / 4) {
		wait = interval_ms / 2 - phase;
	} else if (phase > interval_ms - interval_ms / 4) {
		wait = interval_ms + interval_ms / 2 - phase;
	} else {
		wait = interval_ms - phase + (memory->samples % 2 == 0 ? -BEFORE_MS : AFTER_MS);
	}
	return wait > AGAIN_MIN_MS ? wait : AGAIN_MIN_MS;
}
