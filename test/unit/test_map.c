/* The map, against a model too simple to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"

#define KEYS 200

/* How often each value was freed; a value is an address in here. */
static int freed[100000];

static void count_free(void *value)
{
	++*(int *)value;
}

static const char *key_name(unsigned i)
{
	static char name[16];

	snprintf(name, sizeof(name), "k%u", i);
	return name;
}

static void assert_same(const struct map *map, int *const *model)
{
	const char *key;
	void *value;
	size_t pos = 0;
	size_t walked = 0;
	size_t count = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		assert_ptr_equal(map_get(map, key_name(i)), model[i]);
		assert_int_equal(map_has(map, key_name(i)), model[i] != NULL);
		count += model[i] != NULL;
	}
	assert_int_equal(map_count(map), count);
	while (map_next(map, &pos, &key, &value)) {
		unsigned long i = strtoul(key + 1, NULL, 10);

		assert_true(i < KEYS);
		assert_ptr_equal(value, model[i]);
		walked++;
	}
	assert_int_equal(walked, count);
}

static void random_operations_match_the_model(void **state)
{
	struct map map;
	int *model[KEYS] = {NULL};
	int wanted_freed[ARRAY_LEN(freed)] = {0};
	size_t next = 0;
	uint32_t seed = 12345;

	(void)state;
	memset(freed, 0, sizeof(freed));
	map_init(&map, count_free);
	for (int step = 0; step < 50000; step++) {
		seed = seed * 1664525U + 1013904223U;

		unsigned i = (seed >> 8) % KEYS;
		unsigned what = (seed >> 20) % 100;

		if (what < 55) {
			if (model[i] != NULL) {
				wanted_freed[model[i] - freed] = 1;
			}
			model[i] = &freed[next++];
			map_put(&map, key_name(i), model[i]);
		} else if (what < 90) {
			if (model[i] != NULL) {
				wanted_freed[model[i] - freed] = 1;
			}
			assert_int_equal(map_remove(&map, key_name(i)), model[i] != NULL);
			model[i] = NULL;
		} else {
			assert_ptr_equal(map_take(&map, key_name(i)), model[i]);
			model[i] = NULL;
		}
		if (step % 997 == 0) {
			assert_same(&map, model);
		}
	}
	assert_same(&map, model);
	assert_memory_equal(freed, wanted_freed, sizeof(freed));
	/* churn over 200 keys must not make it grow: the tombstones are reused or swept */
	assert_true(map.cap <= 1024);

	for (unsigned i = 0; i < KEYS; i++) {
		if (model[i] != NULL) {
			wanted_freed[model[i] - freed] = 1;
		}
	}
	map_release(&map);
	assert_memory_equal(freed, wanted_freed, sizeof(freed));
	assert_int_equal(map_count(&map), 0);
}

static void an_empty_map_answers(void **state)
{
	struct map map;
	size_t pos = 0;

	(void)state;
	map_init(&map, NULL);
	assert_null(map_get(&map, "a"));
	assert_false(map_has(&map, "a"));
	assert_false(map_remove(&map, "a"));
	assert_null(map_take(&map, "a"));
	assert_false(map_next(&map, &pos, NULL, NULL));
	map_clear(&map);
	map_release(&map);
}

static void keys_are_copied_and_may_be_empty(void **state)
{
	struct map map;
	char key[] = "first";
	int value;

	(void)state;
	map_init(&map, NULL);
	map_put(&map, key, &value);
	memcpy(key, "other", sizeof(key));
	assert_true(map_has(&map, "first"));
	assert_false(map_has(&map, "other"));
	map_put(&map, "", &value);
	assert_ptr_equal(map_get(&map, ""), &value);
	map_release(&map);
}

static void a_null_value_is_a_member(void **state)
{
	struct map map;

	(void)state;
	map_init(&map, count_free);
	map_put(&map, "set", NULL);
	assert_true(map_has(&map, "set"));
	assert_null(map_get(&map, "set"));
	assert_int_equal(map_count(&map), 1);
	assert_true(map_remove(&map, "set"));
	assert_false(map_has(&map, "set"));
	map_release(&map);
}

static void putting_the_same_value_again_keeps_it(void **state)
{
	struct map map;
	int times_freed = 0;

	(void)state;
	map_init(&map, count_free);
	map_put(&map, "a", &times_freed);
	map_put(&map, "a", &times_freed);
	assert_int_equal(times_freed, 0);
	map_release(&map);
	assert_int_equal(times_freed, 1);
}

static void the_entry_just_walked_may_go(void **state)
{
	struct map map;
	const char *key;
	void *value;
	size_t pos = 0;
	size_t walked = 0;
	int dummy;

	(void)state;
	map_init(&map, NULL);
	for (unsigned i = 0; i < KEYS; i++) {
		map_put(&map, key_name(i), &dummy);
	}
	while (map_next(&map, &pos, &key, &value)) {
		/* the key handed out is the map's own */
		assert_true(map_remove(&map, key));
		walked++;
	}
	assert_int_equal(walked, KEYS);
	assert_int_equal(map_count(&map), 0);
	map_release(&map);
}

static void clear_frees_all_and_leaves_it_usable(void **state)
{
	struct map map;
	int a = 0;
	int b = 0;

	(void)state;
	map_init(&map, count_free);
	map_put(&map, "a", &a);
	map_put(&map, "b", &b);
	map_clear(&map);
	assert_int_equal(a, 1);
	assert_int_equal(b, 1);
	assert_int_equal(map_count(&map), 0);
	map_put(&map, "a", &a);
	assert_ptr_equal(map_get(&map, "a"), &a);
	map_release(&map);
	assert_int_equal(a, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations_match_the_model),
		cmocka_unit_test(an_empty_map_answers),
		cmocka_unit_test(keys_are_copied_and_may_be_empty),
		cmocka_unit_test(a_null_value_is_a_member),
		cmocka_unit_test(putting_the_same_value_again_keeps_it),
		cmocka_unit_test(the_entry_just_walked_may_go),
		cmocka_unit_test(clear_frees_all_and_leaves_it_usable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
