/*
 * A line of those who are due: first come, first served, as many as there is time for in a turn of the loop.
 *
 * A thousand may be due in one moment, and each takes its time to begin. Items are embedded in the caller's structs, which
 * they lead back to by container_of(). Private to src/probe.
 */
#ifndef PROBE_LINE_H
#define PROBE_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct line_item {
	bool waiting;
	struct line_item *next;
	struct line_item *previous;
};

struct line {
	struct line_item *first;
	struct line_item *last;
	void (*begin)(struct line_item *item); /* it has left the line */
	bool held;
	uv_timer_t turn;  /* the next turn */
	uint64_t turn_ms; /* the loop's time in the last turn in which some began */
	int64_t turn_ns;  /* how much of that turn they took */
};

void line_init(struct line *line, uv_loop_t *loop, void (*begin)(struct line_item *item));
/* Everybody has left. closed(&line->turn) comes from the loop; the line is needed until then. */
void line_close(struct line *line, uv_close_cb closed);
/* It may begin before this returns. Nothing when it waits already. */
void line_join(struct line *line, struct line_item *item);
/* Nothing when it does not wait. */
void line_leave(struct line *line, struct line_item *item);
/* While it is held nobody begins. */
void line_hold(struct line *line, bool held);

#endif
