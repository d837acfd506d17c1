/*
 * A line of those who wait for their turn: first come, first served.
 *
 * Items are embedded in the caller's structs, which they lead back to by container_of(). Private to src/probe.
 */
#ifndef PROBE_LINE_H
#define PROBE_LINE_H

#include <stdbool.h>

struct line_item {
	bool waiting;
	struct line_item *next;
};

/* All zeros is empty. */
struct line {
	struct line_item *first;
	struct line_item *last;
};

/* Nothing when it waits already. */
void line_join(struct line *line, struct line_item *item);
/* Nothing when it does not wait. */
void line_leave(struct line *line, struct line_item *item);

#endif
