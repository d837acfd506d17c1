/*
 * What an answer of Prometheus comes to: rows, sorted by their key, in one heap block that nobody changes, shared by
 * counted references.
 *
 * A row is a struct that begins with its texts, and these begin with its key; behind them are int64_t alone. Rows are
 * found by the first texts of their key, without an allocation. Private to src/probe.
 */
#ifndef PROBE_TABLE_H
#define PROBE_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct table_type {
	size_t row_size;
	unsigned texts; /* const char *, never NULL within the key */
	unsigned key;   /* of the texts, so many: rows are sorted by them */
	/* Of two rows with the same key, adds to the first what the second tells; NULL = both stay. */
	void (*merge)(void *row, const void *other);
};

struct table {
	unsigned references; /* for the loop's thread alone */
	const struct table_type *type;
	size_t count;
	const void *rows;
};

/* A table that is being made. */
struct table_rows {
	const struct table_type *type;
	char *rows;
	size_t count;
	size_t cap;
	struct arena texts;
};

void table_rows_begin(struct table_rows *rows, const struct table_type *type);
/* Adds one, all zero; it stays where it is until the next is added. Its texts are of table_text(). */
void *table_row_add(struct table_rows *rows);
/* A copy that lives until the table is made; NULL stays NULL. */
const char *table_text(struct table_rows *rows, const char *text);
/* Adds the rows of another table of this type. */
void table_rows_add(struct table_rows *rows, const struct table *table);
/* Ends the rows; one reference. */
struct table *table_make(struct table_rows *rows);

/* NULL is allowed. */
struct table *table_ref(struct table *table);
void table_unref(struct table *table);
/* NULL is allowed, and equals NULL alone. */
bool table_equal(const struct table *one, const struct table *other);
/* The first of `count` rows whose key begins with `first`, and `second` when that is not NULL. `table` may be NULL. */
const void *table_find(const struct table *table, const char *first, const char *second, size_t *count);
/* What the whole block takes. */
size_t table_bytes(const struct table *table);

#endif
