/*
 * The inside of a call, as call.c (its life) and call_stream.c (what it hands on line by line) share it. Private to src/kube.
 */
#ifndef KUBE_CALL_PARTS_H
#define KUBE_CALL_PARTS_H

#include "call_items.h"
#include "call_lines.h"
#include "net/http_client.h"
#include "sources.h"

struct kube_call {
	struct kube_client *client;
	struct http_transfer *transfer; /* NULL while waiting for a retry or for the end */
	uv_timer_t timer;               /* a retry's wait, or the step into the loop for an early end */
	const char *method;             /* a literal */
	struct exec_waiter login;
	unsigned generation; /* of the credentials that were sent */
	char *url;
	char *content_type;
	char *what;
	char *body;
	size_t max_body;
	const char *const *unread;
	bool missing_ok;
	bool cancelled;
	bool in_data; /* inside on_line: a cancel is told to curl by the return value */
	int retries;
	int64_t waited_ms;      /* by Retry-After, for all retries */
	int64_t retry_after_ms; /* of the last answer, as far as it is believed; -1 = none */
	struct error err;       /* why it ends, when HTTP does not tell */
	kube_line_fn *on_line;
	kube_text_fn *on_text;
	int64_t idle_timeout_ms;
	/* The end, after all that came of it was handed on. */
	void (*conclude)(struct kube_call *call, const struct http_response *response);
	struct call_lines lines; /* of a stream */
	struct call_items items; /* of a stream that is a list */
	bool is_list;
	bool lines_wait;  /* some are for the next turn, by the timer */
	bool holds;       /* the reading of all that its client does */
	bool ended;       /* the stream, before its lines were taken */
	struct error end; /* how: ERROR_NONE = well */
	kube_done_fn *done;
	void *ctx;
};

struct http_client *call_http(const struct kube_call *call);
/* A piece of a stream: an http_data_fn. */
int call_stream_data(void *call, const char *data, size_t len);
/* Whether nothing is left to be taken: else it is concluded later. */
bool call_stream_ended(struct kube_call *call, const struct http_response *response);
/* Whether nothing more is read for its sake. */
void call_stream_hold(struct kube_call *call, bool holds);

#endif
