/* The loop's turns are counted by how long its callbacks take, whichever these are, and not by how long it waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"
#include "runtime/turns.h"

#define MS UINT64_C(1000000)

static void ignore(void *ctx)
{
	(void)ctx;
}

static void end(uv_loop_t *loop, struct turns *turns)
{
	turns_close(turns, ignore, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

static void each_is_in_its_bucket(void **state)
{
	static const uint64_t wall_ns[] = {0, 5 * MS, 5 * MS + 1, 30 * MS, 2000 * MS};
	auto_strbuf page = STRBUF_INIT;
	uv_loop_t loop;
	struct turns *turns;

	(void)state;
	uv_loop_init(&loop);
	turns = turns_new(&loop);
	for (size_t i = 0; i < ARRAY_LEN(wall_ns); i++) {
		turns_count(turns, wall_ns[i], wall_ns[i] / 100);
	}
	turns_metrics(turns, &page);
	assert_string_equal(page.buf,
		"# HELP inference_autoscaler_loop_turn_seconds How long the turns of the operator's loop take, in which "
		"nothing else is done.\n"
		"# TYPE inference_autoscaler_loop_turn_seconds histogram\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"0.005\"} 2\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"0.01\"} 3\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"0.025\"} 3\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"0.05\"} 4\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"0.1\"} 4\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"0.25\"} 4\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"0.5\"} 4\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"1\"} 4\n"
		"inference_autoscaler_loop_turn_seconds_bucket{le=\"+Inf\"} 5\n"
		"inference_autoscaler_loop_turn_seconds_sum 2.040000\n"
		"inference_autoscaler_loop_turn_seconds_count 5\n"
		"# HELP inference_autoscaler_loop_turn_cpu_seconds How much time of a processor the turns of the "
		"operator's loop take; the rest of inference_autoscaler_loop_turn_seconds is mostly waiting for one.\n"
		"# TYPE inference_autoscaler_loop_turn_cpu_seconds histogram\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"0.005\"} 4\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"0.01\"} 4\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"0.025\"} 5\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"0.05\"} 5\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"0.1\"} 5\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"0.25\"} 5\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"0.5\"} 5\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"1\"} 5\n"
		"inference_autoscaler_loop_turn_cpu_seconds_bucket{le=\"+Inf\"} 5\n"
		"inference_autoscaler_loop_turn_cpu_seconds_sum 0.020400\n"
		"inference_autoscaler_loop_turn_cpu_seconds_count 5\n");
	end(&loop, turns);
}

static double value_of(const struct turns *turns, const char *measure, const char *sample)
{
	auto_free char *start = xasprintf("\ninference_autoscaler_loop_turn_%s_%s ", measure, sample);
	auto_strbuf page = STRBUF_INIT;

	turns_metrics(turns, &page);
	return atof(strstr(page.buf, start) + strlen(start));
}

/* Turns that took longer than 50 ms of the measure. */
static int longer(const struct turns *turns, const char *measure)
{
	return (int)(value_of(turns, measure, "count") - value_of(turns, measure, "bucket{le=\"0.05\"}"));
}

static int slow_ones(const struct turns *turns)
{
	return longer(turns, "seconds");
}

static void block(void)
{
	const struct timespec time = {.tv_nsec = 60 * 1000000};

	nanosleep(&time, NULL);
}

static void on_socket(uv_async_t *async)
{
	block();
	uv_close((uv_handle_t *)async, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	block();
	uv_close((uv_handle_t *)timer, NULL);
}

static void on_nothing(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

/* Until nothing but the turns' own handle is left. */
static void run_out(uv_loop_t *loop)
{
	while (loop->active_handles > 1) {
		uv_run(loop, UV_RUN_ONCE);
	}
	uv_run(loop, UV_RUN_NOWAIT); /* the end of the last turn is the next one's begin */
}

static void run_timer(uv_loop_t *loop, uv_timer_cb on_due, uint64_t delay_ms)
{
	uv_timer_t timer;

	uv_timer_init(loop, &timer);
	uv_timer_start(&timer, on_due, delay_ms, 0);
	run_out(loop);
}

static struct turns *begin_turns(uv_loop_t *loop)
{
	struct turns *turns;

	uv_loop_init(loop);
	turns = turns_new(loop);
	uv_run(loop, UV_RUN_NOWAIT);
	return turns;
}

static void who_blocks_is_seen(void **state)
{
	uv_loop_t loop;
	uv_async_t socket;
	struct turns *turns = begin_turns(&loop);
	int before;

	(void)state;
	before = slow_ones(turns);
	/* Its callback runs in the poll, as those of all sockets. */
	uv_async_init(&loop, &socket, on_socket);
	uv_async_send(&socket);
	run_out(&loop);
	assert_true(slow_ones(turns) > before);
	before = slow_ones(turns);
	run_timer(&loop, on_timer, 0);
	assert_true(slow_ones(turns) > before);
	end(&loop, turns);
}

static void on_work(uv_timer_t *timer)
{
	int64_t end = clock_worked_ns() + 60 * (int64_t)MS;

	while (clock_worked_ns() < end) {
	}
	uv_close((uv_handle_t *)timer, NULL);
}

/* A turn that only waits, as one does that gets no processor, takes none of its time. */
static void work_is_told_from_waiting(void **state)
{
	uv_loop_t loop;
	struct turns *turns = begin_turns(&loop);

	(void)state;
	run_timer(&loop, on_timer, 0);
	assert_true(slow_ones(turns) > 0);
	assert_int_equal(longer(turns, "cpu_seconds"), 0);
	run_timer(&loop, on_work, 0);
	assert_int_equal(longer(turns, "cpu_seconds"), 1);
	end(&loop, turns);
}

static void who_waits_is_not(void **state)
{
	uv_loop_t loop;
	struct turns *turns = begin_turns(&loop);

	(void)state;
	run_timer(&loop, on_nothing, 500);
	assert_true(value_of(turns, "seconds", "count") >= 1);
	assert_true(value_of(turns, "seconds", "sum") < 0.4);
	end(&loop, turns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_in_its_bucket),
		cmocka_unit_test(who_blocks_is_seen),
		cmocka_unit_test(who_waits_is_not),
		cmocka_unit_test(work_is_told_from_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
