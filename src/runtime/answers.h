/*
 * Answers that take work: made piece by piece, as each client takes them, in slices between the loop's other work.
 *
 * Whoever can reach the port can ask as often as it likes, and need not read. So of each answer there is a piece at a time,
 * the next one is made when the client has taken it, and who does not take it is dropped (http_server.h). All
 * answers together get a fifth of the loop's time, address by address, however many connections come from one.
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
/* Replies 200 with the answer to the question; `content_type` is a literal. */
void answers_give(struct answers *answers, struct http_exchange *exchange, const char *question,
	const char *content_type);
/* Who waits is sent away, and an answer that has begun is cut; closed(ctx) from the loop, freed after it. */
void answers_close(struct answers *answers, void (*closed)(void *ctx), void *ctx);

#endif
