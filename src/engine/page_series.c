/* The series that are looked for: a table of names, which is searched once for each line of a page. */
#include "page_series.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/spelling.h"

/* FNV-1a, 32 bits. */
#define HASH_BEGIN 2166136261U

/* Of a name, in which ':' may be written '_'. */
static char letter(char c)
{
	return c == ':' ? '_' : c;
}

static uint32_t hash_step(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)letter(c)) * 16777619U;
}

static uint32_t hash_of(const char *name, size_t len)
{
	uint32_t hash = HASH_BEGIN;

	for (size_t i = 0; i < len; i++) {
		hash = hash_step(hash, name[i]);
	}
	return hash;
}

static bool same_name(const char *one, const char *other, size_t len)
{
	size_t i = 0;

	while (i < len && letter(one[i]) == letter(other[i])) {
		i++;
	}
	return i == len;
}

/* The name's slot, or the free one where it belongs. */
static size_t slot_of(const struct series_table *table, const char *name, size_t len, uint32_t hash)
{
	size_t slot = hash % SERIES_SLOTS;

	for (; table->slots[slot] != 0; slot = (slot + 1) % SERIES_SLOTS) {
		const struct series *one = &table->rows[table->slots[slot] - 1];

		if (one->len == len && same_name(one->name, name, len)) {
			break;
		}
	}
	return slot;
}

void series_table_borrow(struct series_table *table, const struct series_table *from)
{
	*table = *from;
	table->borrowed = true;
}

void series_table_release(struct series_table *table)
{
	for (size_t i = 0; i < table->count && !table->borrowed; i++) {
		free_indirect(&table->rows[i].name);
	}
}

void series_want(struct series_table *table, const char *name, size_t len, bool buckets)
{
	size_t slot = slot_of(table, name, len, hash_of(name, len));

	if (table->slots[slot] != 0 || len == 0) {
		return;
	}
	if (table->count == SERIES_MAX) {
		abort(); /* the names are ours: the table of engines has outgrown this one */
	}
	table->rows[table->count] =
		(struct series){.name = xstrndup(name, len), .len = len, .number = table->count, .buckets = buckets};
	table->count++;
	table->slots[slot] = (unsigned char)table->count;
}

const struct series *series_named(const struct series_table *table, const char *name, size_t len)
{
	size_t slot = slot_of(table, name, len, hash_of(name, len));

	return table->slots[slot] != 0 ? &table->rows[table->slots[slot] - 1] : NULL;
}

struct series *series_of_line(struct series_table *table, const char *line, const char **end)
{
	uint32_t hash = HASH_BEGIN;
	const char *c;
	size_t slot;

	line = *line == 'r' ? spelling_without_ray(line) : line;
	for (c = line; !series_name_ends(*c); c++) {
		hash = hash_step(hash, *c);
	}
	*end = c;
	slot = slot_of(table, line, (size_t)(c - line), hash);
	return table->slots[slot] != 0 ? &table->rows[table->slots[slot] - 1] : NULL;
}
