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

	(void)state;
	assert_in_range(timing_next(&timing, 0, &seed), 0, SOON_MS);
	assert_true(timing_begin(&timing));
	assert_true(timing_next(&timing, 0, &seed) > SOON_MS);
}

static void test_one_that_broke_again_waits_its_time(void **state)
{
	struct timing timing = {.interval = PROBE_BROKEN, .healed = false};
	unsigned seed = 1;

	(void)state;
	assert_true(timing_next(&timing, 0, &seed) > SOON_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_that_healed_while_it_was_probed_is_probed_soon),
		cmocka_unit_test(test_one_that_broke_again_waits_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
