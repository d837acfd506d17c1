/* The growing string: always terminated, whatever is done to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"

static void assert_holds(const struct strbuf *sb, const char *text)
{
	assert_int_equal(sb->len, strlen(text));
	assert_string_equal(sb->buf, text);
}

static void empty_is_printable(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	assert_holds(&sb, "");
	strbuf_add(&sb, "", 0);
	strbuf_reset(&sb);
	strbuf_consume(&sb, 0);
	strbuf_consume(&sb, 5);
	assert_holds(&sb, "");
	assert_ptr_equal(sb.buf, strbuf_empty);
}

static void grows_by_every_verb(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&sb, "a=");
	strbuf_addf(&sb, "%d%%", 50);
	strbuf_addch(&sb, ';');
	strbuf_add(&sb, "xyz", 2);
	assert_holds(&sb, "a=50%;xy");
}

static void is_terminated_after_each_byte(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		strbuf_addch(&sb, (char)('a' + i % 26));
		assert_int_equal(sb.len, i + 1);
		assert_int_equal(sb.buf[sb.len], '\0');
		assert_true(sb.cap > sb.len);
	}
	for (size_t i = 0; i < 5000; i++) {
		assert_int_equal(sb.buf[i], 'a' + i % 26);
	}
}

static void an_embedded_nul_is_kept(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_add(&sb, "a\0b", 3);
	strbuf_addch(&sb, '\0');
	strbuf_addch(&sb, 'c');
	assert_int_equal(sb.len, 5);
	assert_memory_equal(sb.buf, "a\0b\0c", 6);
}

static void consume_drops_from_the_front(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&sb, "hello world");
	strbuf_consume(&sb, 6);
	assert_holds(&sb, "world");
	strbuf_consume(&sb, 0);
	assert_holds(&sb, "world");
	strbuf_consume(&sb, 5);
	assert_holds(&sb, "");
	strbuf_addstr(&sb, "ab");
	strbuf_consume(&sb, 3);
	assert_holds(&sb, "");
}

static void reset_keeps_the_storage(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&sb, "something");
	size_t cap = sb.cap;
	strbuf_reset(&sb);
	assert_holds(&sb, "");
	assert_int_equal(sb.cap, cap);
}

static void take_hands_out_and_resets(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	auto_free char *nothing = strbuf_take(&sb);

	assert_string_equal(nothing, "");
	assert_ptr_not_equal(nothing, strbuf_empty);
	strbuf_addstr(&sb, "mine");

	auto_free char *mine = strbuf_take(&sb);

	assert_string_equal(mine, "mine");
	assert_holds(&sb, "");
	strbuf_addstr(&sb, "other");
	assert_string_equal(mine, "mine");
}

static void urlencoding(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", ""},
		{"Az09-._~", "Az09-._~"},
		{"a b/c?d=e&f", "a%20b%2Fc%3Fd%3De%26f"},
		{"sum(rate(x[1m])) + 1", "sum%28rate%28x%5B1m%5D%29%29%20%2B%201"},
		{"é\x01%", "%C3%A9%01%25"},
		{"..", ".."},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_strbuf sb = STRBUF_INIT;

		strbuf_add_urlencoded(&sb, cases[i].in);
		assert_holds(&sb, cases[i].out);
	}
}

static void reserved_room_is_still_empty(void **state)
{
	auto_strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_reserve(&sb, 100);
	assert_string_equal(sb.buf, "");
	strbuf_addstr(&sb, "a");
	strbuf_reserve(&sb, 1000);
	assert_string_equal(sb.buf, "a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reserved_room_is_still_empty),
		cmocka_unit_test(empty_is_printable),
		cmocka_unit_test(grows_by_every_verb),
		cmocka_unit_test(is_terminated_after_each_byte),
		cmocka_unit_test(an_embedded_nul_is_kept),
		cmocka_unit_test(consume_drops_from_the_front),
		cmocka_unit_test(reset_keeps_the_storage),
		cmocka_unit_test(take_hands_out_and_resets),
		cmocka_unit_test(urlencoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
