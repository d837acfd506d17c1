/*
 * A line of those who wait for their turn: first come, first served, as many in each turn of the loop as there is time for.
 *
 * Items are embedded in the caller's structs, which they lead back to by container_of(). Private to src/probe.
 */
#ifndef PROBE_LINE_H
#define PROBE_LINE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct line_item {
	bool waiting;
	struct line_item *next;
};

struct line {
	struct line_item *first;
	struct line_item *last;
	uv_timer_t turn;  /* the next turn */
	uint64_t turn_ms; /* the loop's time in the last turn in which items began */
	int64_t turn_ns;  /* how much of that turn they took */
	void (*begin)(struct line_item *item);
	bool (*is_held)(const struct line *line); /* nobody's turn comes now */
};

void line_init(struct line *line, uv_loop_t *loop, void (*begin)(struct line_item *item),
	bool (*is_held)(const struct line *line));
/* Nothing when it waits already. */
void line_join(struct line *line, struct line_item *item);
/* Nothing when it does not wait. */
void line_leave(struct line *line, struct line_item *item);
/* Takes those out whose turn it is, each given to begin(); to be called when somebody joined, or is held no more. */
void line_run(struct line *line);
/* Nobody's turn comes any more; closed() from the loop. */
void line_close(struct line *line, void (*closed)(uv_handle_t *turn));

#endif
