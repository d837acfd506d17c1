/* Taking pieces out of one block, and finding out how large it has to be. */
#include "base/arena.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/keep.h"
#include "base/memory.h"

#define ALIGNMENT 8
#define CHUNK_BYTES 8192
/* So many places are looked at for a text that is known. */
#define KNOWN_TRIES 8

_Static_assert(_Alignof(int64_t) <= ALIGNMENT && _Alignof(void *) <= ALIGNMENT, "raise ALIGNMENT");

/* While it measures, the pieces lie in chunks, wherever there is room. */
struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	int64_t bytes[]; /* for its alignment */
};

static size_t rounded(size_t bytes)
{
	return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void arena_measure(struct arena *arena)
{
	*arena = (struct arena){.block = NULL};
}

size_t arena_bytes(const struct arena *arena)
{
	return rounded(arena->items + arena->texts);
}

/* What measuring made for filling. */
static char *take_carried(struct arena *measured)
{
	char *carried = measured->carried;

	measured->carried = NULL;
	return carried;
}

void arena_fill(struct arena *arena, struct arena *measured)
{
	size_t size = arena_bytes(measured);
	char *carried = take_carried(measured);

	arena_release(measured);
	*arena = (struct arena){.block = xcalloc(1, size), .size = size, .carried = carried};
}

void arena_fill_kept(struct arena *arena, struct arena *measured)
{
	size_t size = arena_bytes(measured);
	char *carried = take_carried(measured);

	arena_release(measured);
	*arena = (struct arena){.block = keep_new(size), .size = size, .kept = true, .carried = carried};
}

static void *take_from_chunk(struct arena *arena, size_t bytes)
{
	struct arena_chunk *chunk = arena->chunks;
	void *piece;

	if (chunk == NULL || chunk->size - chunk->used < bytes) {
		size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;

		chunk = xcalloc(1, sizeof(*chunk) + size);
		chunk->next = arena->chunks;
		chunk->size = size;
		arena->chunks = chunk;
	}
	piece = (char *)chunk->bytes + chunk->used;
	chunk->used += bytes;
	return piece;
}

static void check_room(const struct arena *arena, size_t bytes)
{
	if (arena->size - arena->items - arena->texts < bytes) {
		fputs("an arena is smaller than what was measured\n", stderr);
		abort();
	}
}

void *arena_items(struct arena *arena, size_t count, size_t size)
{
	size_t bytes = rounded(count * size);
	void *items;

	if (count == 0) {
		return NULL;
	}
	if (arena->block == NULL) {
		arena->items += bytes;
		return take_from_chunk(arena, bytes);
	}
	check_room(arena, bytes);
	items = arena->block + arena->items;
	arena->items += bytes;
	return items;
}

/* FNV-1a, 32 bits. */
static size_t slot_of(const char *text)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *text != '\0'; text++) {
		hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
	}
	return hash % ARENA_KNOWN;
}

static const char *add_text(struct arena *arena, const char *text)
{
	size_t bytes = strlen(text) + 1;
	char *copy;

	if (arena->block == NULL) {
		copy = take_from_chunk(arena, rounded(bytes));
	} else {
		check_room(arena, bytes);
		copy = arena->block + arena->size - arena->texts - bytes;
	}
	arena->texts += bytes;
	memcpy(copy, text, bytes);
	return copy;
}

/* Where this text is known; else where it may be. */
static const char **place_of(struct arena *arena, const char *text)
{
	size_t slot = slot_of(text);

	for (size_t i = 0; i < KNOWN_TRIES; i++) {
		const char **place = &arena->known[(slot + i) % ARENA_KNOWN];

		if (*place == NULL || strcmp(*place, text) == 0) {
			return place;
		}
	}
	return &arena->known[slot];
}

const char *arena_text(struct arena *arena, const char *text)
{
	const char **place;

	if (text == NULL) {
		return NULL;
	}
	place = place_of(arena, text);
	if (*place == NULL || strcmp(*place, text) != 0) {
		*place = add_text(arena, text);
	}
	return *place;
}

void arena_know(struct arena *arena, const char *text)
{
	if (text != NULL) {
		*place_of(arena, text) = text;
	}
}

void arena_carry(struct arena *arena, char *text_take)
{
	free(arena->carried);
	arena->carried = text_take;
}

void *arena_take(struct arena *arena)
{
	void *block = arena->block;

	free(arena->carried);
	*arena = (struct arena){.block = NULL};
	return block;
}

void arena_release(struct arena *arena)
{
	while (arena->chunks != NULL) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		free(chunk);
	}
	free(arena->carried);
	if (arena->kept) {
		keep_free(arena->block, arena->size);
	} else {
		free(arena->block);
	}
	*arena = (struct arena){.block = NULL};
}
