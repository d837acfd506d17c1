/* Texts that many views have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/view/shared_text.h"
#include "base/memory.h"
#include "view/autoscaler.h"
#include "view_rig.h"

#define SAME "Prometheus 'monitoring/k8s' scrapes the pods of the target"
#define MANY 10000

static const struct view *decode(int number, const char *message)
{
	auto_free char *text = xasprintf(
		"{metadata: {name: a-%d, namespace: team}, spec: {}, status: {conditions: [{type: ScrapeHealthy, status: 'True', "
		"message: \"%s\"}, {type: TargetFound, status: 'True', message: \"Deployment 'team/a-%d' has its pods\"}], advice: "
		"[{reason: OneAdapterReplica, message: \"%s\"}]}}",
		number, message, number, message);

	return view_rig_yaml(&view_autoscaler_type, text);
}

static const char *message_of(const struct view *view, const char *type)
{
	return view_condition(&view_autoscaler(view)->status.conditions, type)->message;
}

static void test_what_many_say_is_kept_once(void **state)
{
	const struct view *views[MANY];
	uint32_t first;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		views[i] = decode(i, SAME);
		assert_string_equal(message_of(views[i], "ScrapeHealthy"), SAME);
		assert_string_equal(view_autoscaler(views[i])->status.advice[0].message, SAME);
	}
	first = views[0]->bytes;
	assert_true(views[MANY - 1]->bytes < first - 32);
	assert_ptr_equal(message_of(views[MANY - 1], "ScrapeHealthy"), message_of(views[MANY - 2], "ScrapeHealthy"));
	assert_ptr_not_equal(message_of(views[MANY - 1], "TargetFound"), message_of(views[MANY - 2], "TargetFound"));
	assert_int_equal(shared_text_count(), 1);
	for (int i = 0; i < MANY - 1; i++) {
		view_unref(views[i]);
	}
	assert_string_equal(message_of(views[MANY - 1], "ScrapeHealthy"), SAME);
	view_unref(views[MANY - 1]);
	assert_int_equal(shared_text_count(), 0);
}

static void test_what_each_says_by_itself_is_not_shared(void **state)
{
	(void)state;
	for (int i = 0; i < MANY; i++) {
		auto_free char *own = xasprintf("the pods of 'team/a-%d' are scraped by Prometheus", i);
		auto_view *view = decode(i, own);

		assert_int_equal(shared_text_count(), 0);
		assert_string_equal(message_of(view, "ScrapeHealthy"), own);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_many_say_is_kept_once),
		cmocka_unit_test(test_what_each_says_by_itself_is_not_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
