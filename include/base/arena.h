/*
 * Many small pieces in one heap block of exactly their size.
 *
 * What fills it runs twice: first on an arena that measures, whose memory is gone afterwards, and then on one of the
 * size that was measured. Both times the same pieces have to be taken in the same order.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct arena_chunk;

#define ARENA_KNOWN 64

struct arena {
	char *block;  /* NULL while it measures */
	size_t items; /* bytes taken from the front, aligned */
	size_t texts; /* bytes taken from the end, not aligned: so that no byte is lost between the two */
	size_t size;  /* of the block */
	bool kept;    /* it is of base/keep.h */
	const char *known[ARENA_KNOWN]; /* texts taken before, near where their hash says */
	struct arena_chunk *chunks;     /* only while it measures */
	char *carried;                  /* see arena_carry(); NULL = none */
};

/* An arena that measures. */
void arena_measure(struct arena *arena);
/* One of the size that the other has measured. The memory of what was measured is gone after this. */
void arena_fill(struct arena *arena, struct arena *measured);
/* Likewise, of the memory for what is kept for long: arena_take() hands out a block for keep_free(), of arena_bytes(). */
void arena_fill_kept(struct arena *arena, struct arena *measured);
/* The bytes taken so far, as one block would have them. */
size_t arena_bytes(const struct arena *arena);
/* Room for `count` items, all zero; valid as long as the arena. NULL when count is 0. A block that is too small, which
 * is a mistake of the caller's, ends the process. */
void *arena_items(struct arena *arena, size_t count, size_t size);
/* A copy, or one of the same text that was taken before; NULL stays NULL. */
const char *arena_text(struct arena *arena, const char *text);
/* Hands a text on the heap, which may be NULL, from measuring to filling, so that it need not be made twice. One at a time. */
void arena_carry(struct arena *arena, char *text_take);
/* From now on this text stands for its copies; it has to stay as long as they would. NULL is allowed. */
void arena_know(struct arena *arena, const char *text);
/* Hands out the block, whose first bytes are the first items taken; the caller frees it with free(). */
void *arena_take(struct arena *arena);
void arena_release(struct arena *arena);
#define auto_arena ATTR_CLEANUP(arena_release) struct arena

#endif
