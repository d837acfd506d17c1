/* Pieces in one block of their size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/memory.h"

#define NUMBERS 3

struct filled {
	int64_t *numbers;
	const char *text;
	const char *none;
	char *bytes;
	int64_t *last;
};

static struct filled fill(struct arena *arena)
{
	struct filled f = {.numbers = arena_items(arena, NUMBERS, sizeof(int64_t))};

	f.text = arena_text(arena, "a text");
	f.none = arena_text(arena, NULL);
	f.bytes = arena_items(arena, 3, 1);
	f.last = arena_items(arena, 1, sizeof(int64_t));
	for (size_t i = 0; i < NUMBERS; i++) {
		assert_int_equal(f.numbers[i], 0);
		f.numbers[i] = INT64_MAX;
	}
	memset(f.bytes, 'b', 3);
	*f.last = 7;
	return f;
}

static void test_pieces_fill_the_block_exactly(void **state)
{
	auto_arena measured;
	auto_arena arena;
	auto_free char *block = NULL;
	struct filled f;
	size_t size;

	(void)state;
	arena_measure(&arena);
	arena_measure(&measured);
	assert_int_equal(arena_bytes(&measured), 0);
	fill(&measured);
	size = arena_bytes(&measured);
	assert_int_equal(size, 48); /* 24 + 8 + 8, and 7 of the text: one byte is lost */
	arena_fill(&arena, &measured);
	assert_null(measured.chunks);
	f = fill(&arena);
	assert_int_equal(arena_bytes(&arena), size);
	block = arena_take(&arena);
	assert_ptr_equal(f.numbers, block);
	assert_string_equal(f.text, "a text");
	assert_ptr_equal(f.text + sizeof("a text"), block + size);
	assert_null(f.none);
	assert_int_equal(*f.last, 7);
	assert_int_equal(f.numbers[NUMBERS - 1], INT64_MAX);
}

static void test_nothing_is_nothing(void **state)
{
	auto_arena arena;

	(void)state;
	arena_measure(&arena);
	assert_null(arena_items(&arena, 0, 8));
	assert_int_equal(arena_bytes(&arena), 0);
}

static void test_equal_texts_share_a_copy(void **state)
{
	auto_arena arena;
	const char *text;

	(void)state;
	arena_measure(&arena);
	text = arena_text(&arena, "the same");
	assert_ptr_equal(arena_text(&arena, "the same"), text);
	assert_ptr_not_equal(arena_text(&arena, "another"), text);
	assert_int_equal(arena_bytes(&arena), 24);
}

static void test_a_dozen_texts_do_not_push_each_other_out(void **state)
{
	auto_arena arena;
	size_t once;

	(void)state;
	arena_measure(&arena);
	for (int i = 0; i < 24; i++) {
		auto_free char *text = xasprintf("text %d", i);

		arena_text(&arena, text);
	}
	once = arena_bytes(&arena);
	for (int i = 0; i < 24; i++) {
		auto_free char *text = xasprintf("text %d", i);

		arena_text(&arena, text);
	}
	assert_int_equal(arena_bytes(&arena), once);
}

static void test_measures_what_is_larger_than_a_chunk(void **state)
{
	const size_t count = 1000000;
	auto_arena arena;
	char *large;

	(void)state;
	arena_measure(&arena);
	arena_text(&arena, "before");
	large = arena_items(&arena, count, 1);
	memset(large, 1, count);
	assert_int_equal(arena_bytes(&arena), count + 8);
}

static void test_what_was_dear_to_make_is_carried_over(void **state)
{
	auto_arena measured;
	auto_arena arena;
	auto_free char *block = NULL;

	(void)state;
	arena_measure(&arena);
	arena_measure(&measured);
	assert_null(measured.carried);
	arena_carry(&measured, xstrdup("made first"));
	arena_carry(&measured, xstrdup("made"));
	arena_text(&measured, measured.carried);
	arena_fill(&arena, &measured);
	assert_null(measured.carried);
	assert_string_equal(arena.carried, "made");
	arena_text(&arena, arena.carried);
	block = arena_take(&arena);
	assert_null(arena.carried);
	assert_string_equal(block + 8 - sizeof("made"), "made");
	arena_carry(&measured, xstrdup("never taken")); /* it goes with its arena */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_fill_the_block_exactly),
		cmocka_unit_test(test_nothing_is_nothing),
		cmocka_unit_test(test_what_was_dear_to_make_is_carried_over),
		cmocka_unit_test(test_equal_texts_share_a_copy),
		cmocka_unit_test(test_a_dozen_texts_do_not_push_each_other_out),
		cmocka_unit_test(test_measures_what_is_larger_than_a_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
