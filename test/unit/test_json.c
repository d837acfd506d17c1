/* JSON: paths, and when an observed object already covers a wanted one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static json_t *parse(const char *text)
{
	auto_error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), &err);

	if (value == NULL) {
		fail_msg("cannot parse '%s': %s", text, err.message);
	}
	return value;
}

static void covers_by_the_table(void **state)
{
	static const struct {
		const char *observed, *wanted;
		bool covers;
	} cases[] = {
		/* objects: what the server adds is none of our business */
		{"{}", "{}", true},
		{"{\"a\":1}", "{}", true},
		{"{}", "{\"a\":1}", false},
		{"{\"a\":1,\"b\":2}", "{\"b\":2}", true},
		{"{\"a\":1}", "{\"a\":2}", false},
		{"{\"a\":{\"b\":1,\"c\":2}}", "{\"a\":{\"c\":2}}", true},
		{"{\"a\":{\"b\":1}}", "{\"a\":{\"c\":2}}", false},
		{"{\"a\":{}}", "{\"a\":{}}", true},
		{"{}", "{\"a\":{}}", false},
		/* null is a value, absence is not */
		{"{\"a\":null}", "{\"a\":null}", true},
		{"{}", "{\"a\":null}", false},
		{"{\"a\":0}", "{\"a\":null}", false},
		{"{\"a\":null}", "{\"a\":0}", false},
		/* zero is a value */
		{"{\"a\":0}", "{\"a\":0}", true},
		{"{}", "{\"a\":0}", false},
		{"{}", "{\"a\":false}", false},
		{"{}", "{\"a\":\"\"}", false},
		/* arrays: element by element, of one length, in order */
		{"[]", "[]", true},
		{"[1]", "[]", false},
		{"[]", "[1]", false},
		{"[1,2]", "[1,2]", true},
		{"[2,1]", "[1,2]", false},
		{"[{\"a\":1,\"b\":2}]", "[{\"a\":1}]", true},
		{"[{\"a\":1}]", "[{\"a\":1,\"b\":2}]", false},
		{"{\"a\":[]}", "{\"a\":{}}", false},
		{"{\"a\":{}}", "{\"a\":[]}", false},
		/* scalars: exactly */
		{"\"a\"", "\"a\"", true},
		{"\"a\"", "\"A\"", false},
		{"\"a\\u0000b\"", "\"a\"", false},
		{"\"a\\u0000b\"", "\"a\\u0000b\"", true},
		{"true", "true", true},
		{"true", "false", false},
		{"1", "\"1\"", false},
		{"1", "true", false},
		{"null", "null", true},
		{"null", "false", false},
		/* an integer equals the same real, and no other */
		{"1", "1.0", true},
		{"1.0", "1", true},
		{"1.5", "1", false},
		{"1", "1.5", false},
		{"0", "-0.0", true},
		{"0.1", "0.1", true},
		{"0.1", "0.2", false},
		{"9007199254740993", "9007199254740992.0", false},
		{"9007199254740992", "9007199254740992.0", true},
		{"9223372036854775807", "9223372036854775808.0", false},
		{"-9223372036854775808", "-9223372036854775808.0", true},
		{"1e300", "1", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json *observed = parse(cases[i].observed);
		auto_json *wanted = parse(cases[i].wanted);

		if (json_covers(observed, wanted) != cases[i].covers) {
			fail_msg("'%s' should%s cover '%s'", cases[i].observed, cases[i].covers ? "" : " not",
				cases[i].wanted);
		}
	}
}

static void covers_without_a_tree(void **state)
{
	auto_json *empty = json_object();

	(void)state;
	assert_false(json_covers(NULL, empty));
	assert_false(json_covers(empty, NULL));
	assert_true(json_covers(NULL, NULL));
}

static void paths(void **state)
{
	auto_json *root = parse("{\"a\":{\"b\":{\"s\":\"x\",\"i\":7,\"t\":true,\"f\":false,"
				"\"n\":null,\"r\":1.5,\"z\":\"a\\u0000b\"}},\"\":{\"e\":1},"
				"\"l\":[{\"k\":1}]}");

	(void)state;
	assert_string_equal(json_path_string(root, "a.b.s", "none"), "x");
	assert_string_equal(json_path_string(root, "a.b.i", "none"), "none");
	assert_string_equal(json_path_string(root, "a.b.z", "none"), "none");
	assert_string_equal(json_path_string(root, "a.b.s.deeper", "none"), "none");
	assert_null(json_path_string(root, "a.x.s", NULL));
	assert_int_equal(json_path_int(root, "a.b.i", -1), 7);
	assert_int_equal(json_path_int(root, "a.b.r", -1), -1);
	assert_int_equal(json_path_int(root, "a.b.s", -1), -1);
	assert_true(json_path_bool(root, "a.b.t", false));
	assert_false(json_path_bool(root, "a.b.f", true));
	assert_true(json_path_bool(root, "a.b.n", true));
	assert_true(json_is_null(json_path(root, "a.b.n")));
	assert_null(json_path(root, "a.b."));
	assert_null(json_path(root, "l.k"));
	assert_null(json_path(NULL, "a.b"));
	assert_int_equal(json_path_int(root, ".e", -1), 1);
}

