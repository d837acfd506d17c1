/* Joining and leaving a line, and whose turn it is. */
#include "line.h"

#include <stddef.h>

#include "base/clock.h"

/* As the queue of passes has it (runtime/queue.c). */
#define TURN_NS INT64_C(10000000)

static void begin_some(struct line *line);

static void on_turn(uv_timer_t *timer)
{
	begin_some(timer->data);
}

static void begin_some(struct line *line)
{
	uint64_t turn_ms = uv_now(line->turn.loop);

	if (turn_ms != line->turn_ms) {
		line->turn_ms = turn_ms;
		line->turn_ns = 0;
	}
	while (line->first != NULL && !line->held && line->turn_ns < TURN_NS) {
		struct line_item *item = line->first;
		int64_t start = clock_worked_ns();

		line_leave(line, item);
		line->begin(item);
		line->turn_ns += clock_worked_ns() - start;
	}
	if (line->first != NULL && !line->held) {
		uv_timer_start(&line->turn, on_turn, 1, 0);
	}
}

void line_init(struct line *line, uv_loop_t *loop, void (*begin)(struct line_item *item))
{
	*line = (struct line){.begin = begin};
	uv_timer_init(loop, &line->turn);
	line->turn.data = line;
}

void line_close(struct line *line, uv_close_cb closed)
{
	uv_close((uv_handle_t *)&line->turn, closed);
}

void line_join(struct line *line, struct line_item *item)
{
	if (item->waiting) {
		return;
	}
	*item = (struct line_item){.waiting = true, .previous = line->last};
	if (line->first == NULL) {
		line->first = item;
	} else {
		line->last->next = item;
	}
	line->last = item;
	begin_some(line);
}

void line_leave(struct line *line, struct line_item *item)
{
	if (!item->waiting) {
		return;
	}
	item->waiting = false;
	if (item->previous != NULL) {
		item->previous->next = item->next;
	} else {
		line->first = item->next;
	}
	if (item->next != NULL) {
		item->next->previous = item->previous;
	} else {
		line->last = item->previous;
	}
}

void line_hold(struct line *line, bool held)
{
	line->held = held;
	begin_some(line);
}
