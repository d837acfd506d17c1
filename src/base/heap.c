/* A binary heap in an array. */
#include "base/heap.h"

#include <stdlib.h>

#include "base/memory.h"

void heap_init(struct heap *heap, bool (*before)(const struct heap_item *a, const struct heap_item *b))
{
	*heap = (struct heap){.before = before};
}

void heap_release(struct heap *heap)
{
	free(heap->items);
	heap_init(heap, heap->before);
}

struct heap_item *heap_first(const struct heap *heap)
{
	return heap->count ? heap->items[0] : NULL;
}

static struct heap_item *at(const struct heap *heap, size_t place)
{
	return heap->items[place - 1];
}

static void put(struct heap *heap, size_t place, struct heap_item *item)
{
	heap->items[place - 1] = item;
	item->place = place;
}

/* From this place, which is free, to where the item belongs: before all that it comes before, */
static void rise(struct heap *heap, size_t place, struct heap_item *item)
{
	for (; place > 1 && heap->before(item, at(heap, place / 2)); place /= 2) {
		put(heap, place, at(heap, place / 2));
	}
	put(heap, place, item);
}

/* or behind all that come before it. */
static void sink(struct heap *heap, size_t place, struct heap_item *item)
{
	for (size_t child = 2 * place; child <= heap->count; child = 2 * place) {
		if (child < heap->count && heap->before(at(heap, child + 1), at(heap, child))) {
			child++;
		}
		if (!heap->before(at(heap, child), item)) {
			break;
		}
		put(heap, place, at(heap, child));
		place = child;
	}
	put(heap, place, item);
}

void heap_add(struct heap *heap, struct heap_item *item)
{
	heap->items = xgrow(heap->items, &heap->cap, heap->count + 1, sizeof(struct heap_item *));
	heap->count++;
	rise(heap, heap->count, item);
}

void heap_remove(struct heap *heap, struct heap_item *item)
{
	size_t place = item->place;
	struct heap_item *last;

	if (!place) {
		return;
	}
	last = at(heap, heap->count);
	heap->count--;
	if (last != item) {
		sink(heap, place, last);
		rise(heap, last->place, last);
	}
	item->place = 0;
}
