/* What is remembered between passes: how long a status may wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "reconcile/plan.h"
#include "runtime/pass.h"

static const struct view *autoscaler(int generation, int told)
{
	auto_json *object = json_pack("{s:{s:s, s:i}, s:{s:i}}", "metadata", "name", "a", "generation", generation,
		"status", "observedGeneration", told);

	return view_decode(KIND_AUTOSCALER, object);
}

/* Whether a status is held that has waited for so long already; the last that was written is of generation `told`. */
static bool is_held_after(struct pass *pass, int told, bool progress, int64_t waited_ms, bool busy)
{
	auto_plan plan = {.status = json_object(), .progress = progress};
	auto_view *owner = autoscaler(2, told);
	int64_t again_ms;

	pass->held_since_ms = waited_ms > 0 ? clock_monotonic_ms() - waited_ms : 0;
	again_ms = pass_hold_progress(pass, &plan, owner, busy);
	assert_int_equal(again_ms > 0, plan.status == NULL);
	assert_in_range(again_ms, 0, (busy || told == 2 ? 20000 : 3000) - (again_ms > 0 ? waited_ms : 0));
	return plan.status == NULL;
}

static bool is_held(struct pass *pass, bool progress, int64_t waited_ms, bool busy)
{
	return is_held_after(pass, 1, progress, waited_ms, busy);
}

static void progress_waits_for_what_follows(void **state)
{
	struct pass pass = {.held_since_ms = 0};

	(void)state;
	assert_true(is_held(&pass, true, 0, false));
	assert_true(pass.held_since_ms > 0);
	assert_true(is_held(&pass, true, 2000, false));
	assert_false(is_held(&pass, true, 3000, false));
	assert_int_equal(pass.held_since_ms, 0); /* the next one waits anew */
}

/* Who has had a first word sees the next one when something is news, or much later. */
static void what_follows_a_first_word_waits_longer(void **state)
{
	struct pass pass = {.held_since_ms = 0};

	(void)state;
	assert_true(is_held_after(&pass, 2, true, 3000, false));
	assert_true(is_held_after(&pass, 2, true, 19000, false));
	assert_false(is_held_after(&pass, 2, true, 20000, false));
	assert_false(is_held_after(&pass, 2, false, 0, false));
}

static void while_much_is_written_it_waits_longer(void **state)
{
	struct pass pass = {.held_since_ms = 0};

	(void)state;
	assert_true(is_held(&pass, true, 3000, true));
	assert_true(is_held(&pass, true, 19000, true));
	assert_false(is_held(&pass, true, 20000, true));
}

static void what_is_news_waits_for_nothing(void **state)
{
	struct pass pass = {.held_since_ms = 0};

	(void)state;
	assert_false(is_held(&pass, false, 0, true));
	assert_false(is_held(&pass, false, 1000, true));
	assert_int_equal(pass.held_since_ms, 0);
}

static void no_status_is_not_held(void **state)
{
	struct pass pass = {.held_since_ms = 5};
	auto_plan plan = PLAN_INIT;

	(void)state;
	assert_int_equal(pass_hold_progress(&pass, &plan, NULL, true), 0);
	assert_int_equal(pass.held_since_ms, 0);
}

/* Once it waits, it is not even made until it has waited long enough. */
static void what_would_wait_is_not_made(void **state)
{
	struct pass pass = {.held_since_ms = 0};
	auto_plan plan = {.held = true};
	auto_view *owner = autoscaler(2, 1);

	(void)state;
	assert_false(pass_holds_progress(&pass, owner, false)); /* the first one is made, and may be news */
	pass.held_since_ms = clock_monotonic_ms() - 2000;
	assert_true(pass_holds_progress(&pass, owner, false));
	assert_in_range(pass_hold_progress(&pass, &plan, owner, false), 1, 1000);
	assert_true(pass.held_since_ms > 0);
	pass.held_since_ms = clock_monotonic_ms() - 3000;
	assert_false(pass_holds_progress(&pass, owner, false));
	assert_true(pass_holds_progress(&pass, owner, true));
	/* Its time came while the plan was made. */
	assert_int_equal(pass_hold_progress(&pass, &plan, owner, false), 1);
}

/* Its turn may come late where many came at once: then the wait begins with its children, which are followed by
 * Ready. */
static void what_waits_until_the_children_are_made_waits_on(void **state)
{
	struct pass pass = {.counts = true};
	auto_view *owner = autoscaler(2, 1);
	struct plan_write write = {.verb = PLAN_CREATE, .kind = KIND_SERVICE};
	struct plan plan = {.writes = &write, .count = 1, .progress = true};

	(void)state;
	for (int times = 0; times < 2; times++) {
		plan.status = json_object();
		pass.held_since_ms = clock_monotonic_ms() - 30000;
		pass_note_children(&pass, &plan);
		/* With the first ones only: who has to make them again and again is told. */
		assert_int_equal(pass_hold_progress(&pass, &plan, owner, true) > 0, times == 0);
		assert_int_equal(plan.status == NULL, times == 0);
		json_decref(plan.status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_waits_for_what_follows),
		cmocka_unit_test(what_follows_a_first_word_waits_longer),
		cmocka_unit_test(while_much_is_written_it_waits_longer),
		cmocka_unit_test(what_is_news_waits_for_nothing),
		cmocka_unit_test(no_status_is_not_held),
		cmocka_unit_test(what_would_wait_is_not_made),
		cmocka_unit_test(what_waits_until_the_children_are_made_waits_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
