/* The heap hands out its items in order, whichever of them were taken out before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/memory.h"

struct number {
	struct heap_item item;
	int value;
};

static int value_of(const struct heap_item *item)
{
	return container_of(item, struct number, item)->value;
}

static bool before(const struct heap_item *a, const struct heap_item *b)
{
	return value_of(a) < value_of(b);
}

static void test_an_empty_one_has_no_first(void **state)
{
	struct heap heap;
	struct number alone = {.value = 0};

	(void)state;
	heap_init(&heap, before);
	assert_null(heap_first(&heap));
	heap_remove(&heap, &alone.item); /* it is in no heap */
	heap_add(&heap, &alone.item);
	assert_ptr_equal(heap_first(&heap), &alone.item);
	heap_remove(&heap, &alone.item);
	assert_null(heap_first(&heap));
	assert_int_equal(alone.item.place, 0);
	heap_release(&heap);
}

/* Many numbers, some of them equal; every third is taken out again, from wherever it is. */
static void test_the_rest_comes_in_order(void **state)
{
	enum { COUNT = 3000 };
	struct number *numbers = xcalloc(COUNT, sizeof(*numbers));
	struct heap heap;
	unsigned seed = 1;
	int last = -1;

	(void)state;
	heap_init(&heap, before);
	for (int i = 0; i < COUNT; i++) {
		numbers[i].value = rand_r(&seed) % 1000;
		heap_add(&heap, &numbers[i].item);
	}
	for (int i = 0; i < COUNT; i += 3) {
		heap_remove(&heap, &numbers[i].item);
		assert_int_equal(numbers[i].item.place, 0);
	}
	assert_int_equal(heap.count, COUNT - COUNT / 3);
	for (int left = COUNT - COUNT / 3; left > 0; left--) {
		struct heap_item *first = heap_first(&heap);

		assert_true(value_of(first) >= last);
		last = value_of(first);
		heap_remove(&heap, first);
	}
	assert_null(heap_first(&heap));
	heap_release(&heap);
	free(numbers);
}

static int compared;

static bool before_counted(const struct heap_item *a, const struct heap_item *b)
{
	compared++;
	return before(a, b);
}

/* A hundred thousand in and out: each takes a way of 17 steps at most, of two comparisons each. */
static void test_many_cost_little(void **state)
{
	enum { COUNT = 100000 };
	struct number *numbers = xcalloc(COUNT, sizeof(*numbers));
	struct heap heap;

	(void)state;
	compared = 0;
	heap_init(&heap, before_counted);
	for (int i = 0; i < COUNT; i++) {
		numbers[i].value = COUNT - i;
		heap_add(&heap, &numbers[i].item);
	}
	while (heap_first(&heap) != NULL) {
		heap_remove(&heap, heap_first(&heap));
	}
	assert_true(compared < COUNT * 3 * 17);
	heap_release(&heap);
	free(numbers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_one_has_no_first),
		cmocka_unit_test(test_the_rest_comes_in_order),
		cmocka_unit_test(test_many_cost_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