static void text_is_compact_and_sorted(void **state)
{
	auto_json *value = parse("{ \"b\" : [1, 2.5, \"\\u00e9\"], \"a\" : null }");
	auto_json *word = json_string("x");
	auto_free char *text = json_text(value);
	auto_free char *scalar = json_text(word);
	auto_free char *nothing = json_text(NULL);

	(void)state;
	assert_string_equal(text, "{\"a\":null,\"b\":[1,2.5,\"é\"]}");
	assert_string_equal(scalar, "\"x\"");
	assert_string_equal(nothing, "null");
}

static void malformed_text_is_reported_with_its_place(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"{",
		"{\"a\":1,}",
		"[1] x",
		"nul",
		"\"\xff\"",
		"01",
		"{\"a\" 1}",
		"NaN",
		"99999999999999999999",
		"1e999",
		"{\"a\\u0000\":1}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_error err = ERROR_INIT;

		assert_null(json_parse(texts[i], strlen(texts[i]), &err));
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_non_null(strstr(err.message, "cannot parse JSON at line 1, column "));
	}

	auto_error err = ERROR_INIT;
	const char *second_line = "{\n  \"a\": x\n}";

	assert_null(json_parse(second_line, strlen(second_line), &err));
	assert_non_null(strstr(err.message, "line 2, column 8"));
	assert_null(json_parse(NULL, 0, NULL));
}

static void parse_stops_at_the_length(void **state)
{
	auto_error err = ERROR_INIT;
	auto_json *value = json_parse("[1]garbage", 3, &err);

	(void)state;
	assert_int_equal(json_array_size(value), 1);
}

static void depth_is_bounded(void **state)
{
	auto_error err = ERROR_INIT;
	const size_t depth = 100000;
	auto_free char *deep = xcalloc(depth, 1);

	(void)state;
	memset(deep, '[', depth);
	assert_null(json_parse(deep, depth, &err));
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_non_null(strstr(err.message, "depth"));
}

static void arrays_are_searched(void **state)
{
	auto_json *array = json_pack("[{s:i}, {s:s}, s, {s:s, s:i}, {s:s}]", "name", 1, "other", "b", "b", "name", "b",
		"at", 3, "name", "b");
	auto_json *b = json_string("b");
	auto_json *c = json_string("c");

	(void)state;
	assert_int_equal(json_path_int(json_find(array, "name", "b"), "at", 0), 3);
	assert_null(json_find(array, "name", "c"));
	assert_null(json_find(NULL, "name", "b"));
	assert_true(json_holds(array, b));
	assert_false(json_holds(array, c));
	assert_false(json_holds(NULL, b));
}

static void keys_come_in_order(void **state)
{
	auto_json *object = json_pack("{s:i, s:i, s:i}", "b", 1, "a", 2, "B", 3);
	auto_json *keys = json_sorted_keys(object);
	auto_json *none = json_sorted_keys(NULL);
	auto_json *wanted = json_pack("[s, s, s]", "B", "a", "b");

	(void)state;
	assert_true(json_equal(keys, wanted));
	assert_int_equal(json_array_size(none), 0);
}

static void a_child_is_made_once(void **state)
{
	auto_json *object = json_object();
	json_t *child = json_child(object, "a");

	(void)state;
	assert_true(json_is_object(child));
	assert_ptr_equal(json_child(object, "a"), child);
	assert_int_equal(json_object_size(object), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(covers_by_the_table),
		cmocka_unit_test(covers_without_a_tree),
		cmocka_unit_test(paths),
		cmocka_unit_test(text_is_compact_and_sorted),
		cmocka_unit_test(malformed_text_is_reported_with_its_place),
		cmocka_unit_test(parse_stops_at_the_length),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(arrays_are_searched),
		cmocka_unit_test(keys_come_in_order),
		cmocka_unit_test(a_child_is_made_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
