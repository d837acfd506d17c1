/*
 * The stand-in's engine: a request runs for a fixed time, at most so many run at once, and the
 * others wait in the order they came. The gauges in `metrics` are true at every moment, unless they
 * are pinned.
 */
#ifndef STANDIN_ENGINE_H
#define STANDIN_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "metrics.h"

struct standin_request;

/* What can be pinned. */
enum standin_gauge {
	GAUGE_RUNNING,
	GAUGE_WAITING,
	GAUGE_CACHE, /* 0 to 1 */
	GAUGES
};

struct standin_engine {
	uv_loop_t *loop;
	int64_t latency_ms;
	int max_num_seqs;
	int running, waiting;
	struct standin_request *running_list;
	struct standin_request *first, **last; /* waiting */
	struct standin_metrics metrics;
	struct {
		bool on;
		double value;
	} pins[GAUGES];
	/* Called whenever nothing runs or waits any more; NULL to leave it. */
	void (*idle)(void *ctx);
	void *idle_ctx;
};

struct standin_job {
	int prompt_tokens;
	int max_tokens;
	int n;
	/* Exactly once; not finished: taken back by standin_engine_cancel() or _abort(), from inside it. */
	void (*done)(void *ctx, bool finished);
	void *ctx;
};

void standin_engine_init(struct standin_engine *engine, uv_loop_t *loop, int max_num_seqs, int64_t latency_ms,
	double created_s);
/* The request is valid until the job's done. */
struct standin_request *standin_engine_submit(struct standin_engine *engine, const struct standin_job *job);
void standin_engine_cancel(struct standin_request *request);
/* Ends what runs and waits. The loop must run once more before the engine goes away. */
void standin_engine_abort(struct standin_engine *engine);
/* From now on the gauge says this, whatever runs. */
void standin_engine_pin(struct standin_engine *engine, enum standin_gauge gauge, double value);
/* All gauges are true again. */
void standin_engine_release(struct standin_engine *engine);

#endif
