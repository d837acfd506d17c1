/* The stand-in's queue: how many run, who waits, and what the metrics say meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/memory.h"
#include "event_loop.h"
#include "standin/engine.h"

#define JOBS 12

struct world {
	struct event_loop loop;
	struct standin_engine engine;
	int done, aborted, idle;
	int order[JOBS]; /* the jobs in the order they ended */
	struct job {
		struct world *world;
		int number;
	} jobs[JOBS];
};

static void check_gauges(const struct world *w, int running, int waiting)
{
	const double *value = w->engine.metrics.value;

	assert_int_equal(w->engine.running, running);
	assert_int_equal(w->engine.waiting, waiting);
	assert_int_equal((int)value[VALUE_RUNNING], running);
	assert_int_equal((int)value[VALUE_WAITING], waiting);
	assert_int_equal((int)value[VALUE_WAITING_CAPACITY], waiting);
	assert_true(value[VALUE_CACHE_USAGE] == (double)running / w->engine.max_num_seqs);
}

static void on_done(void *ctx, bool finished)
{
	struct job *job = ctx;
	struct world *w = job->world;
	int left;

	w->order[w->done++] = job->number;
	w->aborted += !finished;
	/* The gauges already report the next when we are notified. */
	left = JOBS - w->done;
	if (finished) {
		check_gauges(w, left < 4 ? left : 4, left < 4 ? 0 : left - 4);
	}
}

static void on_idle(void *ctx)
{
	((struct world *)ctx)->idle++;
}

static struct standin_request *submit(struct world *w, int number)
{
	w->jobs[number] = (struct job){w, number};
	return standin_engine_submit(&w->engine, &(struct standin_job){.prompt_tokens = 3,
							 .max_tokens = 10,
							 .n = 1,
							 .done = on_done,
							 .ctx = &w->jobs[number]});
}

static struct world *world_new(int64_t latency_ms)
{
	struct world *w = xcalloc(1, sizeof(*w));

	event_loop_init(&w->loop);
	standin_engine_init(&w->engine, &w->loop.uv, 4, latency_ms, 0);
	w->engine.idle = on_idle;
	w->engine.idle_ctx = w;
	return w;
}

static void world_free(struct world *w)
{
	assert_true(event_loop_end(&w->loop));
	free(w);
}

static void the_rest_waits_in_order(void **state)
{
	struct world *w = world_new(20);
	const struct standin_metrics *m = &w->engine.metrics;
	size_t buckets;

	(void)state;
	check_gauges(w, 0, 0);
	for (int i = 0; i < JOBS; i++) {
		submit(w, i);
		check_gauges(w, i < 4 ? i + 1 : 4, i < 4 ? 0 : i - 3);
	}
	assert_int_equal(w->done, 0);
	assert_true(event_loop_wait(&w->loop, &w->done, JOBS));
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(w->order[i], i);
	}
	assert_int_equal(w->aborted, 0);
	assert_int_equal(w->idle, 1);
	check_gauges(w, 0, 0);
	assert_int_equal((int)m->value[VALUE_SUCCESS_LENGTH], JOBS);
	assert_int_equal((int)m->value[VALUE_PROMPT_TOKENS], 3 * JOBS);
	assert_int_equal((int)m->value[VALUE_GENERATION_TOKENS], 10 * JOBS);
	assert_int_equal((int)m->distribution[DISTRIBUTION_E2E].count, JOBS);
	/* Rounds of four at 20 ms: the second waited 20 ms each, the third 40. */
	assert_true(m->distribution[DISTRIBUTION_QUEUE].sum > 0.239);
	assert_true(m->distribution[DISTRIBUTION_E2E].sum > 0.479);
	standin_metrics_bounds(DISTRIBUTION_E2E, &buckets);
	assert_int_equal((int)m->distribution[DISTRIBUTION_E2E].buckets[buckets - 1], JOBS);
	world_free(w);
}

static void a_cancelled_one_makes_room(void **state)
{
	struct world *w = world_new(100000);
	struct standin_request *request[JOBS];

	(void)state;
	for (int i = 0; i < 7; i++) {
		request[i] = submit(w, i);
	}
	check_gauges(w, 4, 3);
	standin_engine_cancel(request[5]); /* waits */
	check_gauges(w, 4, 2);
	standin_engine_cancel(request[6]); /* waits last */
	check_gauges(w, 4, 1);
	standin_engine_cancel(request[1]); /* runs, and 4 takes its place */
	check_gauges(w, 4, 0);
	request[7] = submit(w, 7);
	check_gauges(w, 4, 1);
	standin_engine_cancel(request[7]);
	check_gauges(w, 4, 0);
	assert_int_equal(w->aborted, 4);
	assert_int_equal((int)w->engine.metrics.value[VALUE_SUCCESS_ABORT], 4);
	assert_int_equal(w->idle, 0);
	standin_engine_abort(&w->engine);
	check_gauges(w, 0, 0);
	assert_int_equal(w->done, 8);
	assert_int_equal(w->aborted, 8);
	assert_int_equal(w->idle, 1);
	world_free(w);
}

static void abort_ends_all(void **state)
{
	struct world *w = world_new(100000);

	(void)state;
	for (int i = 0; i < JOBS; i++) {
		submit(w, i);
	}
	standin_engine_abort(&w->engine);
	assert_int_equal(w->done, JOBS);
	assert_int_equal(w->aborted, JOBS);
	check_gauges(w, 0, 0);
	standin_engine_abort(&w->engine); /* nothing left to do */
	assert_int_equal(w->done, JOBS);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rest_waits_in_order),
		cmocka_unit_test(a_cancelled_one_makes_room),
		cmocka_unit_test(abort_ends_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
