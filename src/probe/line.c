/* A line, and whose turn it is. */
#include "line.h"

#include <stddef.h>

#include "base/clock.h"

/* Of a turn of the loop: as the queue of passes has it (runtime/queue.c). */
#define TURN_NS INT64_C(10000000)

static void on_turn(uv_timer_t *timer)
{
	line_run(timer->data);
}

void line_init(struct line *line, uv_loop_t *loop, void (*begin)(struct line_item *item),
	bool (*is_held)(const struct line *line))
{
	*line = (struct line){.begin = begin, .is_held = is_held};
	uv_timer_init(loop, &line->turn);
	line->turn.data = line;
}

void line_join(struct line *line, struct line_item *item)
{
	if (item->waiting) {
		return;
	}
	*item = (struct line_item){.waiting = true};
	if (line->first == NULL) {
		line->first = item;
	} else {
		line->last->next = item;
	}
	line->last = item;
}

void line_leave(struct line *line, struct line_item *item)
{
	struct line_item *before = line->first;

	if (!item->waiting) {
		return;
	}
	item->waiting = false;
	if (before == item) {
		line->first = item->next;
		return;
	}
	while (before->next != item) {
		before = before->next;
	}
	before->next = item->next;
	if (line->last == item) {
		line->last = before;
	}
}

void line_run(struct line *line)
{
	uint64_t turn_ms = uv_now(line->turn.loop);

	if (line->is_held(line)) {
		return;
	}
	if (turn_ms != line->turn_ms) {
		line->turn_ms = turn_ms;
		line->turn_ns = 0;
	}
	while (line->first != NULL && line->turn_ns < TURN_NS) {
		struct line_item *item = line->first;
		int64_t start = clock_worked_ns();

		line_leave(line, item);
		line->begin(item);
		line->turn_ns += clock_worked_ns() - start;
	}
	if (line->first != NULL) {
		uv_timer_start(&line->turn, on_turn, 1, 0);
	}
}

void line_close(struct line *line, void (*closed)(uv_handle_t *turn))
{
	uv_close((uv_handle_t *)&line->turn, closed);
}
