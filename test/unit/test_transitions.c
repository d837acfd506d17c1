/* Which changes of a status are news, and which are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "report/transitions.h"

/* A status as the operator writes it; `desired` -1 = no replicas. */
static json_t *status(const char *ready, const char *reason, const char *message, int desired)
{
	json_t *made = json_pack("{s:[{s:s, s:s}, {s:s, s:s, s:s, s:s}]}", "conditions", "type", "Accepted", "status",
		"True", "type", "Ready", "status", ready, "reason", reason, "message", message);

	if (desired >= 0) {
		json_object_set_new(made, "replicas", json_pack("{s:i, s:i}", "current", 1, "desired", desired));
	}
	return made;
}

/* An InferenceAutoscaler of this status; NULL = it has none. */
static const struct view *reported(json_t *status)
{
	auto_json *object = json_pack("{s:O*}", "status", status);

	return view_decode(KIND_AUTOSCALER, object);
}

/* Releases both; the one transition expected, or none when `reason` is NULL. */
static void expect(json_t *before, json_t *after, bool warning, const char *reason, const char *note)
{
	struct transition found[TRANSITIONS_MAX];
	auto_view *view = reported(before);
	size_t count = transitions_find(&view_autoscaler(view)->status, after, found);

	assert_int_equal(count, reason != NULL ? 1 : 0);
	if (reason != NULL) {
		assert_int_equal(found[0].warning, warning);
		assert_string_equal(found[0].reason, reason);
		assert_string_equal(found[0].note, note);
		assert_true(found[0].action[0] >= 'A' && found[0].action[0] <= 'Z');
	}
	transitions_release(found, count);
	json_decref(before);
	json_decref(after);
}

static void becoming_ready_is_news(void **state)
{
	(void)state;
	expect(status("False", "NoTargets", "m", -1), status("True", "Ready", "works", -1), false, "Ready", "works");
	expect(status("Unknown", "Probing", "m", -1), status("True", "Ready", "works", -1), false, "Ready", "works");
	expect(NULL, status("True", "Ready", "works", -1), false, "Ready", "works");
}

static void breaking_is_a_warning_with_the_links_reason(void **state)
{
	(void)state;
	expect(status("True", "Ready", "works", -1), status("False", "ScrapeFailing", "ScrapeHealthy: refused", -1),
		true, "ScrapeFailing", "ScrapeHealthy: refused");
	expect(NULL, status("False", "TargetNotFound", "m", -1), true, "TargetNotFound", "m");
}

static void what_stays_broken_is_no_news(void **state)
{
	(void)state;
	expect(status("False", "ScrapeFailing", "a", -1), status("False", "NoTargets", "b", -1), false, NULL, NULL);
	expect(status("True", "Ready", "works", -1), status("True", "Paused", "held", -1), false, NULL, NULL);
}

static void what_is_not_known_is_no_news(void **state)
{
	(void)state;
	expect(NULL, status("Unknown", "Probing", "m", -1), false, NULL, NULL);
	expect(status("True", "Ready", "works", -1), status("Unknown", "RollingOut", "m", -1), false, NULL, NULL);
	expect(NULL, json_object(), false, NULL, NULL);
}

static void scaling_is_news(void **state)
{
	(void)state;
	expect(status("True", "Ready", "works", 1), status("True", "Ready", "works", 3), false, "Scaled",
		"the wanted replicas went from 1 to 3");
	expect(status("True", "Ready", "works", 3), status("True", "Ready", "works", 3), false, NULL, NULL);
}

static void the_first_count_of_replicas_is_no_scaling(void **state)
{
	(void)state;
	expect(status("Unknown", "Probing", "m", -1), status("Unknown", "Probing", "m", 3), false, NULL, NULL);
	expect(status("Unknown", "Probing", "m", 3), status("Unknown", "Probing", "m", -1), false, NULL, NULL);
	expect(status("Unknown", "Probing", "m", 1), status("Unknown", "Probing", "m", 0), false, NULL, NULL);
	expect(status("Unknown", "Probing", "m", 0), status("Unknown", "Probing", "m", 1), false, NULL, NULL);
}

static void two_at_once_are_two(void **state)
{
	auto_json *before = status("True", "Ready", "works", 1);
	auto_json *after = status("False", "NoPods", "none", 2);
	struct transition found[TRANSITIONS_MAX];
	auto_view *view = reported(before);
	size_t count = transitions_find(&view_autoscaler(view)->status, after, found);

	(void)state;
	assert_int_equal(count, 2);
	assert_string_equal(found[0].reason, "NoPods");
	assert_string_equal(found[1].reason, "Scaled");
	transitions_release(found, count);
}

static json_t *advised(json_t *status_take, const char *reason, const char *message)
{
	json_object_set_new(status_take, "advice", json_pack("[{s:s, s:s}]", "reason", reason, "message", message));
	return status_take;
}

static void advice_is_reported_when_it_is_first_given(void **state)
{
	(void)state;
	expect(status("True", "Ready", "works", -1),
		advised(status("True", "Ready", "works", -1), "RelistLong", "set it"), true, "RelistLong", "set it");
	expect(advised(status("True", "Ready", "works", -1), "RelistLong", "every 10m"),
		advised(status("True", "Ready", "works", -1), "RelistLong", "every 5m"), false, NULL, NULL);
	expect(advised(status("True", "Ready", "works", -1), "RelistLong", "m"),
		advised(status("True", "Ready", "works", -1), "NameLeaves", "another"), true, "NameLeaves", "another");
	expect(advised(status("True", "Ready", "works", -1), "RelistLong", "m"), status("True", "Ready", "works", -1),
		false, NULL, NULL);
}

/* In force from then on. */
static json_t *falling_back(json_t *status_take)
{
	json_array_append_new(json_object_get(status_take, "conditions"),
		json_pack("{s:s, s:s, s:s}", "type", "FallbackActive", "status", "True", "message", "3 instead of 1"));
	return status_take;
}

static void a_fallback_is_news_when_it_begins_and_when_it_ends(void **state)
{
	(void)state;
	expect(status("False", "NoTargets", "m", -1), falling_back(status("False", "NoTargets", "m", -1)), true,
		"FallbackActive", "3 instead of 1");
	expect(falling_back(status("False", "NoTargets", "m", -1)), falling_back(status("Unknown", "Waiting", "m", -1)),
		false, NULL, NULL);
	expect(falling_back(status("True", "Ready", "works", -1)), status("True", "Ready", "works", -1), false,
		"FallbackEnded", "spec.fallback is not in force any more");
}

static void on_the_way_up_ready_is_the_only_news(void **state)
{
	(void)state;
	expect(NULL, advised(status("Unknown", "Probing", "m", -1), "RelistLong", "m"), false, NULL, NULL);
	expect(status("Unknown", "Waiting", "m", -1), advised(status("True", "Ready", "works", -1), "RelistLong", "m"),
		false, "Ready", "works");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(becoming_ready_is_news),
		cmocka_unit_test(breaking_is_a_warning_with_the_links_reason),
		cmocka_unit_test(what_stays_broken_is_no_news),
		cmocka_unit_test(what_is_not_known_is_no_news),
		cmocka_unit_test(scaling_is_news),
		cmocka_unit_test(the_first_count_of_replicas_is_no_scaling),
		cmocka_unit_test(two_at_once_are_two),
		cmocka_unit_test(advice_is_reported_when_it_is_first_given),
		cmocka_unit_test(a_fallback_is_news_when_it_begins_and_when_it_ends),
		cmocka_unit_test(on_the_way_up_ready_is_the_only_news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
