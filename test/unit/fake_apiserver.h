/*
 * An API server that says what a test wants it to: plain HTTP/1.1 on 127.0.0.1, in the test's own
 * loop, so that bytes and resets come exactly when they are asked for.
 *
 * Every request is given to a handler; with none, the next step of the script answers it. A
 * request the script does not expect is answered 500 and fails the test at fake_close().
 */
#ifndef TEST_FAKE_APISERVER_H
#define TEST_FAKE_APISERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum fake_end {
	FAKE_REPLY, /* a whole answer */
	FAKE_HOLD,  /* a stream that stays open: fake_push(), fake_end(), … go on with it
		     */
	FAKE_END,   /* a stream that ends cleanly after the body */
	FAKE_MUTE   /* no answer at all */
};

struct fake_answer {
	int status;
	const char *headers; /* "Name: value\r\n…", or NULL */
	const char *body;    /* NULL = none */
	enum fake_end end;
	size_t piece; /* of a stream: bytes sent at a time; 0 = all */
};

struct fake_step {
	const char *expect; /* fnmatch pattern for "METHOD target" */
	struct fake_answer answer;
};

struct fake_request {
	const char *line; /* "GET /api/v1/services?limit=100" */
	const char *head; /* all header lines */
	const char *body;
};

typedef struct fake_answer fake_handler_fn(void *ctx, const struct fake_request *request);

struct fake_apiserver;

struct fake_apiserver *fake_new(uv_loop_t *loop, fake_handler_fn *handler, void *ctx);
void fake_script(struct fake_apiserver *fake, const struct fake_step *steps, size_t count);
const char *fake_url(const struct fake_apiserver *fake);
/* How many requests came, and the last of them. */
size_t fake_requests(const struct fake_apiserver *fake);
const char *fake_last_line(const struct fake_apiserver *fake);
const char *fake_last_head(const struct fake_apiserver *fake);
const char *fake_last_body(const struct fake_apiserver *fake);
/* Of the stream that was held last: more of it, a TCP reset, a close in the middle, its proper end.
 */
void fake_push(struct fake_apiserver *fake, const char *text);
void fake_reset(struct fake_apiserver *fake);
void fake_drop(struct fake_apiserver *fake);
void fake_end(struct fake_apiserver *fake);
/* Until the next call connections are refused: nobody listens, and those there are reset. */
void fake_refuse(struct fake_apiserver *fake, bool refuse);
/* Drops every connection and frees. The number of unexpected requests, told on stderr, and of
 * steps nobody asked for. */
size_t fake_close(struct fake_apiserver *fake);

/* Runs the loop until the condition holds; false after ten seconds. */
bool run_until(uv_loop_t *loop, bool (*holds)(void *ctx), void *ctx);
/* Runs the loop for so long: that something does not happen has no event to wait for. */
void run_for(uv_loop_t *loop, int ms);

#endif
