/* YAML: what is read, what is refused, and that what is written reads back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/yaml.h"

static void read_by_the_table(void **state)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		/* plain scalars by the core schema of YAML 1.2 */
		{"", "null"},
		{"# only a comment\n", "null"},
		{"---\n...\n", "null"},
		{"~", "null"},
		{"null", "null"},
		{"nULL", "\"nULL\""},
		{"True", "true"},
		{"FALSE", "false"},
		{"tRUE", "\"tRUE\""},
		{"yes", "\"yes\""},
		{"off", "\"off\""},
		{"12", "12"},
		{"-12", "-12"},
		{"+12", "12"},
		{"0777", "777"},
		{"0o17", "15"},
		{"0x1F", "31"},
		{"0xg", "\"0xg\""},
		{"-0x1", "\"-0x1\""},
		{"1_000", "\"1_000\""},
		{"1e3", "1000.0"},
		{"1.5", "1.5"},
		{".5", "0.5"},
		{"1.", "1.0"},
		{".", "\".\""},
		{"-", "[null]"},
		{"1.2.3", "\"1.2.3\""},
		{"1e", "\"1e\""},
		{"15s", "\"15s\""},
		{"12:30:00", "\"12:30:00\""},
		{"2026-01-31", "\"2026-01-31\""},
		{"9223372036854775807", "9223372036854775807"},
		{"-9223372036854775808", "-9223372036854775808"},
		/* quotes and tags make strings */
		{"\"12\"", "\"12\""},
		{"'true'", "\"true\""},
		{"!!str 12", "\"12\""},
		{"! 12", "\"12\""},
		{"!!map {a: !!seq [1]}", "{\"a\":[1]}"},
		{"\"a\\0b\"", "\"a\\u0000b\""},
		/* collections */
		{"a: 1\nb:\n  - x\n  - {y: z}\n", "{\"a\":1,\"b\":[\"x\",{\"y\":\"z\"}]}"},
		{"a:\nb: ''\n", "{\"a\":null,\"b\":\"\"}"},
		{"a:\n- 1\n-\n  - 2\n", "{\"a\":[1,[2]]}"},
		{"1: x\ntrue: y\n~: z\n", "{\"1\":\"x\",\"true\":\"y\",\"~\":\"z\"}"},
		{"{}", "{}"},
		{"[]", "[]"},
		/* comments are no content, '#' inside a word is */
		{"# c\na: 1 # c\n# c\nb: x#y\n", "{\"a\":1,\"b\":\"x#y\"}"},
		/* block scalars */
		{"a: |\n  one\n   two\n\n  three\n", "{\"a\":\"one\\n two\\n\\nthree\\n\"}"},
		{"a: |-\n  one\n  two\n", "{\"a\":\"one\\ntwo\"}"},
		{"a: |+\n  one\n\n", "{\"a\":\"one\\n\\n\"}"},
		{"a: >\n  one\n  two\n\n  three\n", "{\"a\":\"one two\\nthree\\n\"}"},
		{"a: |\n  # no comment\n  b: 1\n", "{\"a\":\"# no comment\\nb: 1\\n\"}"},
		{"a: |2\n    x\n", "{\"a\":\"  x\\n\"}"},
		{"a: one\n  two\n", "{\"a\":\"one two\"}"},
		/* anchors become copies */
		{"a: &x [1, 2]\nb: *x\n", "{\"a\":[1,2],\"b\":[1,2]}"},
		{"a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}"},
		/* only the first document */
		{"a: 1\n---\nb: 2\n", "{\"a\":1}"},
		{"\xef\xbb\xbf"
		 "a: 1\n",
			"{\"a\":1}"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_error err = ERROR_INIT;
		auto_json *value = yaml_parse(cases[i].yaml, strlen(cases[i].yaml), &err);
		auto_free char *text = json_text(value);

		if (value == NULL || strcmp(text, cases[i].json) != 0) {
			fail_msg("'%s' gave %s (%s) instead of %s", cases[i].yaml, text,
				err.message != NULL ? err.message : "no error", cases[i].json);
		}
	}
}

