/* Joining and leaving a line, and whose turn it is. */
#include "net/line.h"

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
	while (line->waiting.first != NULL && !line->held && line->turn_ns < TURN_NS) {
		struct list_item *item = line->waiting.first;
		int64_t start = clock_worked_ns();

		list_leave(item);
		line->begin(item);
		line->turn_ns += clock_worked_ns() - start;
	}
	if (line->waiting.first != NULL && !line->held) {
		uv_timer_start(&line->turn, on_turn, 1, 0);
	}
}

void line_init(struct line *line, uv_loop_t *loop, void (*begin)(struct list_item *item))
{
	*line = (struct line){.begin = begin};
	uv_timer_init(loop, &line->turn);
	line->turn.data = line;
}

void line_close(struct line *line, uv_close_cb closed)
{
	uv_close((uv_handle_t *)&line->turn, closed);
}

void line_join(struct line *line, struct list_item *item)
{
	if (item->in == NULL) {
		list_append(&line->waiting, item);
		begin_some(line);
	}
}

void line_hold(struct line *line, bool held)
{
	line->held = held;
	begin_some(line);
}
