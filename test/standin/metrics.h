/* The numbers behind the stand-in's metrics page. */
#ifndef STANDIN_METRICS_H
#define STANDIN_METRICS_H

#include <stdbool.h>
#include <stddef.h>

/* Which names an engine writes, where they changed. */
enum standin_generation {
	GENERATION_NEW,
	GENERATION_OLD,
};

/* Those of one family that differ in a label follow each other, in the order of the page. */
enum standin_value {
	VALUE_ZERO, /* families that nothing here moves */
	VALUE_RUNNING,
	VALUE_WAITING,
	VALUE_WAITING_CAPACITY,
	VALUE_WAITING_DEFERRED,
	VALUE_AWAKE,
	VALUE_WEIGHTS_OFFLOADED,
	VALUE_DISCARD_ALL,
	VALUE_CACHE_USAGE, /* 0 to 1 */
	VALUE_ACTIVE,      /* running and waiting */
	VALUE_MAX_NUM_SEQS,
	VALUE_PROMPT_TOKENS,
	VALUE_PROMPT_LOCAL_COMPUTE,
	VALUE_PROMPT_LOCAL_CACHE,
	VALUE_PROMPT_EXTERNAL,
	VALUE_GENERATION_TOKENS,
	VALUE_SUCCESS_STOP,
	VALUE_SUCCESS_LENGTH,
	VALUE_SUCCESS_ABORT,
	VALUE_SUCCESS_ERROR,
	VALUE_SUCCESS_REPETITION,
	VALUES
};

enum standin_distribution {
	DISTRIBUTION_PROMPT_TOKENS,
	DISTRIBUTION_GENERATION_TOKENS,
	DISTRIBUTION_ITERATION_TOKENS,
	DISTRIBUTION_MAX_GENERATION_TOKENS,
	DISTRIBUTION_N,
	DISTRIBUTION_MAX_TOKENS,
	DISTRIBUTION_FIRST_TOKEN,
	DISTRIBUTION_INTER_TOKEN,
	DISTRIBUTION_PER_OUTPUT_TOKEN,
	DISTRIBUTION_E2E,
	DISTRIBUTION_QUEUE,
	DISTRIBUTION_INFERENCE,
	DISTRIBUTION_PREFILL,
	DISTRIBUTION_DECODE,
	DISTRIBUTION_PREEMPTIONS,
	DISTRIBUTION_PREFILL_KV,
	DISTRIBUTIONS
};

#define METRICS_BUCKETS_MAX 24

struct standin_metrics {
	double value[VALUES];
	struct {
		double buckets[METRICS_BUCKETS_MAX]; /* cumulative, as on the page */
		double sum, count;
	} distribution[DISTRIBUTIONS];
	double created_s; /* seconds since the epoch */
	bool used;        /* there has been a request */
};

void standin_metrics_init(struct standin_metrics *metrics, double created_s);
void standin_metrics_observe(struct standin_metrics *metrics, enum standin_distribution which, double value);
/* The upper bounds, ended by +Inf. */
const double *standin_metrics_bounds(enum standin_distribution which, size_t *count);

#endif
