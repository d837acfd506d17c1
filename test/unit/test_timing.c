/* When the next probe of a key begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "probe/timing.h"

#define SOON_MS 1000

/* The first healthy one has Prometheus asked by itself from then on: half a minute without it would be half a minute
 * without news. */
static void test_one_that_healed_while_it_was_probed_is_probed_soon(void **state)
{
	struct timing timing = {.interval = PROBE_HEALTHY, .healed = true};
	unsigned seed = 1;
	enum timing_calm calm;

	(void)state;
	assert_in_range(timing_next(&timing, NULL, &seed), 0, SOON_MS);
	assert_true(timing_begin(&timing, &calm));
	assert_int_equal(calm, TIMING_CALM);
	assert_true(timing_next(&timing, NULL, &seed) > SOON_MS);
}

static void test_one_that_broke_again_waits_its_time(void **state)
{
	struct timing timing = {.interval = PROBE_BROKEN, .healed = false};
	unsigned seed = 1;

	(void)state;
	assert_true(timing_next(&timing, NULL, &seed) > SOON_MS);
}

/* What the HPA reads first is notified: until it had its time nothing is to be seen. */
static void test_one_that_waits_for_its_hpa_rests(void **state)
{
	struct timing timing = {.interval = PROBE_WAITING};
	struct evidence last = {.awaited_ms = 15000};
	unsigned seed = 1;

	(void)state;
	assert_in_range(timing_next(&timing, &last, &seed), 15000, 18000);
	last.again_ms = 1500;
	assert_in_range(timing_next(&timing, &last, &seed), 0, 1500);
	last = (struct evidence){.awaited_ms = 0};
	assert_in_range(timing_next(&timing, &last, &seed), 0, 6000);
	last.awaited_ms = 15000;
	timing.changed = true;
	assert_int_equal(timing_next(&timing, &last, &seed), 0);
	timing.interval = PROBE_BROKEN;
	assert_in_range(timing_next(&timing, &last, &seed), 0, 3000);
}

/* Its children are to be made first. */
static void test_a_change_before_the_children_waits_for_them(void **state)
{
	struct timing timing = {.interval = PROBE_LATER, .changed = true};
	enum timing_calm calm;
	unsigned seed = 1;

	(void)state;
	assert_int_equal(timing_next(&timing, NULL, &seed), 20000);
	timing.interval = PROBE_WAITING;
	assert_int_equal(timing_next(&timing, NULL, &seed), 0);
	assert_false(timing_begin(&timing, &calm));
	assert_int_equal(calm, TIMING_UNREST);
	assert_true(timing_next(&timing, NULL, &seed) > 0);
	assert_false(timing_begin(&timing, &calm));
	assert_int_equal(calm, TIMING_WAITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_that_healed_while_it_was_probed_is_probed_soon),
		cmocka_unit_test(test_one_that_broke_again_waits_its_time),
		cmocka_unit_test(test_one_that_waits_for_its_hpa_rests),
		cmocka_unit_test(test_a_change_before_the_children_waits_for_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
