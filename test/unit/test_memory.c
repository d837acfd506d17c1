/* Memory: growth, and copies of strings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void grow_doubles_and_keeps_what_is_there(void **state)
{
	size_t cap = 0;
	auto_free int *items = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		size_t before = cap;

		items = xgrow(items, &cap, (size_t)i + 1, sizeof(*items));
		assert_true(cap > (size_t)i);
		assert_true(cap == before || before == 0 || cap == 2 * before);
		items[i] = i;
	}
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(items[i], i);
	}
}

static void grow_to_less_changes_nothing(void **state)
{
	size_t cap = 0;
	auto_free char *array = xgrow(NULL, &cap, 100, 1);
	char *same = array;

	(void)state;
	assert_true(cap >= 100);
	assert_ptr_equal(xgrow(array, &cap, 50, 1), same);
	assert_true(cap >= 100);
}

static void nothing_asked_is_still_memory(void **state)
{
	auto_free void *a = xcalloc(0, 8);
	auto_free void *b = xcalloc(8, 0);
	auto_free void *c = xrealloc(NULL, 0);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
}

static void copies_of_strings(void **state)
{
	const char unterminated[3] = {'a', 'b', 'c'};
	auto_free char *whole = xstrdup("héllo");
	auto_free char *part = xstrndup("hello", 3);
	auto_free char *past = xstrndup("hi", 100);
	auto_free char *bytes = xstrndup(unterminated, sizeof(unterminated));

	(void)state;
	assert_string_equal(whole, "héllo");
	assert_string_equal(part, "hel");
	assert_string_equal(past, "hi");
	assert_string_equal(bytes, "abc");
	assert_null(xstrdup(NULL));
	assert_null(xstrndup(NULL, 3));
}

static void formatted_text_has_no_limit(void **state)
{
	auto_free char *text = xasprintf("%0*d|%s", 5000, 7, "end");

	(void)state;
	assert_int_equal(strlen(text), 5004);
	assert_string_equal(text + 4999, "7|end");
}

struct outer {
	int before;
	int member;
};

static void container_of_finds_the_whole(void **state)
{
	struct outer whole = {1, 2};

	(void)state;
	assert_ptr_equal(container_of(&whole.member, struct outer, member), &whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grow_doubles_and_keeps_what_is_there),
		cmocka_unit_test(grow_to_less_changes_nothing),
		cmocka_unit_test(nothing_asked_is_still_memory),
		cmocka_unit_test(copies_of_strings),
		cmocka_unit_test(formatted_text_has_no_limit),
		cmocka_unit_test(container_of_finds_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