static void refused_by_the_table(void **state)
{
	static const struct {
		const char *yaml, *place, *why;
	} cases[] = {
		{"a: 1\na: 2\n", "line 2, column 1", "twice"},
		{"a: [1, 2\n", "line 2, column 1", "did not find"},
		{"a: b: c\n", "line 1, column 5", "not allowed"},
		{"\ta: 1\n", "line 1, column 1", "cannot start any token"},
		{"a: *x\n", "line 1, column 4", "no anchor"},
		{"&x [*x]\n", "line 1, column 5", "inside what it names"},
		{"? [a]\n: 1\n", "line 1, column 3", "key must be a scalar"},
		{"? *x\n: 1\n", "line 1, column 3", "key must be a scalar"},
		{"\"a\\0\": 1\n", "line 1, column 1", "NUL"},
		{"a: .inf\n", "line 1, column 4", "infinity"},
		{"a: -.INF\n", "line 1, column 4", "infinity"},
		{"a: .nan\n", "line 1, column 4", "NaN"},
		{"a: 1e999\n", "line 1, column 4", "too large"},
		{"a: 9223372036854775808\n", "line 1, column 4", "64 bits"},
		{"a: 0x10000000000000000\n", "line 1, column 4", "64 bits"},
		{"a: !!binary aGk=\n", "line 1, column 4", "tag"},
		{"a: !mine x\n", "line 1, column 4", "tag"},
		{"a: !!int x\n", "line 1, column 4", "tag"},
		{"a: !!set {x: y}\n", "line 1, column 4", "tag"},
		{"a: !!map [x]\n", "line 1, column 4", "tag"},
		{"a: \xff\n", "byte 3", "UTF-8"},
		{"a: \"\\xZZ\"\n", "line 1, column 7", "hexdecimal"},
		{"a: \x01\n", "byte 3", "control"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_error err = ERROR_INIT;

		if (yaml_parse(cases[i].yaml, strlen(cases[i].yaml), &err) != NULL) {
			fail_msg("'%s' was accepted", cases[i].yaml);
		}
		assert_int_equal(err.kind, ERROR_INVALID);
		if (strncmp(err.message, "cannot parse YAML at ", 21) != 0 ||
			strstr(err.message, cases[i].place) == NULL || strstr(err.message, cases[i].why) == NULL) {
			fail_msg("'%s' said '%s' instead of '%s' and '%s'", cases[i].yaml, err.message, cases[i].place,
				cases[i].why);
		}
	}
	assert_null(yaml_parse("[", 1, NULL));
}

static void nest(struct strbuf *sb, size_t depth)
{
	for (size_t i = 0; i < depth; i++) {
		strbuf_addch(sb, '[');
	}
	for (size_t i = 0; i < depth; i++) {
		strbuf_addch(sb, ']');
	}
}

static void depth_is_bounded(void **state)
{
	auto_error err = ERROR_INIT;
	auto_strbuf fits = STRBUF_INIT;
	auto_strbuf deep = STRBUF_INIT;

	(void)state;
	nest(&fits, 64);
	auto_json *value = yaml_parse(fits.buf, fits.len, &err);

	assert_non_null(value);
	nest(&deep, 65);
	assert_null(yaml_parse(deep.buf, deep.len, &err));
	assert_non_null(strstr(err.message, "64 levels deep"));
	nest(&deep, 20000);
	assert_null(yaml_parse(deep.buf, deep.len, &err));
}

static void aliases_do_not_explode(void **state)
{
	auto_error err = ERROR_INIT;
	auto_strbuf laughs = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&laughs, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 10; i++) {
		strbuf_addf(&laughs, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++) {
			strbuf_addf(&laughs, "%s*a%d", j ? ", " : "", i - 1);
		}
		strbuf_addstr(&laughs, "]\n");
	}
	assert_null(yaml_parse(laughs.buf, laughs.len, &err));
	assert_non_null(strstr(err.message, "aliases add more than 1048576 bytes"));
}

static long peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* A long text costs by its bytes, and so does a long key. */
static void aliases_of_a_long_text_do_not_explode(void **state)
{
	static const char *const before[] = {"a: &x ", "a: &x {", "a: &x ["};
	static const char *const after[] = {"\n", ": 1}\n", "]\n"};
	size_t len = (size_t)400 * 1024;
	char *word = xcalloc(1, len + 1);

	(void)state;
	memset(word, 'w', len);
	for (size_t i = 0; i < ARRAY_LEN(before); i++) {
		auto_error err = ERROR_INIT;
		auto_strbuf text = STRBUF_INIT;
		auto_json *value = NULL;
		long peak;

		/* A key is at most 1024 bytes, if it is not asked for with '?'. */
		strbuf_addf(&text, "%s%s%s%s", before[i], i == 1 ? "? " : "", word, after[i]);
		value = yaml_parse(text.buf, text.len, &err);
		assert_non_null(value);
		strbuf_addstr(&text, "b:\n");
		for (int n = 0; n < 1000; n++) {
			strbuf_addstr(&text, "- *x\n");
		}
		peak = peak_kib();
		assert_null(yaml_parse(text.buf, text.len, &err));
		assert_non_null(strstr(err.message, "aliases add more than 1048576 bytes"));
		assert_true(peak_kib() - peak < 32L * 1024);
	}
	free(word);
}

