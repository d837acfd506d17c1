/*
 * So many at once, and the others in line: first come, first served.
 *
 * Items are embedded in the caller's structs, which they lead back to by container_of(). Private to src/probe.
 */
#ifndef PROBE_SLOTS_H
#define PROBE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

struct slots_item {
	bool waiting;
	bool begun; /* has a slot */
	struct slots_item *next;
	struct slots_item *previous;
};

/* Made by an initialiser: {.free = N, .begin = FUNCTION}. */
struct slots {
	unsigned free;
	void (*begin)(struct slots_item *item); /* it has a slot now */
	struct slots_item *first;
	struct slots_item *last;
};

/* A new item. It may begin before this returns. */
void slots_join(struct slots *slots, struct slots_item *item);
/* One that waits goes; the slot of one that began goes to the next; nothing happens to one that left before. */
void slots_leave(struct slots *slots, struct slots_item *item);
/* Nobody waits. */
bool slots_idle(const struct slots *slots);

#endif
