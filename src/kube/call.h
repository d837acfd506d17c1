/*
 * One request to the API server, from its first sending over its retries to its one done callback.
 *
 * Life: kube_call_start() makes it; it lives until done was called, always from the loop. Private
 * to src/kube: the public verbs in client.c, the informer and the lease are all calls.
 */
#ifndef KUBE_CALL_H
#define KUBE_CALL_H

#include "kube/client.h"

/* How long a server may send us away at once (Retry-After). The API server's own values are seconds, up to a
 * minute when it sheds load; a proxy before it may ask for hours, in which every watch would be blind. */
#define KUBE_RETRY_AFTER_MAX_MS INT64_C(60000)

struct kube_client {
	uv_loop_t *loop;
	struct http_client *http;
	struct http_client *watch_http; /* for streams; NULL = as all others */
	struct kube_config *config;
	bool (*may_write)(void *ctx); /* NULL = always */
	void *guard_ctx;
};

/* Each complete line of a 2xx body; a negative return ends the call. */
typedef int kube_line_fn(void *ctx, const char *line, size_t len);

struct kube_call_spec {
	const char *method;
	const char *path;          /* with its query */
	const char *content_type;  /* NULL = application/json, when there is a body */
	const json_t *body;        /* NULL = none */
	const char *what;          /* "apply Service 'ns/name'": completes "cannot …: <reason>" */
	size_t max_body;           /* 0 = the HTTP client's */
	const char *const *unread; /* keys whose values are left empty in the result (json_cut.h); NULL = none */
	bool missing_ok;           /* NOT_FOUND is success with result {} */
	/* A stream (a watch): lines come here, and nothing is retried inside. `result` of done is
	 * JSON null on a clean end; a line over 16 MiB is an error. */
	kube_line_fn *on_line;
	/* With on_line: the body is one list, whose items come as lines; `result` of done is the list without them. A
	 * refusal is retried as that of any other call. */
	bool is_list;
	int64_t idle_timeout_ms; /* of a stream */
	/* The body of a good answer comes here, instead of being parsed; then `result` of done is JSON null. */
	kube_text_fn *on_text;
	kube_done_fn *done;
	void *ctx;
};

/* Strings and body are copied. */
struct kube_call *kube_call_start(struct kube_client *client, const struct kube_call_spec *spec);

/* What is believed of a Retry-After for WHAT: what it says (-1 = nothing), up to KUBE_RETRY_AFTER_MAX_MS; what is
 * cut is logged. */
int64_t kube_retry_after(const char *what, int64_t asked_ms);

/*
 * Fills `err` ("cannot WHAT: <the server's message>") from an HTTP status and the Status object
 * that came with it (NULL = none, then `text` is told, if any). Always returns -1.
 */
int kube_status_error(struct error *err, const char *what, int http, const json_t *status, const char *text);

#endif
