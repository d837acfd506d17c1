/*
 * So many at once, and the others in line: first come, first served.
 *
 * Items are embedded in the caller's structs, which they lead back to by container_of(). Private to src/probe.
 */
#ifndef PROBE_SLOTS_H
#define PROBE_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct slots_item {
	struct list_item place; /* in one of the lists; in none when it has left, or has had its slot for long */
	int64_t begun_ms;       /* monotonic */
};

/* Made by an initialiser: {.free = N, .begin = FUNCTION}. */
struct slots {
	unsigned free;
	void (*begin)(struct slots_item *item); /* it has a slot now */
	struct list waiting;
	struct list begun; /* in the order in which they began */
};

/* A new item. It may begin before this returns. */
void slots_join(struct slots *slots, struct slots_item *item);
bool slots_waits(const struct slots *slots, const struct slots_item *item);
/* One that waits goes; the slot of one that began goes to the next. */
void slots_leave(struct slots *slots, struct slots_item *item);
/* The slots of those that have had them for longer than so many ms go to the next ones. */
void slots_pass_on(struct slots *slots, int64_t longer_than_ms);
/* Nobody waits. */
bool slots_idle(const struct slots *slots);

#endif
