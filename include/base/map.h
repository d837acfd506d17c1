/*
 * A hash map from strings to pointers (open addressing, a keyed hash).
 *
 * Keys are copied. Values belong to the map when it was made with a destructor.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct map {
	struct map_entry *entries;
	size_t cap;
	size_t used;  /* live entries and tombstones */
	size_t count; /* live entries */
	void (*free_value)(void *value);
};

void map_init(struct map *map, void (*free_value)(void *value));
void map_release(struct map *map);
size_t map_count(const struct map *map);
/* The value, borrowed; NULL when absent. */
void *map_get(const struct map *map, const char *key);
bool map_has(const struct map *map, const char *key);
/* Stores; an old value is freed. The map's copy of the key, which stays until the entry goes. */
const char *map_put(struct map *map, const char *key, void *value);
/* Removes and frees; false when it was not there. */
bool map_remove(struct map *map, const char *key);
/* Removes and hands out the value; NULL when absent. */
void *map_take(struct map *map, const char *key);
void map_clear(struct map *map);
/* Walks all entries, in an order that is another at each start of the program: start with *pos = 0; false at the end. The map must not change meanwhile,
 * but the entry just returned may be removed. */
bool map_next(const struct map *map, size_t *pos, const char **key, void **value);

#endif
