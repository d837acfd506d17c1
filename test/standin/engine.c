/* Running and waiting requests, and what they leave in the metrics. */
#include "engine.h"

#include <stdlib.h>

#include "base/memory.h"

/* How a request's time splits, so that the histograms differ as they do in a real engine. */
#define PREFILL_SHARE 0.1

struct standin_request {
	struct standin_engine *engine;
	struct standin_job job;
	bool running;
	uv_timer_t timer; /* initialised when it starts to run */
	uint64_t arrived_ms, started_ms;
	struct standin_request *next, **link; /* link: what points to us, while we run */
};

static double gauge(const struct standin_engine *engine, enum standin_gauge which, double truth)
{
	return engine->pins[which].on ? engine->pins[which].value : truth;
}

static void report_gauges(struct standin_engine *engine)
{
	double *value = engine->metrics.value;

	value[VALUE_RUNNING] = gauge(engine, GAUGE_RUNNING, engine->running);
	value[VALUE_WAITING] = gauge(engine, GAUGE_WAITING, engine->waiting);
	value[VALUE_WAITING_CAPACITY] = value[VALUE_WAITING];
	value[VALUE_ACTIVE] = value[VALUE_RUNNING] + value[VALUE_WAITING];
	value[VALUE_MAX_NUM_SEQS] = engine->max_num_seqs;
	/* Each running request holds the same share of the cache, which is full when all run. */
	value[VALUE_CACHE_USAGE] = gauge(engine, GAUGE_CACHE, (double)engine->running / engine->max_num_seqs);
}

void standin_engine_init(struct standin_engine *engine, uv_loop_t *loop, int max_num_seqs, int64_t latency_ms,
	double created_s)
{
	*engine = (struct standin_engine){.loop = loop, .latency_ms = latency_ms, .max_num_seqs = max_num_seqs};
	engine->last = &engine->first;
	standin_metrics_init(&engine->metrics, created_s);
	report_gauges(engine);
}

void standin_engine_pin(struct standin_engine *engine, enum standin_gauge which, double value)
{
	engine->pins[which].on = true;
	engine->pins[which].value = value;
	engine->metrics.used = true;
	report_gauges(engine);
}

void standin_engine_release(struct standin_engine *engine)
{
	for (size_t i = 0; i < GAUGES; i++) {
		engine->pins[i].on = false;
	}
	report_gauges(engine);
}

static void note_finished(struct standin_engine *engine, const struct standin_request *request)
{
	struct standin_metrics *m = &engine->metrics;
	const struct standin_job *job = &request->job;
	double queue_s = (double)(request->started_ms - request->arrived_ms) / 1000;
	double run_s = (double)(uv_now(engine->loop) - request->started_ms) / 1000;
	double token_s = run_s * (1 - PREFILL_SHARE) / job->max_tokens;

	m->value[VALUE_PROMPT_TOKENS] += job->prompt_tokens;
	m->value[VALUE_PROMPT_LOCAL_COMPUTE] += job->prompt_tokens;
	m->value[VALUE_GENERATION_TOKENS] += job->max_tokens;
	m->value[VALUE_SUCCESS_LENGTH]++;
	standin_metrics_observe(m, DISTRIBUTION_PROMPT_TOKENS, job->prompt_tokens);
	standin_metrics_observe(m, DISTRIBUTION_PREFILL_KV, job->prompt_tokens);
	standin_metrics_observe(m, DISTRIBUTION_GENERATION_TOKENS, job->max_tokens);
	standin_metrics_observe(m, DISTRIBUTION_MAX_GENERATION_TOKENS, job->max_tokens);
	standin_metrics_observe(m, DISTRIBUTION_MAX_TOKENS, job->max_tokens);
	standin_metrics_observe(m, DISTRIBUTION_ITERATION_TOKENS, engine->running);
	standin_metrics_observe(m, DISTRIBUTION_N, job->n);
	standin_metrics_observe(m, DISTRIBUTION_PREEMPTIONS, 0);
	standin_metrics_observe(m, DISTRIBUTION_QUEUE, queue_s);
	standin_metrics_observe(m, DISTRIBUTION_PREFILL, run_s * PREFILL_SHARE);
	standin_metrics_observe(m, DISTRIBUTION_DECODE, run_s * (1 - PREFILL_SHARE));
	standin_metrics_observe(m, DISTRIBUTION_INFERENCE, run_s);
	standin_metrics_observe(m, DISTRIBUTION_E2E, queue_s + run_s);
	standin_metrics_observe(m, DISTRIBUTION_FIRST_TOKEN, queue_s + run_s * PREFILL_SHARE);
	standin_metrics_observe(m, DISTRIBUTION_INTER_TOKEN, token_s);
	standin_metrics_observe(m, DISTRIBUTION_PER_OUTPUT_TOKEN, token_s);
}

