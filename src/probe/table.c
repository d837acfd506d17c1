/* Rows in one block: gathered, sorted, merged, found. */
#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char *const *texts_of(const void *row)
{
	return row;
}

static int compare_texts(const void *one, const void *other, unsigned count)
{
	int order = 0;

	for (unsigned i = 0; i < count && order == 0; i++) {
		order = strcmp(texts_of(one)[i], texts_of(other)[i]);
	}
	return order;
}

/* qsort() hands its comparison no context: a key of each length has its own. */
static int compare_2(const void *one, const void *other)
{
	return compare_texts(one, other, 2);
}

static int compare_3(const void *one, const void *other)
{
	return compare_texts(one, other, 3);
}

void table_rows_begin(struct table_rows *rows, const struct table_type *type)
{
	*rows = (struct table_rows){.type = type};
	arena_measure(&rows->texts);
}

void *table_row_add(struct table_rows *rows)
{
	size_t size = rows->type->row_size;
	char *row;

	rows->rows = xgrow(rows->rows, &rows->cap, rows->count + 1, size);
	row = rows->rows + rows->count++ * size;
	memset(row, 0, size);
	return row;
}

const char *table_text(struct table_rows *rows, const char *text)
{
	return arena_text(&rows->texts, text);
}

void table_rows_add(struct table_rows *rows, const struct table *table)
{
	size_t size = rows->type->row_size;

	for (size_t i = 0; i < table->count; i++) {
		const char **row = table_row_add(rows);

		memcpy(row, (const char *)table->rows + i * size, size);
		for (unsigned t = 0; t < rows->type->texts; t++) {
			row[t] = table_text(rows, row[t]);
		}
	}
}

static void merge_rows(struct table_rows *rows)
{
	size_t size = rows->type->row_size;
	size_t kept = 0;

	for (size_t i = 1; i < rows->count; i++) {
		char *last = rows->rows + kept * size;
		char *row = rows->rows + i * size;

		if (compare_texts(last, row, rows->type->key) == 0) {
			rows->type->merge(last, row);
		} else if (++kept < i) {
			memcpy(last + size, row, size);
		}
	}
	rows->count = rows->count > 0 ? kept + 1 : 0;
}

/* Whether the text is that of the row before, as namespaces and jobs are in sorted rows. */
static bool is_of_row_before(const char *const *row, const char *const *before, unsigned text)
{
	return row[text] == NULL || (before != NULL && before[text] != NULL && strcmp(row[text], before[text]) == 0);
}

static size_t bytes_of_texts(const struct table_rows *rows)
{
	const char *const *before = NULL;
	size_t bytes = 0;

	for (size_t i = 0; i < rows->count; i++) {
		const char *const *row = texts_of(rows->rows + i * rows->type->row_size);

		for (unsigned t = 0; t < rows->type->texts; t++) {
			bytes += is_of_row_before(row, before, t) ? 0 : strlen(row[t]) + 1;
		}
		before = row;
	}
	return bytes;
}

/* `to` are the copied rows, and behind them is room for their texts. */
static void copy_texts(const struct table_type *type, char *to, size_t count, char *at)
{
	const char *const *before = NULL;

	for (size_t i = 0; i < count; i++) {
		const char **row = (const char **)(void *)(to + i * type->row_size);

		for (unsigned t = 0; t < type->texts; t++) {
			if (is_of_row_before(row, before, t)) {
				row[t] = row[t] != NULL ? before[t] : NULL;
			} else {
				size_t size = strlen(row[t]) + 1;

				row[t] = memcpy(at, row[t], size);
				at += size;
			}
		}
		before = row;
	}
}

struct table *table_make(struct table_rows *rows)
{
	const struct table_type *type = rows->type;
	struct table *table;
	size_t bytes;
	char *own;

	if (rows->count > 0) {
		qsort(rows->rows, rows->count, type->row_size, type->key == 2 ? compare_2 : compare_3);
	}
	if (type->merge != NULL) {
		merge_rows(rows);
	}
	bytes = rows->count * type->row_size;
	table = xcalloc(1, sizeof(*table) + bytes + bytes_of_texts(rows));
	own = (char *)(table + 1);
	if (bytes > 0) {
		memcpy(own, rows->rows, bytes);
	}
	copy_texts(type, own, rows->count, own + bytes);
	*table = (struct table){.references = 1, .type = type, .count = rows->count, .rows = own};
	free_indirect(&rows->rows);
	arena_release(&rows->texts);
	return table;
}

struct table *table_ref(struct table *table)
{
	if (table != NULL) {
		table->references++;
	}
	return table;
}

void table_unref(struct table *table)
{
	if (table != NULL && --table->references == 0) {
		free_indirect(&table);
	}
}

static const char *row_at(const struct table *table, size_t i)
{
	return (const char *)table->rows + i * table->type->row_size;
}

static bool rows_equal(const struct table_type *type, const char *one, const char *other)
{
	size_t texts = type->texts * sizeof(const char *);

	for (unsigned t = 0; t < type->texts; t++) {
		const char *a = texts_of(one)[t];
		const char *b = texts_of(other)[t];

		if (a == NULL || b == NULL ? a != b : strcmp(a, b) != 0) {
			return false;
		}
	}
	return memcmp(one + texts, other + texts, type->row_size - texts) == 0;
}

bool table_equal(const struct table *one, const struct table *other)
{
	if (one == NULL || other == NULL || one == other) {
		return one == other;
	}
	for (size_t i = 0; one->count == other->count && i < one->count; i++) {
		if (!rows_equal(one->type, row_at(one, i), row_at(other, i))) {
			return false;
		}
	}
	return one->count == other->count;
}

static int compare_key(const void *row, const char *first, const char *second)
{
	int order = strcmp(texts_of(row)[0], first);

	return order != 0 || second == NULL ? order : strcmp(texts_of(row)[1], second);
}

/* The first row that is not before this key, or, with `behind`, that is behind it. */
static size_t bound(const struct table *table, const char *first, const char *second, bool behind)
{
	size_t low = 0;
	size_t high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_key(row_at(table, middle), first, second);

		if (order < 0 || (behind && order == 0)) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

const void *table_find(const struct table *table, const char *first, const char *second, size_t *count)
{
	size_t from = table != NULL ? bound(table, first, second, false) : 0;
	size_t to = table != NULL ? bound(table, first, second, true) : 0;

	*count = to - from;
	return from < to ? row_at(table, from) : NULL;
}

size_t table_bytes(const struct table *table)
{
	size_t bytes = sizeof(*table) + table->count * table->type->row_size;
	const char *const *before = NULL;

	for (size_t i = 0; i < table->count; i++) {
		const char *const *row = texts_of(row_at(table, i));

		for (unsigned t = 0; t < table->type->texts; t++) {
			bytes += is_of_row_before(row, before, t) ? 0 : strlen(row[t]) + 1;
		}
		before = row;
	}
	return bytes;
}
