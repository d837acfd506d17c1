/*
 * What is due when: many items, each at a time of its own, by one timer of the loop. A uv_timer_t takes 150 bytes.
 */
#ifndef NET_AGENDA_H
#define NET_AGENDA_H

#include <stdint.h>
#include <uv.h>

#include "base/heap.h"

/* Embedded in the caller's struct; all zero = not on the agenda. */
struct agenda_item {
	struct heap_item place;
	uint64_t due_ms; /* the loop's time */
};

struct agenda {
	struct heap items;
	uv_timer_t timer;                      /* for the first of them */
	void (*due)(struct agenda_item *item); /* it is not on the agenda any more */
};

void agenda_init(struct agenda *agenda, uv_loop_t *loop, void (*due)(struct agenda_item *item));
/* No item is due any more. closed(&agenda->timer) comes from the loop; the agenda is needed until then. */
void agenda_close(struct agenda *agenda, uv_close_cb closed);
/* Due in so many ms, and no more when it was due before; never before this returns. */
void agenda_set(struct agenda *agenda, struct agenda_item *item, uint64_t wait_ms);
/* Takes it off; nothing when it is not on it. */
void agenda_remove(struct agenda *agenda, struct agenda_item *item);
/* In how many ms it is due; 0 when it is not on it. */
uint64_t agenda_due_in(const struct agenda *agenda, const struct agenda_item *item);

#endif