static void on_timer_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void report_idle(struct standin_engine *engine)
{
	if (engine->idle != NULL && engine->running + engine->waiting == 0) {
		engine->idle(engine->idle_ctx);
	}
}

static void start_next(struct standin_engine *engine);

/* A running request ends; the next takes its place before anybody is told, so that the gauges hold. */
static void leave(struct standin_request *request, bool finished)
{
	struct standin_engine *engine = request->engine;

	if (finished) {
		note_finished(engine, request);
	} else {
		engine->metrics.value[VALUE_SUCCESS_ABORT]++;
	}
	*request->link = request->next;
	if (request->next != NULL) {
		request->next->link = request->link;
	}
	engine->running--;
	uv_close((uv_handle_t *)&request->timer, on_timer_closed);
	start_next(engine);
	request->job.done(request->job.ctx, finished);
	report_idle(engine);
}

static void on_finished(uv_timer_t *timer)
{
	leave(timer->data, true);
}

static void run(struct standin_engine *engine, struct standin_request *request)
{
	request->running = true;
	request->started_ms = uv_now(engine->loop);
	request->next = engine->running_list;
	request->link = &engine->running_list;
	if (request->next != NULL) {
		request->next->link = &request->next;
	}
	engine->running_list = request;
	engine->running++;
	uv_timer_init(engine->loop, &request->timer);
	request->timer.data = request;
	uv_timer_start(&request->timer, on_finished, (uint64_t)engine->latency_ms, 0);
}

static void start_next(struct standin_engine *engine)
{
	while (engine->first != NULL && engine->running < engine->max_num_seqs) {
		struct standin_request *request = engine->first;

		engine->first = request->next;
		if (engine->first == NULL) {
			engine->last = &engine->first;
		}
		engine->waiting--;
		run(engine, request);
	}
	report_gauges(engine);
}

struct standin_request *standin_engine_submit(struct standin_engine *engine, const struct standin_job *job)
{
	struct standin_request *request = xcalloc(1, sizeof(*request));

	request->engine = engine;
	request->job = *job;
	request->arrived_ms = uv_now(engine->loop);
	*engine->last = request;
	engine->last = &request->next;
	engine->waiting++;
	engine->metrics.used = true;
	start_next(engine);
	return request;
}

static void leave_queue(struct standin_request *request)
{
	struct standin_engine *engine = request->engine;
	struct standin_request **link = &engine->first;

	while (*link != request) {
		link = &(*link)->next;
	}
	*link = request->next;
	if (request->next == NULL) {
		engine->last = link;
	}
	engine->waiting--;
	engine->metrics.value[VALUE_SUCCESS_ABORT]++;
	report_gauges(engine);
	request->job.done(request->job.ctx, false);
	free(request);
	report_idle(engine);
}

void standin_engine_cancel(struct standin_request *request)
{
	if (request->running) {
		leave(request, false);
	} else {
		leave_queue(request);
	}
}

void standin_engine_abort(struct standin_engine *engine)
{
	while (engine->first != NULL) {
		leave_queue(engine->first);
	}
	while (engine->running_list != NULL) {
		leave(engine->running_list, false);
	}
}
