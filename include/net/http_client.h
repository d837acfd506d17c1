/*
 * An asynchronous HTTP client: libcurl's multi interface on a libuv loop.
 *
 * A request completes exactly once, through its done callback, never from inside the call that
 * started it, also when it is cancelled or the client is closed. Everything runs on the loop's
 * thread. A peer that vanished without a word is noticed within half a minute, by TCP keepalive and
 * TCP_USER_TIMEOUT, on a connection at rest too (as client-go does by HTTP/2 pings: apimachinery
 * util/net/http.go); one that accepts data and stays silent, by `idle_timeout_ms`. A connection is
 * used again only with the same CA and client certificate. Redirects are never followed. Responses are bounded by `max_body`; over it the
 * transfer fails with a clear error instead of a cut body.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/strbuf.h"

struct http_client;
struct http_transfer;

/* TLS and proxy of one destination; strings are borrowed for the call that takes them and copied. */
struct http_tls {
	const char *ca_file;   /* PEM file; NULL = the system's */
	const char *ca_data;   /* PEM text, wins over ca_file */
	const char *cert_file; /* client certificate */
	const char *cert_data;
	const char *key_file;
	const char *key_data;
	const char *server_name; /* SNI and name to verify; NULL = the URL's host */
	int insecure;            /* skip verification */
};

struct http_response {
	int status;       /* 0 when no response line arrived */
	const char *body; /* NUL-terminated; empty when streamed */
	size_t body_len;
	struct strbuf *buffer;    /* that holds the body: strbuf_take() hands it over */
	const char *content_type; /* "" when absent */
	const char *redirect;     /* absolute URL that a 3xx points to; "" when it points nowhere */
	int64_t retry_after_ms;   /* -1 when absent; seconds or HTTP-date are both read */
	/* Transport failure, timeout, too large, or cancelled; NULL when a response arrived whole.
	 * An HTTP status ≥ 400 is not an error here. */
	const struct error *error;
	int tls_failed; /* with `error`: one side does not trust the other, or they speak no TLS in common */
	bool too_large; /* with `error`: the body is larger than `max_body` */
};

typedef void http_done_fn(void *ctx, const struct http_response *response);
/* Called with each piece of a 2xx body as it arrives, when set: the body is then not collected.
 * A negative return ends the transfer with ERROR_CANCELLED. */
typedef int http_data_fn(void *ctx, const char *data, size_t len);

struct http_request {
	const char *method; /* "GET", … */
	const char *url;
	const char *const *headers; /* NULL-terminated "Name: value", or NULL */
	const char *body;           /* copied; NULL = none */
	size_t body_len;
	const struct http_tls *tls; /* NULL = defaults */
	const char *proxy;          /* NULL = the environment's (HTTPS_PROXY, NO_PROXY), "" = none */
	int64_t timeout_ms;         /* whole transfer; 0 = none (a watch) */
	int64_t idle_timeout_ms;    /* no byte for so long fails the transfer; 0 = none */
	int64_t connect_timeout_ms; /* 0 = 10 s */
	size_t max_body;            /* 0 = 16 MiB */
	const char *refused;        /* why it must not be sent: it ends with this error, ERROR_INVALID; NULL = it may */
	bool once; /* the connection is not kept for another request: for one of very many hosts, each of which is asked rarely */
	/* Asked when the connection stands and the request is about to leave; with false it never does, and
	 * ends with ERROR_CANCELLED. NULL = it may. */
	bool (*may_send)(void *ctx);
	http_data_fn *on_data;
	http_done_fn *done; /* required */
	void *ctx;
};

/* The loop must outlive the client. */
struct http_client *http_client_new(uv_loop_t *loop);
/* look(ctx) is called each time before bytes move. For whoever has to see the clock first: a process
 * may have stood still with half a request sent. */
void http_client_look_first(struct http_client *client, void (*look)(void *ctx), void *ctx);
/* While it is held nothing is read of any connection, so that the kernel, and then the peers, hold back what would be more
 * than can be worked on. Counted: each true is to be followed by a false. */
void http_client_hold(struct http_client *client, bool hold);
/* Cancels what is under way (each done is called with ERROR_CANCELLED, from the loop), then calls
 * closed(ctx) from the loop; the client is freed after it. */
void http_client_close(struct http_client *client, void (*closed)(void *ctx), void *ctx);

/* Starts; the returned transfer is valid until its done callback was called. Never NULL. */
struct http_transfer *http_client_start(struct http_client *client, const struct http_request *request);
/* Asks for the end: done is called later, with ERROR_CANCELLED. */
void http_transfer_cancel(struct http_transfer *transfer);

#endif
