/* The table of inference engines and their load signals. */
#include "engine/presets.h"

#include <string.h>

#include "engine/gpu.h"

/* Several series of one pod are its data-parallel ranks (label engine): counts add up, a fill
 * level is the fullest rank's. */
#define WHERE "{<<.LabelMatchers>>}"
#define BY " by (<<.GroupBy>>)"
#define DISCOVER(names) "{__name__=~\"^" names "$\",namespace!=\"\",pod!=\"\"}"

const struct engine engines[] = {
	{
		.type = "VLLM",
		.port = 8000,
		.path = "/metrics",
		.marker = "vllm:num_requests_running",
		.signals =
			{
				{
					.name = "Running",
					.metric = "vllm_num_requests_running",
					.series = {"vllm:num_requests_running"},
					.series_query = DISCOVER("vllm:num_requests_running"),
					.metrics_query = "sum(vllm:num_requests_running" WHERE ")" BY,
					.default_target_milli = 4000,
				},
				{
					.name = "Waiting",
					.metric = "vllm_num_requests_waiting",
					.series = {"vllm:num_requests_waiting"},
					.series_query = DISCOVER("vllm:num_requests_waiting"),
					.metrics_query = "sum(vllm:num_requests_waiting" WHERE ")" BY,
					.default_target_milli = 1000,
				},
				{
					.name = "InFlight",
					.metric = "vllm_num_requests_in_flight",
					.series = {"vllm:num_requests_running"},
					.series_query = DISCOVER("vllm:num_requests_running"),
					.metrics_query = "sum(vllm:num_requests_running" WHERE ")" BY
							 " + sum(vllm:num_requests_waiting" WHERE ")" BY,
					.default_target_milli = 4000,
				},
				{
					.name = "KVCache",
					.metric = "vllm_kv_cache_usage_percent",
					.series = {"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"},
					.series_query = DISCOVER("vllm:(kv|gpu)_cache_usage_perc"),
					.metrics_query = "100 * (max(vllm:kv_cache_usage_perc" WHERE ")" BY
							 " or max(vllm:gpu_cache_usage_perc" WHERE ")" BY ")",
					.default_target_milli = 80000,
				},
			},
	},
};

const size_t engines_count = sizeof(engines) / sizeof(engines[0]);

const struct engine *engine_by_type(const char *type)
{
	for (size_t i = 0; i < engines_count; i++) {
		if (strcmp(engines[i].type, type) == 0) {
			return &engines[i];
		}
	}
	return NULL;
}

const struct engine_signal *engine_signal_by_name(const struct engine *engine, const char *name)
{
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		if (strcmp(engine->signals[i].name, name) == 0) {
			return &engine->signals[i];
		}
	}
	return NULL;
}

const struct engine_signal *engine_signal_by_metric(const char *metric)
{
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			if (strcmp(engines[e].signals[i].metric, metric) == 0) {
				return &engines[e].signals[i];
			}
		}
	}
	return strcmp(gpu_utilization.metric, metric) == 0 ? &gpu_utilization : NULL;
}
