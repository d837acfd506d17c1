/*
 * A hash table of items that are embedded in the caller's structs, which they lead back to by container_of().
 *
 * The table knows hashes only: of the items of one hash the caller tells which it means. Nothing is copied, so that an
 * item costs two words and its place in the table one to two more.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct hash_item {
	struct hash_item *next;
	uint64_t hash;
};

/* All zeros is empty. */
struct hash_table {
	struct hash_item **slots;
	size_t cap;
	size_t count;
};

/* The items stay the caller's. */
void hash_table_release(struct hash_table *table);
/* The item is in no table yet. */
void hash_table_add(struct hash_table *table, struct hash_item *item, uint64_t hash);
/* The item is in this table. */
void hash_table_remove(struct hash_table *table, struct hash_item *item);
/* The items of this hash, in no order: the first one and the one after it; borrowed, NULL at the end. */
struct hash_item *hash_table_find(const struct hash_table *table, uint64_t hash);
struct hash_item *hash_item_next(const struct hash_item *item);

#define HASH_START UINT64_C(0)

/* The hash of what was hashed before and these bytes: "ab", "c" is another than "a", "bc". It has a key that is random at
 * each start of the program. */
uint64_t hash_bytes(uint64_t before, const void *bytes, size_t count);
/* Of the text; NULL is hashed as "". */
uint64_t hash_text(uint64_t before, const char *text);
/* Another key than the random one, before anything is hashed: to repeat a measurement. */
void hash_set_key(uint64_t first, uint64_t second);

#endif
