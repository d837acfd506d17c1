/* Taking lines from what came of a stream. */
#include "call_lines.h"

#include <string.h>

#include "base/clock.h"

/* Of one stream in one turn. Several may come at the same time. */
#define TURN_NS INT64_C(2000000)
#define KEPT_BYTES ((size_t)4 << 10)

void call_lines_add(struct call_lines *lines, const char *data, size_t len)
{
	/* Before it grows, and only for what is worth it. */
	if (lines->taken > 0 && lines->taken >= lines->text.len / 2) {
		size_t left = lines->text.len - lines->taken;

		memmove(lines->text.buf, lines->text.buf + lines->taken, left);
		lines->text.len = left;
		lines->text.buf[left] = '\0';
		lines->searched -= lines->taken;
		lines->taken = 0;
	}
	strbuf_add(&lines->text, data, len);
}

/* The end of the line that comes next; NULL while it is not whole. */
static const char *find_newline(struct call_lines *lines)
{
	const char *from = lines->text.buf + lines->searched;
	const char *newline = memchr(from, '\n', lines->text.len - lines->searched);

	lines->searched = newline != NULL ? (size_t)(newline - lines->text.buf) : lines->text.len;
	return newline;
}

/* A burst's room is not kept by a watch that rests. */
static void give_back(struct strbuf *text)
{
	if (text->cap > KEPT_BYTES) {
		strbuf_release(text);
		*text = STRBUF_INIT;
	} else {
		strbuf_reset(text);
	}
}

enum lines_rest call_lines_take(struct call_lines *lines, uint64_t turn, kube_line_fn *on_line, void *ctx,
	const bool *cancelled)
{
	const char *newline;
	int64_t start;

	if (lines->turn != turn) {
		lines->turn = turn;
		lines->spent_ns = 0;
	}
	start = clock_worked_ns();
	while (lines->text.len > lines->taken && (newline = find_newline(lines)) != NULL) {
		const char *line = lines->text.buf + lines->taken;
		size_t len = (size_t)(newline - line);
		int64_t now;

		if (lines->spent_ns >= TURN_NS) {
			return LINES_SOME;
		}
		lines->taken += len + 1;
		lines->searched = lines->taken;
		if ((len > 0 && on_line(ctx, line, len) < 0) || *cancelled) {
			return LINES_BROKEN;
		}
		now = clock_worked_ns();
		lines->spent_ns += now - start;
		start = now;
	}
	if (lines->taken == lines->text.len) {
		give_back(&lines->text);
		lines->taken = lines->searched = 0;
	}
	return LINES_NONE;
}

size_t call_lines_waiting(const struct call_lines *lines)
{
	return lines->text.len - lines->taken;
}

void call_lines_release(struct call_lines *lines)
{
	strbuf_release(&lines->text);
}
