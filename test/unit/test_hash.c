/* The hash table of embedded items. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/memory.h"

#define MANY 10000

struct thing {
	int number;
	struct hash_item item;
};

static struct thing *at(struct hash_item *item)
{
	return item != NULL ? container_of(item, struct thing, item) : NULL;
}

static void test_items_come_and_go(void **state)
{
	struct hash_table table = {.slots = NULL};
	struct thing *things = xcalloc(MANY, sizeof(*things));

	(void)state;
	assert_null(hash_table_find(&table, 1));
	for (int i = 0; i < MANY; i++) {
		things[i].number = i;
		hash_table_add(&table, &things[i].item, (uint64_t)i * 7);
	}
	assert_int_equal(table.count, MANY);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(at(hash_table_find(&table, (uint64_t)i * 7))->number, i);
		assert_null(hash_table_find(&table, (uint64_t)i * 7 + 1));
	}
	for (int i = 0; i < MANY - 1; i++) {
		hash_table_remove(&table, &things[i].item);
	}
	assert_null(hash_table_find(&table, 0));
	assert_int_equal(at(hash_table_find(&table, (uint64_t)(MANY - 1) * 7))->number, MANY - 1);
	assert_true(table.cap <= 8); /* it shrinks with what it holds */
	hash_table_release(&table);
	free_indirect(&things);
}

static void test_items_of_one_hash(void **state)
{
	struct hash_table table = {.slots = NULL};
	struct thing things[4] = {{.number = 1}, {.number = 2}, {.number = 4}, {.number = 8}};
	int sum = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		hash_table_add(&table, &things[i].item, 5);
	}
	hash_table_add(&table, &things[3].item, 13); /* the same slot */
	hash_table_remove(&table, &things[1].item);
	for (struct hash_item *item = hash_table_find(&table, 5); item != NULL; item = hash_item_next(item)) {
		sum += at(item)->number;
	}
	assert_int_equal(sum, 5);
	hash_table_release(&table);
}

static void test_texts_have_ends(void **state)
{
	(void)state;
	assert_true(hash_text(hash_text(HASH_START, "ab"), "c") != hash_text(hash_text(HASH_START, "a"), "bc"));
	assert_true(hash_text(HASH_START, "") != HASH_START);
	assert_true(hash_text(HASH_START, NULL) == hash_text(HASH_START, ""));
}

/* The example of the paper, appendix A. */
static void test_it_is_siphash(void **state)
{
	unsigned char bytes[15];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (unsigned char)i;
	}
	hash_set_key(UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908));
	assert_true(hash_bytes(HASH_START, bytes, sizeof(bytes)) == UINT64_C(0xa129ca6149be45e5));
}

/* Of two keys neither tells what collides under the other. */
static void test_the_key_counts(void **state)
{
	uint64_t hash;

	(void)state;
	hash_set_key(1, 2);
	hash = hash_text(HASH_START, "shop/gemma");
	hash_set_key(1, 3);
	assert_true(hash_text(HASH_START, "shop/gemma") != hash);
	hash_set_key(2, 2);
	assert_true(hash_text(HASH_START, "shop/gemma") != hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_items_come_and_go),
		cmocka_unit_test(test_items_of_one_hash),
		cmocka_unit_test(test_texts_have_ends),
		cmocka_unit_test(test_it_is_siphash),
		cmocka_unit_test(test_the_key_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
