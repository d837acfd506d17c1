/* Counters, gauges and histograms with vLLM's buckets. */
#include "metrics.h"

#include <assert.h>
#include <math.h>

#include "base/memory.h"

static const double tokens[] = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, INFINITY};
static const double iteration[] = {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, INFINITY};
static const double samples[] = {1, 2, 5, 10, 20, INFINITY};
static const double first_token[] = {.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40,
	80, 160, 640, 2560, INFINITY};
static const double per_token[] = {.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
	INFINITY};
static const double request[] = {.3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920,
	7680, INFINITY};
static const double preemptions[] = {1, 2, 3, 4, 5, 10, 20, INFINITY};

/* Which clang-format takes for a block of statements. */
/* clang-format off */
#define BOUNDS(list) {list, ARRAY_LEN(list)}
/* clang-format on */

static const struct {
	const double *bounds;
	size_t count;
} distributions[DISTRIBUTIONS] = {
	[DISTRIBUTION_PROMPT_TOKENS] = BOUNDS(tokens),
	[DISTRIBUTION_GENERATION_TOKENS] = BOUNDS(tokens),
	[DISTRIBUTION_ITERATION_TOKENS] = BOUNDS(iteration),
	[DISTRIBUTION_MAX_GENERATION_TOKENS] = BOUNDS(tokens),
	[DISTRIBUTION_N] = BOUNDS(samples),
	[DISTRIBUTION_MAX_TOKENS] = BOUNDS(tokens),
	[DISTRIBUTION_FIRST_TOKEN] = BOUNDS(first_token),
	[DISTRIBUTION_INTER_TOKEN] = BOUNDS(per_token),
	[DISTRIBUTION_PER_OUTPUT_TOKEN] = BOUNDS(per_token),
	[DISTRIBUTION_E2E] = BOUNDS(request),
	[DISTRIBUTION_QUEUE] = BOUNDS(request),
	[DISTRIBUTION_INFERENCE] = BOUNDS(request),
	[DISTRIBUTION_PREFILL] = BOUNDS(request),
	[DISTRIBUTION_DECODE] = BOUNDS(request),
	[DISTRIBUTION_PREEMPTIONS] = BOUNDS(preemptions),
	[DISTRIBUTION_PREFILL_KV] = BOUNDS(tokens),
};

void standin_metrics_init(struct standin_metrics *metrics, double created_s)
{
	*metrics = (struct standin_metrics){.created_s = created_s};
	metrics->value[VALUE_AWAKE] = 1;
}

void standin_metrics_observe(struct standin_metrics *metrics, enum standin_distribution which, double value)
{
	size_t count = distributions[which].count;

	assert(count > 0 && count <= METRICS_BUCKETS_MAX);
	for (size_t i = 0; i < count; i++) {
		if (value <= distributions[which].bounds[i]) {
			metrics->distribution[which].buckets[i]++;
		}
	}
	metrics->distribution[which].sum += value;
	metrics->distribution[which].count++;
}

const double *standin_metrics_bounds(enum standin_distribution which, size_t *count)
{
	*count = distributions[which].count;
	return distributions[which].bounds;
}
