/* What the autoscaler's status says of a metric beside its HPA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "chain/hpa_says.h"
#include "view_rig.h"

#define METRIC "vllm_num_requests_running"

static json_t *served_condition(json_t *object)
{
	return json_find(json_path(object, "status.conditions"), "type", "MetricServed");
}

static void nothing(json_t *object)
{
	(void)object;
}

static void of_an_older_spec(json_t *object)
{
	json_object_set_new(json_object_get(object, "metadata"), "generation", json_integer(2));
}

static void is_not_served(json_t *object)
{
	json_object_set_new(served_condition(object), "status", json_string("Unknown"));
}

static void of_the_signal_it_is_not(json_t *object)
{
	json_object_set_new(json_array_get(json_path(object, "status.signals"), 0), "served", json_false());
}

static void of_another_metric(json_t *object)
{
	json_object_set_new(json_array_get(json_path(object, "status.signals"), 0), "metric", json_string("other"));
}

static void there_is_none(json_t *object)
{
	json_object_del(object, "status");
}

static void test_only_what_is_said_of_this_counts(void **state)
{
	static const struct {
		void (*change)(json_t *object);
		bool reported;
	} rows[] = {
		{nothing, true},
		{of_an_older_spec, false},
		{is_not_served, false},
		{of_the_signal_it_is_not, false},
		{of_another_metric, false},
		{there_is_none, false},
	};

	(void)state;
	assert_false(hpa_says_reported(NULL, METRIC));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		json_t *object = view_rig_object("InferenceAutoscaler", "gemma");
		const struct view *view;

		rows[i].change(object);
		view = view_rig_decode(&view_autoscaler_type, object);
		assert_int_equal(hpa_says_reported(view, METRIC), rows[i].reported);
		view_unref(view);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_what_is_said_of_this_counts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
