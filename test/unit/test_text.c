/* Words of others: what is left of them is short enough, whole characters and valid UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/memory.h"
#include "base/text.h"

static void test_it_is_cut_between_characters(void **state)
{
	static const struct {
		const char *text;
		size_t max;
		const char *fit;
	} rows[] = {
		{"", 8, ""}, {"", 0, ""}, {"whole", 5, "whole"}, {"too long", 7, "too …"},
		{"caf\xc3\xa9!", 6, "caf\xc3\xa9!"}, {"caf\xc3\xa9s!", 6, "caf…"},
		{"caf\xc3\xa9s!!", 7, "caf…"}, /* the é would end one byte too late */
		{"caf\xc3\xa9s!!!", 8, "caf\xc3\xa9…"}, {"\xf0\x9f\x99\x82\xf0\x9f\x99\x82", 7, "\xf0\x9f\x99\x82…"},
		{"\xf0\x9f\x99\x82\xf0\x9f\x99\x82", 6, "…"}, {"abcd", 3, "…"},
		{"abcd", 2, "ab"}, /* no room to say that it was cut */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *fit = text_fit(rows[i].text, rows[i].max);

		assert_string_equal(fit, rows[i].fit);
		assert_true(strlen(fit) <= rows[i].max);
	}
}

static void test_what_is_not_utf8_keeps_the_rest_readable(void **state)
{
	static const struct {
		const char *text;
		const char *fit;
	} rows[] = {
		{"caf\xe9", "caf?"},
		{"caf\xe9 and caf\xc3\xa9", "caf? and caf\xc3\xa9"},
		{"half \xc3", "half ?"},
		{"half \xe2\x82", "half ??"},
		{"\xc0\xaf", "??"},           /* a longer form of '/' */
		{"\xe0\x80\xaf", "???"},      /* another */
		{"\xed\xa0\x80", "???"},      /* half of a UTF-16 pair */
		{"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
		{"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
		{"\xff\xfe", "??"},
		{"\x80", "?"},
		{"a\tb\nc\x01", "a\tb\nc\x01"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *fit = text_fit(rows[i].text, 64);
		json_t *string = json_string(fit);

		assert_string_equal(fit, rows[i].fit);
		assert_non_null(string);
		json_decref(string);
	}
}

/* Of all bytes, in pairs of any two: JSON holds what is left, and holding it again changes nothing. */
static void test_json_holds_whatever_is_left(void **state)
{
	(void)state;
	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second++) {
			const char text[] = {(char)first, (char)second, (char)0x80, (char)0x80, (char)second, '\0'};

			for (size_t max = 0; max < sizeof(text); max++) {
				auto_free char *fit = text_fit(text, max);
				auto_free char *again = text_fit(fit, max);
				json_t *string = json_string(fit);

				assert_non_null(string);
				assert_true(strlen(fit) <= max);
				assert_string_equal(again, fit);
				json_decref(string);
			}
		}
	}
}

static void test_a_quote_of_much_is_short(void **state)
{
	auto_free char *much = xcalloc(1, 4U << 20);
	auto_free char *quote = NULL;

	(void)state;
	memset(much, 'x', (4U << 20) - 1);
	quote = text_quote(much);
	assert_int_equal(strlen(quote), TEXT_QUOTE_MAX);
	assert_string_equal(quote + TEXT_QUOTE_MAX - 4, "x…");
}

static void test_hash(void **state)
{
	auto_free char *empty = text_hash("");
	auto_free char *a = text_hash("a");
	auto_free char *foobar = text_hash("foobar");

	(void)state;
	/* from the reference vectors of FNV-1a, 64 bits */
	assert_string_equal(empty, "cbf29ce484222325");
	assert_string_equal(a, "af63dc4c8601ec8c");
	assert_string_equal(foobar, "85944171f73967e8");
}

static void test_nothing_is_the_same_as_nothing_alone(void **state)
{
	(void)state;
	assert_true(text_equal(NULL, NULL));
	assert_true(text_equal("a", "a"));
	assert_false(text_equal("a", "b"));
	assert_false(text_equal("", NULL));
	assert_false(text_equal(NULL, ""));
}

static void test_a_begin_is_read_to_the_first_difference(void **state)
{
	auto_free char *not_ended = xcalloc(1, 2);

	(void)state;
	memcpy(not_ended, "ab", 2);
	assert_true(text_begins(not_ended, "ab"));
	assert_true(text_begins(not_ended, ""));
	assert_false(text_begins(not_ended, "ac and more"));
	assert_false(text_begins("ab", "abc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_cut_between_characters),
		cmocka_unit_test(test_what_is_not_utf8_keeps_the_rest_readable),
		cmocka_unit_test(test_json_holds_whatever_is_left),
		cmocka_unit_test(test_a_quote_of_much_is_short),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_nothing_is_the_same_as_nothing_alone),
		cmocka_unit_test(test_a_begin_is_read_to_the_first_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
