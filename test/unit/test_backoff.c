/* Delays of the exponential back-off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/backoff.h"

static void assert_between(int64_t value, int64_t low, int64_t high)
{
	assert_true(value >= low);
	assert_true(value < high);
}

static void doubles_up_to_the_cap(void **state)
{
	static const int64_t wanted[] = {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
	struct backoff backoff;

	(void)state;
	for (uint64_t seed = 0; seed < 200; seed++) {
		int64_t now = 1000;

		backoff_init(&backoff, seed);
		for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			int64_t delay = backoff_next(&backoff, now, -1);

			assert_between(delay, wanted[i], 2 * wanted[i]);
			now += delay;
		}
	}
}

static void jitter_spreads_and_follows_the_seed(void **state)
{
	struct backoff one, same, other;
	int differing = 0;

	(void)state;
	backoff_init(&one, 7);
	backoff_init(&same, 7);
	backoff_init(&other, 8);
	for (int i = 0; i < 8; i++) {
		int64_t delay = backoff_next(&one, 0, -1);

		assert_int_equal(delay, backoff_next(&same, 0, -1));
		differing += delay != backoff_next(&other, 0, -1);
	}
	assert_true(differing >= 7);
}

static void two_healthy_minutes_are_forgiven(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, 1);
	for (int i = 0; i < 8; i++) {
		backoff_next(&backoff, 5000, -1);
	}
	assert_between(backoff_next(&backoff, 5000 + 120000, -1), 30000, 60000);
	assert_between(backoff_next(&backoff, 5000 + 240001, -1), 800, 1600);
}

static void reset_starts_over(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, 1);
	backoff_next(&backoff, 0, -1);
	backoff_next(&backoff, 0, -1);
	backoff_reset(&backoff);
	assert_between(backoff_next(&backoff, 0, -1), 800, 1600);
}

static void retry_after_counts_when_longer(void **state)
{
	struct backoff backoff;

	(void)state;
	backoff_init(&backoff, 1);
	assert_int_equal(backoff_next(&backoff, 0, 120000), 120000);
	assert_between(backoff_next(&backoff, 0, 10), 1600, 3200);
	assert_between(backoff_next(&backoff, 0, 0), 3200, 6400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doubles_up_to_the_cap),
		cmocka_unit_test(jitter_spreads_and_follows_the_seed),
		cmocka_unit_test(two_healthy_minutes_are_forgiven),
		cmocka_unit_test(reset_starts_over),
		cmocka_unit_test(retry_after_counts_when_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
