/* Somebody who changes a child back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chain/child_fight.h"

#define MINUTE (60 * 1000)
#define START INT64_C(1700000000000)

/* How often a child is mended that is changed back each second, over so many minutes. */
static int mends_in(struct child_fight *fight, const char *wanted, int64_t from_ms, int minutes)
{
	uint64_t mark = child_fight_mark(wanted);
	int mends = 0;

	for (int64_t now_ms = from_ms; now_ms < from_ms + (int64_t)minutes * MINUTE; now_ms += 1000) {
		if (child_fight_rest_ms(fight, mark, now_ms) == 0) {
			child_fight_plan(fight, mark);
			child_fight_settle(fight, true, now_ms);
			mends++;
		}
	}
	return mends;
}

static void a_fight_costs_few_writes(void **state)
{
	struct child_fight fight = {.wanted = 0};

	(void)state;
	assert_int_equal(mends_in(&fight, "a", START, 1), 2);
	assert_int_equal(mends_in(&fight, "a", START + MINUTE, 9), 0);
	assert_int_equal(mends_in(&fight, "a", START + 10 * MINUTE, 24 * 60), 25);
}

static void an_edit_now_and_then_is_mended_at_once(void **state)
{
	struct child_fight fight = {.wanted = 0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		int64_t now_ms = START + (int64_t)i * 11 * MINUTE;

		assert_int_equal(child_fight_rest_ms(&fight, child_fight_mark("a"), now_ms), 0);
		child_fight_plan(&fight, child_fight_mark("a"));
		child_fight_settle(&fight, true, now_ms);
	}
	assert_int_equal(child_fight_rest_ms(&fight, child_fight_mark("a"), START + 100 * 11 * MINUTE), 0);
}

static void another_spec_begins_anew(void **state)
{
	struct child_fight fight = {.wanted = 0};

	(void)state;
	assert_int_equal(mends_in(&fight, "a", START, 1), 2);
	assert_int_equal(mends_in(&fight, "b", START + MINUTE, 1), 2);
}

static void what_could_not_be_written_is_no_mend(void **state)
{
	struct child_fight fight = {.wanted = 0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(child_fight_rest_ms(&fight, child_fight_mark("a"), START + i), 0);
		child_fight_plan(&fight, child_fight_mark("a"));
		child_fight_settle(&fight, false, START + i);
	}
}

static void a_clock_that_was_set_back_makes_no_wait_longer(void **state)
{
	struct child_fight fight = {.wanted = 0};

	(void)state;
	assert_int_equal(mends_in(&fight, "a", START, 1), 2);
	assert_int_equal(child_fight_rest_ms(&fight, child_fight_mark("a"), START - 60 * MINUTE), 0);
	assert_int_equal(child_fight_rest_ms(NULL, child_fight_mark("a"), START), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fight_costs_few_writes),
		cmocka_unit_test(an_edit_now_and_then_is_mended_at_once),
		cmocka_unit_test(another_spec_begins_anew),
		cmocka_unit_test(what_could_not_be_written_is_no_mend),
		cmocka_unit_test(a_clock_that_was_set_back_makes_no_wait_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
