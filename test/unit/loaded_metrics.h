/* What an engine of the stand-in says under load, for tests of its pages. */
#ifndef TEST_LOADED_METRICS_H
#define TEST_LOADED_METRICS_H

#include "standin/kinds.h"

static inline struct standin_metrics loaded_metrics(void)
{
	struct standin_metrics metrics;

	standin_metrics_init(&metrics, 1795478506.25);
	metrics.used = true;
	metrics.value[VALUE_RUNNING] = 7;
	metrics.value[VALUE_WAITING] = 2;
	metrics.value[VALUE_ACTIVE] = 9;
	metrics.value[VALUE_MAX_NUM_SEQS] = 64;
	metrics.value[VALUE_CACHE_USAGE] = 0.25;
	return metrics;
}

#endif