static void aliases_are_copies(void **state)
{
	auto_error err = ERROR_INIT;
	const char *text = "a: &x {k: 1}\nb: *x\n";
	auto_json *value = yaml_parse(text, strlen(text), &err);

	(void)state;
	assert_non_null(value);
	assert_ptr_not_equal(json_object_get(value, "a"), json_object_get(value, "b"));
}

static void all_documents(void **state)
{
	static const struct {
		const char *yaml, *json;
	} cases[] = {
		{"", "[]"},
		{"# nothing\n", "[]"},
		{"a: 1\n", "[{\"a\":1}]"},
		{"---\na: 1\n---\n# empty\n---\nb: 2\n...\n", "[{\"a\":1},null,{\"b\":2}]"},
	};
	auto_error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_json *value = yaml_parse_all(cases[i].yaml, strlen(cases[i].yaml), &err);
		auto_free char *text = json_text(value);

		assert_string_equal(text, cases[i].json);
	}

	const char *second_is_broken = "a: 1\n---\n[\n";
	const char *anchor_of_another = "&x 1\n---\n*x\n";

	assert_null(yaml_parse_all(second_is_broken, strlen(second_is_broken), &err));
	assert_int_equal(err.kind, ERROR_INVALID);
	assert_null(yaml_parse_all(anchor_of_another, strlen(anchor_of_another), &err));
	assert_non_null(strstr(err.message, "no anchor"));
}

static void parse_stops_at_the_length(void **state)
{
	auto_error err = ERROR_INIT;
	auto_json *value = yaml_parse("a: 1]]]", 4, &err);

	(void)state;
	assert_int_equal(json_path_int(value, "a", -1), 1);
}

static void written_as_people_write_it(void **state)
{
	const char *json = "{\"apiVersion\":\"v1\",\"data\":{\"config.yaml\":\"rules:\\n- a: 1\\n\"},"
			   "\"list\":[\"x\",{\"k\":1,\"l\":[2,3]}],\"none\":{},\"empty\":[],"
			   "\"quoted\":\"yes\",\"zero\":0,\"half\":0.5,\"off\":false,\"nil\":null,"
			   "\"url\":\"http://a:80/b?c=d\",\"time\":\"15s\",\"num\":\"012\"}";
	const char *yaml = "apiVersion: v1\n"
			   "data:\n"
			   "  config.yaml: |\n"
			   "    rules:\n"
			   "    - a: 1\n"
			   "list:\n"
			   "- x\n"
			   "- k: 1\n"
			   "  l:\n"
			   "  - 2\n"
			   "  - 3\n"
			   "none: {}\n"
			   "empty: []\n"
			   "quoted: \"yes\"\n"
			   "zero: 0\n"
			   "half: 0.5\n"
			   "\"off\": false\n"
			   "nil: null\n"
			   "url: http://a:80/b?c=d\n"
			   "time: 15s\n"
			   "num: \"012\"\n";
	auto_error err = ERROR_INIT;
	auto_json *value = json_parse(json, strlen(json), &err);
	auto_free char *text = yaml_text(value);

	(void)state;
	assert_string_equal(text, yaml);
}

/* Writes the value, reads it back, and wants the same. */
static void assert_round_trip(const json_t *value)
{
	auto_error err = ERROR_INIT;
	auto_free char *text = yaml_text(value);
	auto_json *back = yaml_parse(text, strlen(text), &err);

	if (back == NULL || !json_equal(back, value)) {
		auto_free char *wanted = json_text(value);
		auto_free char *got = json_text(back);

		fail_msg("%s became %s (%s) by way of:\n%s", wanted, got,
			err.message != NULL ? err.message : "no error", text);
	}
}

/* As a value, a key, an element and a whole document. */
static void assert_string_round_trip(const char *string, size_t len)
{
	auto_json *alone = json_stringn(string, len);
	auto_json *object = json_object();
	auto_json *array = json_array();

	assert_non_null(alone);
	assert_round_trip(alone);
	json_object_set(object, "k", alone);
	if (strlen(string) == len) {
		json_object_set(object, string, alone);
	}
	json_object_set(object, "z", alone);
	assert_round_trip(object);
	json_array_append(array, alone);
	json_array_append(array, object);
	assert_round_trip(array);
}

