/* The work queue keeps client-go's promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "runtime/queue.h"

/* A queue with a log of what was worked on; a key stays in work until the test says done. */
struct rig {
	uv_loop_t loop;
	struct queue *queue;
	struct strbuf log;
	unsigned running;
	unsigned most;
	bool done_at_once;
};

static void work(void *ctx, const char *key)
{
	struct rig *rig = ctx;

	strbuf_addf(&rig->log, "%s ", key);
	rig->running++;
	rig->most = rig->running > rig->most ? rig->running : rig->most;
	if (rig->done_at_once) {
		rig->running--;
		queue_done(rig->queue, key);
	}
}

static void rig_init(struct rig *rig, unsigned parallel, bool done_at_once)
{
	*rig = (struct rig){.done_at_once = done_at_once};
	strbuf_init(&rig->log);
	uv_loop_init(&rig->loop);
	rig->queue = queue_new(&rig->loop, parallel, work, rig);
}

static void ignore(void *ctx)
{
	(void)ctx;
}

static void rig_release(struct rig *rig)
{
	queue_close(rig->queue, ignore, NULL);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	strbuf_release(&rig->log);
}

/* Runs until nothing is due any more. */
static void settle(struct rig *rig)
{
	uv_run(&rig->loop, UV_RUN_DEFAULT);
}

static void done(struct rig *rig, const char *key)
{
	rig->running--;
	queue_done(rig->queue, key);
}

static void test_a_waiting_key_waits_once(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 4, true);
	queue_add(rig.queue, "a");
	queue_add(rig.queue, "a");
	queue_add(rig.queue, "b");
	assert_string_equal(rig.log.buf, ""); /* never from inside add */
	settle(&rig);
	assert_true(strcmp(rig.log.buf, "a b ") == 0 || strcmp(rig.log.buf, "b a ") == 0);
	assert_int_equal(queue_length(rig.queue), 0);
	rig_release(&rig);
}

static void test_a_key_in_work_comes_again_after(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 4, false);
	queue_add(rig.queue, "a");
	settle(&rig);
	queue_add(rig.queue, "a");
	queue_add(rig.queue, "a");
	settle(&rig);
	assert_string_equal(rig.log.buf, "a "); /* not twice at a time */
	done(&rig, "a");
	settle(&rig);
	assert_string_equal(rig.log.buf, "a a "); /* once more, not twice */
	done(&rig, "a");
	settle(&rig);
	assert_string_equal(rig.log.buf, "a a ");
	rig_release(&rig);
}

static void test_no_more_than_parallel_are_in_work(void **state)
{
	static const char *const keys[] = {"a", "b", "c", "d", "e"};
	struct rig rig;

	(void)state;
	rig_init(&rig, 2, false);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		queue_add(rig.queue, keys[i]);
	}
	settle(&rig);
	assert_int_equal(rig.running, 2);
	while (rig.running > 0) {
		/* The key in work is the log's last but (running - 1). */
		char key[2] = {rig.log.buf[rig.log.len - 2 * rig.running], '\0'};

		done(&rig, key);
		settle(&rig);
	}
	assert_int_equal(rig.most, 2);
	assert_int_equal(rig.log.len, 2 * ARRAY_LEN(keys));
	rig_release(&rig);
}

static void test_a_later_time_does_not_delay(void **state)
{
	struct rig rig;
	int64_t start = clock_monotonic_ms();

	(void)state;
	rig_init(&rig, 1, true);
	queue_add_after(rig.queue, "a", 20);
	queue_add_after(rig.queue, "a", 60000);
	settle(&rig);
	assert_string_equal(rig.log.buf, "a ");
	assert_in_range((uintmax_t)(clock_monotonic_ms() - start), 19, 30000);
	rig_release(&rig);
}

static void test_an_earlier_time_wins(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, true);
	queue_add_after(rig.queue, "a", 60000);
	queue_add(rig.queue, "a");
	settle(&rig);
	assert_string_equal(rig.log.buf, "a ");
	rig_release(&rig);
}

/* How long the next limited add of a key makes it wait. */
static int64_t limited_wait(struct rig *rig, const char *key, int64_t at_least)
{
	int64_t start = clock_monotonic_ms();

	queue_add_limited(rig->queue, key, at_least);
	settle(rig);
	return clock_monotonic_ms() - start;
}

static void test_failures_back_off_and_are_forgotten(void **state)
{
	struct rig rig;
	int64_t waited = 0;

	(void)state;
	rig_init(&rig, 1, true);
	for (int i = 0; i < 6; i++) {
		waited = limited_wait(&rig, "a", 0);
	}
	assert_true(waited >= 5 * 32 - 1); /* 5 ms · 2^5 */
	queue_forget(rig.queue, "a");
	assert_true(limited_wait(&rig, "a", 0) < waited);
	rig_release(&rig);
}

static void test_retry_after_is_honoured(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, true);
	assert_true(limited_wait(&rig, "a", 50) >= 49);
	rig_release(&rig);
}

/* A busy server is left alone for as long as it asked, whatever news of the key comes meanwhile. */
static void test_news_do_not_shorten_a_retry_after(void **state)
{
	struct rig rig;
	int64_t start = clock_monotonic_ms();

	(void)state;
	rig_init(&rig, 1, true);
	queue_add_limited(rig.queue, "a", 60);
	queue_add(rig.queue, "a");
	queue_add_after(rig.queue, "a", 10);
	settle(&rig);
	assert_string_equal(rig.log.buf, "a ");
	assert_true(clock_monotonic_ms() - start >= 59);
	/* Who was let in since is not held any more. */
	queue_add_limited(rig.queue, "a", 60000);
	queue_forget(rig.queue, "a");
	queue_add(rig.queue, "a");
	settle(&rig);
	assert_string_equal(rig.log.buf, "a a ");
	rig_release(&rig);
}

static void test_a_closing_queue_takes_nothing(void **state)
{
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, true);
	queue_add(rig.queue, "a");
	queue_close(rig.queue, ignore, NULL);
	queue_add(rig.queue, "b");
	settle(&rig);
	assert_string_equal(rig.log.buf, "");
	assert_int_equal(uv_loop_close(&rig.loop), 0);
	strbuf_release(&rig.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_waiting_key_waits_once),
		cmocka_unit_test(test_a_key_in_work_comes_again_after),
		cmocka_unit_test(test_no_more_than_parallel_are_in_work),
		cmocka_unit_test(test_a_later_time_does_not_delay),
		cmocka_unit_test(test_an_earlier_time_wins),
		cmocka_unit_test(test_failures_back_off_and_are_forgotten),
		cmocka_unit_test(test_retry_after_is_honoured),
		cmocka_unit_test(test_news_do_not_shorten_a_retry_after),
		cmocka_unit_test(test_a_closing_queue_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
