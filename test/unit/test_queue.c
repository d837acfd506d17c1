/* The work queue keeps client-go's promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

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

static void rig_init_with(struct rig *rig, unsigned parallel, bool done_at_once, queue_urgent_fn *urgent)
{
	*rig = (struct rig){.done_at_once = done_at_once};
	strbuf_init(&rig->log);
	uv_loop_init(&rig->loop);
	rig->queue = queue_new(&rig->loop, parallel, work, urgent, rig);
}

static void rig_init(struct rig *rig, unsigned parallel, bool done_at_once)
{
	rig_init_with(rig, parallel, done_at_once, NULL);
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

/* What came while the key was worked on came before the server said so. */
static void test_news_during_the_work_do_not_shorten_a_retry_after(void **state)
{
	struct rig rig;
	int64_t start = clock_monotonic_ms();

	(void)state;
	rig_init(&rig, 1, false);
	queue_add(rig.queue, "a");
	settle(&rig);
	queue_add(rig.queue, "a");
	queue_add_limited(rig.queue, "a", 60);
	done(&rig, "a");
	settle(&rig);
	assert_string_equal(rig.log.buf, "a a ");
	assert_true(clock_monotonic_ms() - start >= 59);
	done(&rig, "a");
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

static void test_due_at_the_same_time_they_come_in_order(void **state)
{
	static const char *const keys[] = {"d", "b", "e", "a", "c"};
	struct rig rig;

	(void)state;
	rig_init(&rig, 1, true);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			queue_add(rig.queue, keys[i]);
		}
		settle(&rig);
		assert_string_equal(rig.log.buf, "d b e a c ");
		strbuf_reset(&rig.log);
	}
	rig_release(&rig);
}

static bool is_small(void *ctx, const char *key)
{
	(void)ctx;
	return *key >= 'a';
}

static void add_each(struct rig *rig, const char *keys)
{
	for (; *keys != '\0'; keys++) {
		queue_add(rig->queue, (const char[]){*keys, '\0'});
	}
}

static void test_others_give_way_to_the_urgent_but_are_not_forgotten(void **state)
{
	struct rig rig;

	(void)state;
	rig_init_with(&rig, 1, true, is_small);
	add_each(&rig, "ABCDabcdefghijklmno");
	assert_int_equal(queue_length(rig.queue), 19);
	settle(&rig);
	assert_string_equal(rig.log.buf, "a b c d e f g A h i j k l m n B o C D ");
	strbuf_reset(&rig.log);
	/* Also one that was to come later, and is to come at once now. */
	queue_add_after(rig.queue, "a", 60000);
	queue_add(rig.queue, "A");
	queue_add(rig.queue, "a");
	settle(&rig);
	assert_string_equal(rig.log.buf, "a A ");
	rig_release(&rig);
}

/* This process' own time, however busy the machine. */
static double cpu_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Optimised, all of this takes less than 50 ms; here it may be built with sanitizers. */
static void test_ten_thousand_keys_cost_little(void **state)
{
	struct rig rig;
	double start = cpu_ms();
	double added;
	double worked;

	(void)state;
	rig_init(&rig, 4, true);
	for (int i = 0; i < 10000; i++) {
		auto_free char *key = xasprintf("namespace-%d/autoscaler-%d", i % 100, i);

		queue_add(rig.queue, key);
	}
	added = cpu_ms();
	assert_int_equal(queue_length(rig.queue), 10000);
	settle(&rig);
	worked = cpu_ms();
	assert_int_equal(queue_length(rig.queue), 0);
	print_message("10000 keys: added in %.1f ms, worked off in %.1f ms\n", added - start, worked - added);
	assert_true(worked - start < 500);
	rig_release(&rig);
}

/* A queue whose work ends at once, but takes a millisecond. */
struct slow {
	struct queue *queue;
	int left; /* so often the key comes again at once */
	int worked;
};

static void work_slowly(void *ctx, const char *key)
{
	struct slow *slow = ctx;
	double end = cpu_ms() + 1;

	while (cpu_ms() < end) {
	}
	slow->worked++;
	if (slow->left > 0) {
		slow->left--;
		queue_add(slow->queue, key);
	}
	queue_done(slow->queue, key);
}

/* Runs the loop to its end; the most that was worked on in one turn of it. */
static int most_in_a_turn(uv_loop_t *loop, const struct slow *slow)
{
	int most = 0;
	bool goes_on = true;

	while (goes_on) {
		int before = slow->worked;

		goes_on = uv_run(loop, UV_RUN_NOWAIT) != 0; /* one turn */
		most = slow->worked - before > most ? slow->worked - before : most;
	}
	return most;
}

/* Others have their turn: the loop's sockets and timers are not to wait for all that is due. */
static void test_a_turn_is_short(void **state)
{
	uv_loop_t loop;
	struct slow slow = {.left = 0};
	int most;

	(void)state;
	uv_loop_init(&loop);
	slow.queue = queue_new(&loop, 4, work_slowly, NULL, &slow);
	for (int i = 0; i < 50; i++) {
		auto_free char *key = xasprintf("shop/a%d", i);

		queue_add(slow.queue, key);
	}
	most = most_in_a_turn(&loop, &slow);
	assert_int_equal(slow.worked, 50);
	assert_in_range(most, 5, 11);
	/* Nor is the turn longer when what is worked on brings more. */
	slow.left = 50;
	queue_add(slow.queue, "stack");
	most = most_in_a_turn(&loop, &slow);
	assert_int_equal(slow.worked, 101);
	assert_in_range(most, 1, 11);
	queue_close(slow.queue, ignore, NULL);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&loop), 0);
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
		cmocka_unit_test(test_news_during_the_work_do_not_shorten_a_retry_after),
		cmocka_unit_test(test_a_closing_queue_takes_nothing),
		cmocka_unit_test(test_due_at_the_same_time_they_come_in_order),
		cmocka_unit_test(test_others_give_way_to_the_urgent_but_are_not_forgotten),
		cmocka_unit_test(test_ten_thousand_keys_cost_little),
		cmocka_unit_test(test_a_turn_is_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
