/*
 * Answers that take work: made in slices between the loop's other work, and one text for all who ask.
 *
 * Whoever can reach the port can ask as often as it likes. So all answers together get a fifth of the loop's time, and
 * one that was made is given for a second to everybody who asks for the same; whoever asks while it is made waits
 * for it. Who leaves meanwhile is forgotten, and an answer that nobody waits for is not made.
 */
#ifndef RUNTIME_ANSWERS_H
#define RUNTIME_ANSWERS_H

#include <stdbool.h>
#include <uv.h>

#include "base/strbuf.h"
#include "net/http_server.h"

struct answers;

struct answers_hooks {
	/* Appends a little of the answer to this question, about a millisecond's work; true when that was the last of it.
	 * `*state` is NULL the first time, and the hook's own between its calls. */
	bool (*make)(void *ctx, const char *question, void **state, struct strbuf *text);
	/* The answer is made, or given up. */
	void (*release)(void *state);
	void *ctx;
};

struct answers *answers_new(uv_loop_t *loop, const struct answers_hooks *hooks);
/* Replies 200 with the answer to the question, now or later; `content_type` is a literal. What differs from one who asks
 * to another, such as what each may see, is part of the question. */
void answers_give(struct answers *answers, struct http_exchange *exchange, const char *question,
	const char *content_type);
/* Who waits is sent away; closed(ctx) from the loop, freed after it. */
void answers_close(struct answers *answers, void (*closed)(void *ctx), void *ctx);

#endif
