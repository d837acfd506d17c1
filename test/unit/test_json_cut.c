/* Cutting out of JSON text: what is left parses as the rest of the whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/json_cut.h"
#include "base/memory.h"

static const char *const keys[] = {"fields", "status", NULL};

static void cut_by_the_table(void **state)
{
	static const struct {
		const char *text, *rest;
	} rows[] = {
		{"", ""},
		{"{}", "{}"},
		{"{\"a\":1}", "{\"a\":1}"},
		{"{\"fields\":{}}", "{\"fields\":{}}"},
		{"{\"fields\":{\"a\":{\"b\":{}}},\"c\":1}", "{\"fields\":{},\"c\":1}"},
		{"[{\"status\":{\"a\":1}},{\"x\":{\"fields\":{\"a\":[{}]}}}]",
			"[{\"status\":{}},{\"x\":{\"fields\":{}}}]"},
		{"{\"fields\":[{\"a\":[1]},[\"]\"]],\"status\":[],\"c\":[1]}",
			"{\"fields\":[],\"status\":[],\"c\":[1]}"},
		/* What is neither object nor array stays, and so does what only looks like the key. */
		{"{\"status\":\"True\",\"fields\":1}", "{\"status\":\"True\",\"fields\":1}"},
		{"{\"f:status\":{\"a\":1},\"statu\":{\"b\":1}}", "{\"f:status\":{\"a\":1},\"statu\":{\"b\":1}}"},
		{"{\"x\\\"status\":{\"a\":1}}", "{\"x\\\"status\":{\"a\":1}}"},
		{"{\"a\":\"\\\"status\\\":{\\\"b\\\":1}\"}", "{\"a\":\"\\\"status\\\":{\\\"b\\\":1}\"}"},
		{"{\"a\":\"status\",\"b\":{\"c\":1}}", "{\"a\":\"status\",\"b\":{\"c\":1}}"},
		/* Braces and quotes in texts are none. */
		{"{\"status\":{\"a\":\"}\",\"b\":\"\\\"}\",\"c\":\"\\\\\"},\"d\":{\"e\":\"{\"}}",
			"{\"status\":{},\"d\":{\"e\":\"{\"}}"},
		/* What ends too soon is no JSON before, nor after. */
		{"{\"status\":{\"a\":1", "{\"status\":{\"a\":1"},
		{"{\"status\":{\"a\":\"}", "{\"status\":{\"a\":\"}"},
		{"{\"status", "{\"status"},
		{"{\"status\"", "{\"status\""},
		{"{\"status\":", "{\"status\":"},
		{"{\"status\":{", "{\"status\":{"},
		{"{\"status\":[", "{\"status\":["},
		{"{\"status\":[[]", "{\"status\":[[]"},
		{"{\"a\":\"\\", "{\"a\":\"\\"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].text);
		char *exact = xcalloc(1, len + 1); /* so that the sanitizer sees who reads on behind it */
		auto_free char *text = exact;
		auto_strbuf rest = STRBUF_INIT;

		memcpy(exact, rows[i].text, len);
		json_cut(text, len, keys, &rest);
		assert_string_equal(rest.buf != NULL ? rest.buf : "", rows[i].rest);
	}
}

/* Each beginning of a text, as a server may cut it short. */
static void no_beginning_is_read_beyond(void **state)
{
	static const char whole[] = "{\"a\":\"\\\\\\\"\",\"status\":{\"b\":\"\\\"{\",\"c\":{\"d\":[\"}\"]}},\"e\":{}}";

	(void)state;
	for (size_t len = 0; len < sizeof(whole); len++) {
		auto_free char *exact = len > 0 ? xcalloc(1, len) : NULL;
		auto_strbuf rest = STRBUF_INIT;
		auto_json *value = NULL;

		if (len > 0) {
			memcpy(exact, whole, len);
		}
		value = json_parse_read(exact, len, keys, NULL);
		assert_int_equal(value != NULL, len == sizeof(whole) - 1);
	}
}

static void without_keys_all_is_read(void **state)
{
	auto_json *value = json_parse_read("{\"status\":{\"a\":1}}", 18, NULL, NULL);
	auto_json *cut = json_parse_read("{\"status\":{\"a\":1}}", 18, keys, NULL);
	auto_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(json_path_int(value, "status.a", 0), 1);
	assert_int_equal(json_object_size(json_object_get(cut, "status")), 0);
	assert_null(json_parse_read("{\"status\":{}", 12, keys, &err));
	assert_int_equal(err.kind, ERROR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cut_by_the_table),
		cmocka_unit_test(no_beginning_is_read_beyond),
		cmocka_unit_test(without_keys_all_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
