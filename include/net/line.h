/*
 * A line of those who are due: first come, first served, as many as there is time for in a turn of the loop.
 *
 * A thousand may be due in one moment, and each takes its time to begin.
 */
#ifndef NET_LINE_H
#define NET_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"

struct line {
	struct list waiting;
	void (*begin)(struct list_item *item); /* it has left the line */
	bool held;
	uv_timer_t turn;  /* the next turn */
	uint64_t turn_ms; /* the loop's time in the last turn in which some began */
	int64_t turn_ns;  /* how much of that turn they took */
};

void line_init(struct line *line, uv_loop_t *loop, void (*begin)(struct list_item *item));
/* Everybody has left. closed(&line->turn) comes from the loop; the line is needed until then. */
void line_close(struct line *line, uv_close_cb closed);
/* It may begin before this returns. Nothing when it waits already. Who gives up leaves by list_leave(). */
void line_join(struct line *line, struct list_item *item);
/* While it is held nobody begins. */
void line_hold(struct line *line, bool held);

#endif
