/* Slabs: each has the blocks of one size. */
#if defined(__linux__)
#define _DEFAULT_SOURCE /* madvise() */
#endif
#include "base/keep.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#if defined(__linux__)
#include <sys/mman.h>
#endif

#define SLAB_BYTES ((size_t)64 << 10)
/* So many are taken from the system at a time. */
#define REGION_SLABS ((size_t)16)
/* Sizes are rounded up, by a few bytes in a hundred: half of each size's last slab is empty, so there must not be too many
 * of them. */
#define SMALL_MAX ((size_t)512)
#define SMALL_STEP ((size_t)16)
#define LARGE_MAX ((size_t)4096)
#define LARGE_STEP ((size_t)32)
#define SIZES (SMALL_MAX / SMALL_STEP + (LARGE_MAX - SMALL_MAX) / LARGE_STEP)
/* So many empty slabs keep their pages. */
#define WARM_SLABS 4

struct block {
	struct block *next;
};

/* At the begin of its memory, which is aligned to its size: so a block leads to its slab. */
struct slab {
	struct slab *next; /* of this size, with room */
	struct slab *previous;
	struct block *freed;
	uint32_t size;  /* of a block */
	uint32_t used;  /* blocks */
	uint32_t fresh; /* where the blocks begin that were never used */
	int64_t blocks[];
};

static struct {
	struct slab *with_room[SIZES];
	void **empty; /* slabs of no size */
	size_t empty_count;
	size_t empty_cap;
	size_t regions;
	pthread_t thread;
	bool used;
} keep;

/* Sanitizers know each block by itself. */
#if defined(__SANITIZE_ADDRESS__)
#define BLOCK_MAX 0
#else
#define BLOCK_MAX LARGE_MAX
#endif

static size_t number_of(size_t size)
{
	return size <= SMALL_MAX ? (size + SMALL_STEP - 1) / SMALL_STEP - 1
	                         : SMALL_MAX / SMALL_STEP + (size - SMALL_MAX + LARGE_STEP - 1) / LARGE_STEP - 1;
}

static uint32_t size_of(size_t number)
{
	size_t small = SMALL_MAX / SMALL_STEP;

	return (uint32_t)(number < small ? (number + 1) * SMALL_STEP : SMALL_MAX + (number - small + 1) * LARGE_STEP);
}

static void check_thread(void)
{
	if (!keep.used) {
		keep.thread = pthread_self();
		keep.used = true;
	}
	assert(pthread_equal(keep.thread, pthread_self()));
}

static void add_empty(void *slab)
{
	keep.empty = xgrow(keep.empty, &keep.empty_cap, keep.empty_count + 1, sizeof(*keep.empty));
	keep.empty[keep.empty_count++] = slab;
}

static void add_region(void)
{
	char *region = aligned_alloc(SLAB_BYTES, REGION_SLABS * SLAB_BYTES);

	if (region == NULL) {
		abort(); /* out of memory */
	}
	keep.regions++;
	for (size_t i = REGION_SLABS; i > 0; i--) {
		add_empty(region + (i - 1) * SLAB_BYTES);
	}
}

static void link_slab(struct slab *slab)
{
	struct slab **first = &keep.with_room[number_of(slab->size)];

	slab->previous = NULL;
	slab->next = *first;
	if (slab->next != NULL) {
		slab->next->previous = slab;
	}
	*first = slab;
}

static void unlink_slab(struct slab *slab)
{
	if (slab->next != NULL) {
		slab->next->previous = slab->previous;
	}
	if (slab->previous != NULL) {
		slab->previous->next = slab->next;
	} else {
		keep.with_room[number_of(slab->size)] = slab->next;
	}
}

static struct slab *new_slab(size_t number)
{
	struct slab *slab;

	if (keep.empty_count == 0) {
		add_region();
	}
	slab = keep.empty[--keep.empty_count];
	*slab = (struct slab){.size = size_of(number), .fresh = offsetof(struct slab, blocks)};
	link_slab(slab);
	return slab;
}

static bool has_room(const struct slab *slab)
{
	return slab->freed != NULL || slab->fresh + slab->size <= SLAB_BYTES;
}

static void *take_block(struct slab *slab)
{
	void *block = slab->freed;

	if (block != NULL) {
		slab->freed = slab->freed->next;
	} else {
		block = (char *)slab + slab->fresh;
		slab->fresh += slab->size;
	}
	slab->used++;
	if (!has_room(slab)) {
		unlink_slab(slab);
	}
	return memset(block, 0, slab->size);
}

void *keep_new(size_t size)
{
	size_t number = number_of(size > 0 ? size : 1);
	struct slab *slab;

	if (size > BLOCK_MAX) {
		return xcalloc(1, size);
	}
	check_thread();
	slab = keep.with_room[number];
	return take_block(slab != NULL ? slab : new_slab(number));
}

static void empty_slab(struct slab *slab)
{
	unlink_slab(slab);
#if defined(__linux__)
	if (keep.empty_count >= WARM_SLABS) {
		(void)madvise(slab, SLAB_BYTES, MADV_DONTNEED);
	}
#endif
	add_empty(slab);
}

void keep_free(void *block, size_t size)
{
	struct slab *slab = (struct slab *)((uintptr_t)block & ~(uintptr_t)(SLAB_BYTES - 1));
	struct block *freed = block;

	if (size > BLOCK_MAX) {
		free(block);
		return;
	}
	if (block == NULL) {
		return;
	}
	check_thread();
	assert(slab->used > 0 && slab->size == size_of(number_of(size > 0 ? size : 1)));
	if (!has_room(slab)) {
		link_slab(slab);
	}
	freed->next = slab->freed;
	slab->freed = freed;
	if (--slab->used == 0) {
		empty_slab(slab);
	}
}

char *keep_text(const char *text)
{
	size_t size = text != NULL ? strlen(text) + 1 : 0;

	return text != NULL ? memcpy(keep_new(size), text, size) : NULL;
}

void keep_text_free(char *text)
{
	keep_free(text, text != NULL ? strlen(text) + 1 : 0);
}

size_t keep_bytes(void)
{
	return keep_reserved_bytes() - keep.empty_count * SLAB_BYTES;
}

size_t keep_reserved_bytes(void)
{
	return keep.regions * REGION_SLABS * SLAB_BYTES;
}
