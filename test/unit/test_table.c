/* Rows are found by the begin of their key, and take little memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "probe/table.h"

struct row {
	const char *first;
	const char *second;
	const char *more; /* NULL = none */
	int64_t count;
};

static void add_counts(void *row, const void *other)
{
	((struct row *)row)->count += ((const struct row *)other)->count;
}

static const struct table_type summed = {sizeof(struct row), 3, 2, add_counts};
static const struct table_type listed = {sizeof(struct row), 3, 2, NULL};

static void add(struct table_rows *rows, const char *first, const char *second, const char *more, int64_t count)
{
	struct row *row = table_row_add(rows);

	row->first = table_text(rows, first);
	row->second = table_text(rows, second);
	row->more = table_text(rows, more);
	row->count = count;
}

static struct table *table_of(const struct table_type *type, int64_t last)
{
	struct table_rows rows;

	table_rows_begin(&rows, type);
	add(&rows, "b", "y", "m", 1);
	add(&rows, "c", "x", NULL, 2);
	add(&rows, "b", "x", NULL, 4);
	add(&rows, "b", "y", "m", 8);
	add(&rows, "bb", "x", NULL, last);
	return table_make(&rows);
}

static void a_row_is_found_by_the_begin_of_its_key(void **state)
{
	static const struct {
		const char *first, *second;
		size_t listed, summed;
		int64_t count; /* of the first, summed */
	} rows[] = {{"b", NULL, 3, 2, 4}, {"b", "x", 1, 1, 4}, {"b", "y", 2, 1, 9}, {"bb", NULL, 1, 1, 16},
		{"c", "x", 1, 1, 2}, {"a", NULL, 0, 0, 0}, {"b", "z", 0, 0, 0}, {"d", NULL, 0, 0, 0},
		{"", "", 0, 0, 0}};
	struct table *list = table_of(&listed, 16);
	struct table *sums = table_of(&summed, 16);

	(void)state;
	assert_int_equal(list->count, 5);
	assert_int_equal(sums->count, 4);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t count;
		const struct row *found = table_find(sums, rows[i].first, rows[i].second, &count);

		assert_int_equal(count, rows[i].summed);
		assert_int_equal(found != NULL, count > 0);
		if (found != NULL) {
			assert_int_equal(found->count, rows[i].count);
		}
		table_find(list, rows[i].first, rows[i].second, &count);
		assert_int_equal(count, rows[i].listed);
	}
	table_unref(list);
	table_unref(sums);
}

static void nothing_is_found_where_nothing_is(void **state)
{
	struct table_rows rows;
	struct table *none;
	size_t count = 7;

	(void)state;
	assert_null(table_find(NULL, "a", NULL, &count));
	assert_int_equal(count, 0);
	table_rows_begin(&rows, &summed);
	none = table_make(&rows);
	assert_null(table_find(none, "a", "b", &count));
	assert_true(table_equal(none, none));
	assert_false(table_equal(none, NULL));
	assert_true(table_equal(NULL, NULL));
	table_unref(table_ref(none));
	table_unref(none);
}

static void tables_are_equal_by_their_rows(void **state)
{
	struct table *one = table_of(&summed, 16);
	struct table *same = table_of(&summed, 16);
	struct table *other = table_of(&summed, 17);
	struct table_rows rows;
	struct table *copy;

	(void)state;
	assert_true(table_equal(one, same));
	assert_false(table_equal(one, other));
	table_rows_begin(&rows, &summed);
	table_rows_add(&rows, one);
	copy = table_make(&rows);
	table_unref(one);
	assert_true(table_equal(copy, same));
	table_unref(copy);
	table_unref(same);
	table_unref(other);
}

/* The namespace of neighbours is kept once. */
static void ten_thousand_rows_take_little_memory(void **state)
{
	struct table_rows rows;
	struct table *table;

	(void)state;
	table_rows_begin(&rows, &summed);
	for (int i = 0; i < 10000; i++) {
		auto_free char *ns = xasprintf("a-team-with-a-long-name-%03d", i % 100);
		auto_free char *pod = xasprintf("gemma-7c9d8f6b5d-%05d", i);

		add(&rows, ns, pod, NULL, i);
	}
	table = table_make(&rows);
	assert_int_equal(table->count, 10000);
	print_message("10000 rows: %zu KiB\n", table_bytes(table) / 1024);
	assert_in_range(table_bytes(table), 1, 10000 * (sizeof(struct row) + 24));
	table_unref(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_found_by_the_begin_of_its_key),
		cmocka_unit_test(nothing_is_found_where_nothing_is),
		cmocka_unit_test(tables_are_equal_by_their_rows),
		cmocka_unit_test(ten_thousand_rows_take_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
