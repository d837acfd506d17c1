/* JSON as text is jansson's, byte for byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/json_write.h"
#include "base/memory.h"
#include "yaml_file.h"

static void check(const json_t *value)
{
	char *wanted = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	auto_strbuf text = STRBUF_INIT;

	assert_non_null(wanted);
	json_write(value, &text);
	assert_string_equal(text.buf, wanted);
	assert_int_equal(text.len, strlen(wanted));
	free(wanted);
}

static void test_values_of_all_types(void **state)
{
	static const char *const texts[] = {"null", "true", "false", "0", "-1", "9223372036854775807",
		"-9223372036854775808", "1.5", "-0.0", "1e300", "3.0", "0.1", "1e-7", "123456789.123", "\"\"", "\"a\"",
		"[]", "{}", "[[],{},[{}]]", "[1,2,3]", "{\"b\":1,\"a\":2}",
		"{\"a\":{\"d\":[1,{\"c\":null}],\"b\":\"x\"}}",
		"{\"f:b\":1,\"f:\":2,\"f\":3,\"k:{\\\"a\\\":\\\"b\\\"}\":{},\".\":{}}",
		"\"a/b\\u007f\\u00e9\\u20ac\\ud83d\\ude00\"", "\"\\u0000 in it\""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_json *value = json_parse(texts[i], strlen(texts[i]), NULL);

		assert_non_null(value);
		check(value);
	}
}

static void test_each_character(void **state)
{
	(void)state;
	for (int c = 1; c < 128; c++) {
		char text[] = {'a', (char)c, (char)c, 'b', '\0'};
		auto_json *value = json_string(text);
		auto_json *object = json_pack("{s:i}", text, 1);

		check(value);
		check(object);
	}
}

/* Few are sorted otherwise than many. */
static void test_keys_in_any_number(void **state)
{
	(void)state;
	for (int count = 0; count < 40; count++) {
		auto_json *object = json_object();

		for (int i = 0; i < count; i++) {
			auto_free char *key = xasprintf("%d", i * 37 % 41);

			json_object_set_new(object, key, json_integer(i));
		}
		check(object);
	}
}

static void test_a_whole_world(void **state)
{
	auto_json *world = yaml_file("golden/healthy/world.yaml");

	(void)state;
	check(world);
}

static void test_nothing_is_null(void **state)
{
	auto_strbuf text = STRBUF_INIT;

	(void)state;
	json_write(NULL, &text);
	assert_string_equal(text.buf, "null");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_of_all_types),
		cmocka_unit_test(test_each_character),
		cmocka_unit_test(test_keys_in_any_number),
		cmocka_unit_test(test_a_whole_world),
		cmocka_unit_test(test_nothing_is_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
