/* Memory for what is kept for long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/keep.h"
#include "base/memory.h"

#define MANY 4000
#define SIZE_MAX_TRIED 5000

struct kept {
	unsigned char *block;
	size_t size;
};

/* Always the same numbers. */
static size_t next_number(uint32_t *seed)
{
	*seed = *seed * 1664525U + 1013904223U;
	return *seed >> 8;
}

static void check_all(const struct kept *kept, size_t i, unsigned char byte)
{
	for (size_t b = 0; b < kept[i].size; b++) {
		assert_int_equal(kept[i].block[b], byte);
	}
}

/* Each block is all zero when it comes, and its own until it goes. */
static void test_blocks_are_apart(void **state)
{
	static struct kept kept[MANY];
	uint32_t seed = 1;

	(void)state;
	for (size_t turn = 0; turn < 10 * (size_t)MANY; turn++) {
		size_t i = next_number(&seed) % MANY;

		if (kept[i].block != NULL) {
			check_all(kept, i, (unsigned char)i);
			keep_free(kept[i].block, kept[i].size);
		}
		kept[i].size = next_number(&seed) % SIZE_MAX_TRIED;
		kept[i].block = keep_new(kept[i].size);
		assert_int_equal((uintptr_t)kept[i].block % sizeof(int64_t), 0);
		check_all(kept, i, 0);
		memset(kept[i].block, (unsigned char)i, kept[i].size);
	}
	for (size_t i = 0; i < MANY; i++) {
		keep_free(kept[i].block, kept[i].size);
	}
#if !defined(__SANITIZE_ADDRESS__)
	assert_int_equal(keep_bytes(), 0);
#endif
}

/* Of one size, they take little more than they hold. */
static void test_little_is_lost(void **state)
{
	static const size_t sizes[] = {24, 100, 328, 520, 800, 1888, 2208, 4096};
	static void *blocks[MANY];

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
		size_t before = keep_bytes();
		size_t bytes;

		for (size_t i = 0; i < MANY; i++) {
			blocks[i] = keep_new(sizes[s]);
		}
		bytes = keep_bytes() - before;
		print_message("%zu bytes take %zu\n", sizes[s], bytes / MANY);
#if !defined(__SANITIZE_ADDRESS__)
		assert_in_range(bytes, MANY * sizes[s], MANY * (sizes[s] + 16 + sizes[s] / 16) + (64 << 10));
#endif
		for (size_t i = 0; i < MANY; i++) {
			keep_free(blocks[i], sizes[s]);
		}
		assert_int_equal(keep_bytes(), before);
	}
}

static void test_texts(void **state)
{
	char *text = keep_text("a text");

	(void)state;
	assert_string_equal(text, "a text");
	keep_text_free(text);
	text = keep_text("");
	assert_string_equal(text, "");
	keep_text_free(text);
	assert_null(keep_text(NULL));
	keep_text_free(NULL);
	keep_free(NULL, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_apart),
		cmocka_unit_test(test_little_is_lost),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
