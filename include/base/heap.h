/*
 * A binary heap: of many items, the first is always at hand.
 *
 * Items are embedded in the caller's structs, which they lead back to by container_of(). An item knows its place, so
 * that any of them can be taken out.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>

struct heap_item {
	size_t place; /* from 1 on; 0 = in no heap */
};

struct heap {
	struct heap_item **items; /* borrowed; the item of place p is items[p - 1] */
	size_t cap;
	size_t count;
	bool (*before)(const struct heap_item *a, const struct heap_item *b); /* a strict order */
};

void heap_init(struct heap *heap, bool (*before)(const struct heap_item *a, const struct heap_item *b));
/* The items stay the caller's. */
void heap_release(struct heap *heap);
/* Borrowed; NULL when the heap is empty. */
struct heap_item *heap_first(const struct heap *heap);
/* The item is in no heap yet, and what its order depends on stays as it is until it is taken out. */
void heap_add(struct heap *heap, struct heap_item *item);
/* Takes it out; nothing when it is in no heap. */
void heap_remove(struct heap *heap, struct heap_item *item);

#endif
