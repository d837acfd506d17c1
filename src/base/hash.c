/* A hash table with chains. */
#include "base/hash.h"

#include <stdlib.h>

#include "base/memory.h"

#define FIRST_CAP 8

void hash_table_release(struct hash_table *table)
{
	free(table->slots);
	*table = (struct hash_table){.slots = NULL};
}

/* `cap` is a power of two. */
static struct hash_item **slot_of(const struct hash_table *table, uint64_t hash)
{
	return &table->slots[(size_t)hash & (table->cap - 1)];
}

static void put(struct hash_table *table, struct hash_item *item)
{
	struct hash_item **slot = slot_of(table, item->hash);

	item->next = *slot;
	*slot = item;
}

/* Moves the items to so many slots. */
static void resize(struct hash_table *table, size_t cap)
{
	struct hash_table old = *table;

	table->slots = xcalloc(cap, sizeof(struct hash_item *));
	table->cap = cap;
	for (size_t i = 0; i < old.cap; i++) {
		struct hash_item *item = old.slots[i];

		while (item != NULL) {
			struct hash_item *next = item->next;

			put(table, item);
			item = next;
		}
	}
	free(old.slots);
}

void hash_table_add(struct hash_table *table, struct hash_item *item, uint64_t hash)
{
	if (table->count == table->cap) {
		resize(table, table->cap > 0 ? table->cap * 2 : FIRST_CAP);
	}
	item->hash = hash;
	put(table, item);
	table->count++;
}

void hash_table_remove(struct hash_table *table, struct hash_item *item)
{
	struct hash_item **link = slot_of(table, item->hash);

	while (*link != item) {
		link = &(*link)->next;
	}
	*link = item->next;
	table->count--;
	if (table->cap > FIRST_CAP && table->count * 4 < table->cap) {
		resize(table, table->cap / 2);
	}
}

static struct hash_item *first_from(struct hash_item *item, uint64_t hash)
{
	while (item != NULL && item->hash != hash) {
		item = item->next;
	}
	return item;
}

struct hash_item *hash_table_find(const struct hash_table *table, uint64_t hash)
{
	return table->cap > 0 ? first_from(*slot_of(table, hash), hash) : NULL;
}

struct hash_item *hash_item_next(const struct hash_item *item)
{
	return first_from(item->next, item->hash);
}