static void strings_read_back(void **state)
{
	static const char *const strings[] = {
		"",
		" ",
		"x",
		"yes",
		"no",
		"on",
		"off",
		"y",
		"N",
		"true",
		"null",
		"~",
		"0x1",
		"1e3",
		"1",
		"-1",
		"+1",
		"1.5",
		".inf",
		".nan",
		"0o7",
		"012",
		"1_0",
		"12:30",
		"2026-01-31",
		"=",
		"<<",
		"-",
		"- a",
		"?",
		"? a",
		":",
		": a",
		"a: b",
		"a:",
		"a #b",
		"#a",
		"a#b",
		"&a",
		"*a",
		"!a",
		"!!str",
		"|",
		">",
		"|-",
		"%a",
		"@a",
		"`a`",
		"'",
		"''",
		"\"",
		"\"a\"",
		"{",
		"}",
		"{a: b}",
		"[",
		"]",
		"[a]",
		",",
		"a, b",
		"---",
		"...",
		"--- a",
		" a",
		"a ",
		"\ta",
		"a\t",
		"a\tb",
		"\n",
		"\n\n",
		"a\n",
		"a\n\n",
		"a\n\n\n",
		"a\nb",
		"a\n b\n",
		" a\nb\n",
		"\na\n",
		"a\n\nb",
		"a \nb",
		"a\n \nb\n",
		"a\tb\nc\n",
		"\ta\nb\n",
		"a\n\tb\n",
		"a\r\nb",
		"\r",
		"a\\b",
		"\\n",
		"é",
		"日本\n語\n",
		"\xc2\x85",
		("a\xe2\x80\xa8"
		 "b"),
		"\xef\xbb\xbf",
		"a\n\xef\xbb\xbf",
		"\x7f",
		"\x01",
		"\x1b[0m",
		"\xf0\x9f\x98\x80",
		"# a\nb\n",
		"---\na\n",
		"...\n",
		"a\n---\nb\n",
		"a\n...\n",
		"%YAML\n",
		"a: |\n  b\n",
		"Null",
		"NULL",
		"TRUE",
		"a\n# b\n",
		"key: [\n",
		"sum(rate(x{a=\"b\"}[1m])) by (<<.GroupBy>>)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		assert_string_round_trip(strings[i], strlen(strings[i]));
	}
	assert_string_round_trip("a\0b", 3);
	assert_string_round_trip("\0", 1);
}

static void random_strings_read_back(void **state)
{
	static const char *const pieces[] = {
		"a",
		"b",
		" ",
		"\n",
		"\t",
		":",
		"#",
		"-",
		"?",
		"'",
		"\"",
		"\\",
		"[",
		"]",
		"{",
		"}",
		",",
		"&",
		"*",
		"!",
		"|",
		">",
		"%",
		"@",
		"0",
		"1",
		".",
		"e",
		"x",
		"_",
		"~",
		"\r",
		"é",
		"日",
		"\xc2\x85",
		"\xe2\x80\xa9",
		"\x02",
		"=",
		"<",
		"---",
		"...",
	};
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 4000; round++) {
		auto_strbuf sb = STRBUF_INIT;

		for (int n = 0; n < 7; n++) {
			seed = seed * 1664525U + 1013904223U;
			if ((seed >> 28) < 2) {
				break;
			}
			strbuf_addstr(&sb, pieces[(seed >> 8) % ARRAY_LEN(pieces)]);
		}
		assert_string_round_trip(sb.buf, sb.len);
	}
}

static void numbers_read_back(void **state)
{
	static const char *const numbers[] = {
		"0",
		"-1",
		"9223372036854775807",
		"-9223372036854775808",
		"0.1",
		"-0.5",
		"1e300",
		"1e-300",
		"1e21",
		"123456789.123",
		"1.0",
		"[1, 2.0, true, false, null, {}, []]",
		"{\"a\":[[1],[[]],{\"b\":{}}]}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		auto_error err = ERROR_INIT;
		auto_json *value = json_parse(numbers[i], strlen(numbers[i]), &err);

		assert_non_null(value);
		assert_round_trip(value);
	}
}

static void a_long_line_is_not_folded(void **state)
{
	auto_strbuf words = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 500; i++) {
		strbuf_addstr(&words, "word ");
	}
	strbuf_addstr(&words, "end");
	auto_json *value = json_object();

	json_object_set_new(value, "k", json_string(words.buf));
	auto_free char *text = yaml_text(value);

	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
	assert_round_trip(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_by_the_table),
		cmocka_unit_test(refused_by_the_table),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(aliases_do_not_explode),
		cmocka_unit_test(aliases_of_a_long_text_do_not_explode),
		cmocka_unit_test(aliases_are_copies),
		cmocka_unit_test(all_documents),
		cmocka_unit_test(parse_stops_at_the_length),
		cmocka_unit_test(written_as_people_write_it),
		cmocka_unit_test(strings_read_back),
		cmocka_unit_test(random_strings_read_back),
		cmocka_unit_test(numbers_read_back),
		cmocka_unit_test(a_long_line_is_not_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
