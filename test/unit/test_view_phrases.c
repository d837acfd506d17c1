/* Texts shorter by phrases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "view/phrases.h"
#include "view_rig.h"

static void assert_round(const char *text, size_t bytes)
{
	auto_free char *shrunk = phrases_shrink(text);
	auto_free char *again = phrases_grow(shrunk);

	assert_string_equal(again, text);
	print_message("%zu bytes become %zu\n", strlen(text), strlen(shrunk));
	assert_true(strlen(shrunk) <= bytes);
}

/* As the API server has them: a child that is made otherwise needs new phrases. */
static void test_our_children_become_short(void **state)
{
	static const struct {
		const char *kind;
		const char *name;
		size_t bytes;
	} rows[] = {
		{"HorizontalPodAutoscaler", "gemma", 80},
		{"Service", "gemma-metrics", 60},
		{"ServiceMonitor", "gemma", 50},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *object = view_rig_object(rows[i].kind, rows[i].name);
		auto_free char *text = json_text(json_object_get(object, "spec"));

		assert_round(text, rows[i].bytes);
	}
}

static void test_any_text_comes_back(void **state)
{
	static const char *const texts[] = {"", "{}", "\"", "\"\"", "{\"a\":\"\xc3\xa4\\u0001\"}",
		"{\"selector\":{\"matchLabels\":{}}}", "{\"selector\":{\"policies\":[{\"policies\":[{}]}]}}",
		"\"behavior\":{\"scaleDown\":"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_round(texts[i], strlen(texts[i]));
	}
}

static void test_what_is_no_json_is_not_shrunk(void **state)
{
	(void)state;
	assert_null(phrases_shrink(NULL));
	assert_null(phrases_shrink("a\x01"));
	assert_null(phrases_shrink("a\nb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_our_children_become_short),
		cmocka_unit_test(test_any_text_comes_back),
		cmocka_unit_test(test_what_is_no_json_is_not_shrunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
