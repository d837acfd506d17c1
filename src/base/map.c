/* A hash map with open addressing, linear probing and tombstones. */
#include "base/map.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/keep.h"
#include "base/memory.h"

struct map_entry {
	char *key; /* NULL: never used; `tombstone`: removed */
	void *value;
	uint64_t hash;
};

static char tombstone[1];

static bool is_live(const struct map_entry *entry)
{
	return entry->key != NULL && entry->key != tombstone;
}

/* `cap` is a power of two. */
static size_t slot_of(uint64_t hash, size_t cap)
{
	return (size_t)hash & (cap - 1);
}

static struct map_entry *find(const struct map *map, const char *key)
{
	if (!map->cap) {
		return NULL;
	}

	uint64_t hash = hash_text(HASH_START, key);

	/* ends: a quarter of the slots is never used */
	for (size_t i = slot_of(hash, map->cap);; i = (i + 1) & (map->cap - 1)) {
		struct map_entry *entry = &map->entries[i];

		if (entry->key == NULL) {
			return NULL;
		}
		if (is_live(entry) && entry->hash == hash && !strcmp(entry->key, key)) {
			return entry;
		}
	}
}

/* Makes room for one more, dropping the tombstones. */
static void reserve(struct map *map)
{
	if (map->cap && (map->used + 1) * 4 <= map->cap * 3) {
		return;
	}

	struct map_entry *old = map->entries;
	size_t old_cap = map->cap;

	map->cap = 8;
	while (map->cap < (map->count + 1) * 2) {
		map->cap *= 2;
	}
	map->entries = xcalloc(map->cap, sizeof(*map->entries));
	for (size_t i = 0; i < old_cap; i++) {
		if (!is_live(&old[i])) {
			continue;
		}

		size_t to = slot_of(old[i].hash, map->cap);

		while (map->entries[to].key != NULL) {
			to = (to + 1) & (map->cap - 1);
		}
		map->entries[to] = old[i];
	}
	map->used = map->count;
	free(old);
}

void map_init(struct map *map, void (*free_value)(void *value))
{
	*map = (struct map){.free_value = free_value};
}

void map_release(struct map *map)
{
	map_clear(map);
	free(map->entries);
	map_init(map, map->free_value);
}

size_t map_count(const struct map *map)
{
	return map->count;
}

void *map_get(const struct map *map, const char *key)
{
	const struct map_entry *entry = find(map, key);

	return entry != NULL ? entry->value : NULL;
}

bool map_has(const struct map *map, const char *key)
{
	return find(map, key) != NULL;
}

static void free_value(const struct map *map, void *value)
{
	if (map->free_value != NULL && value != NULL) {
		map->free_value(value);
	}
}

const char *map_put(struct map *map, const char *key, void *value)
{
	struct map_entry *entry = find(map, key);

	if (entry != NULL) {
		void *old = entry->value;

		entry->value = value;
		if (old != value) {
			free_value(map, old);
		}
		return entry->key;
	}

	reserve(map);

	uint64_t hash = hash_text(HASH_START, key);
	size_t i = slot_of(hash, map->cap);

	while (is_live(&map->entries[i])) {
		i = (i + 1) & (map->cap - 1);
	}
	if (map->entries[i].key == NULL) {
		map->used++;
	}
	map->count++;
	map->entries[i] = (struct map_entry){.key = keep_text(key), .value = value, .hash = hash};
	return map->entries[i].key;
}

/* Takes the entry out; its value is the caller's now. */
static void *evict(struct map *map, struct map_entry *entry)
{
	void *value = entry->value;

	keep_text_free(entry->key);
	*entry = (struct map_entry){.key = tombstone};
	map->count--;
	return value;
}

bool map_remove(struct map *map, const char *key)
{
	struct map_entry *entry = find(map, key);

	if (entry == NULL) {
		return false;
	}
	free_value(map, evict(map, entry));
	return true;
}

void *map_take(struct map *map, const char *key)
{
	struct map_entry *entry = find(map, key);

	return entry != NULL ? evict(map, entry) : NULL;
}

void map_clear(struct map *map)
{
	for (size_t i = 0; i < map->cap; i++) {
		if (is_live(&map->entries[i])) {
			free_value(map, evict(map, &map->entries[i]));
		}
	}
	if (map->cap) {
		memset(map->entries, 0, map->cap * sizeof(*map->entries));
	}
	map->used = 0;
}

bool map_next(const struct map *map, size_t *pos, const char **key, void **value)
{
	while (*pos < map->cap) {
		const struct map_entry *entry = &map->entries[(*pos)++];

		if (!is_live(entry)) {
			continue;
		}
		if (key != NULL) {
			*key = entry->key;
		}
		if (value != NULL) {
			*value = entry->value;
		}
		return true;
	}
	return false;
}
