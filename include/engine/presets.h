/*
 * Inference engines and their load signals: one row each.
 *
 * A row says which series carry the signal (current and former names), how the adapter must ask
 * Prometheus for it, and the name under which the metrics API then serves it. Sources:
 * vLLM docs/usage/metrics; `vllm:gpu_cache_usage_perc` was replaced by `vllm:kv_cache_usage_perc`
 * and removed in 0.12.
 */
#ifndef ENGINE_PRESETS_H
#define ENGINE_PRESETS_H

#include <stddef.h>
#include <stdint.h>

#define ENGINE_SERIES_MAX 2
#define ENGINE_SIGNALS_MAX 4

struct engine_signal {
	const char *name;   /* spec.requests.signal */
	const char *metric; /* in the metrics API */
	/* Any of these on a pod's page proves the signal; unused ones are NULL. */
	const char *series[ENGINE_SERIES_MAX];
	const char *series_query;  /* the adapter's discovery */
	const char *metrics_query; /* the adapter's template */
	int64_t default_target_milli;
};

struct engine {
	const char *type; /* spec.engine.type */
	int64_t port;
	const char *path;
	const char *marker; /* a series only this engine's page has */
	struct engine_signal signals[ENGINE_SIGNALS_MAX]; /* ended by name NULL when fewer */
};

extern const struct engine engines[];
extern const size_t engines_count;

/* NULL when unknown. */
const struct engine *engine_by_type(const char *type);
const struct engine_signal *engine_signal_by_name(const struct engine *engine, const char *name);
const struct engine_signal *engine_signal_by_metric(const char *metric);

#endif
