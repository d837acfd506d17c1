/*
 * The lines of a stream, of which a turn of the loop takes only so many: a server sends as fast as it can.
 *
 * Private to src/kube.
 */
#ifndef KUBE_CALL_LINES_H
#define KUBE_CALL_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"
#include "call.h"

struct call_lines {
	struct strbuf text; /* what came, from the first line that was not taken on */
	size_t taken;       /* of it, cut off at the next occasion */
	size_t searched;    /* of it: there is no newline before */
	uint64_t turn;      /* of the loop, by its time: in which lines were taken last */
	int64_t spent_ns;   /* of that turn */
};

enum lines_rest {
	LINES_NONE,  /* no whole line is left */
	LINES_SOME,  /* some are: they are for another turn */
	LINES_BROKEN /* the owner wants no more */
};

#define CALL_LINES_INIT                                                                                                \
	(struct call_lines)                                                                                            \
	{                                                                                                              \
		.text = STRBUF_INIT                                                                                    \
	}

void call_lines_add(struct call_lines *lines, const char *data, size_t len);
/* Hands on whole lines, for about two milliseconds of each turn. `cancelled` may become true meanwhile: then it is over. */
enum lines_rest call_lines_take(struct call_lines *lines, uint64_t turn, kube_line_fn *on_line, void *ctx,
	const bool *cancelled);
/* How many bytes were not taken yet. */
size_t call_lines_waiting(const struct call_lines *lines);
void call_lines_release(struct call_lines *lines);

#endif
