/*
 * The inside of the HTTP server, shared by its two files: http_server.c (listening and the end) and
 * http_exchange.c (requests and replies). Private to src/net.
 */
#ifndef NET_HTTP_SERVER_PARTS_H
#define NET_HTTP_SERVER_PARTS_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "net/http_server.h"

#define SERVER_MAGIC 0x68737276U
#define SEND_CHUNK 65536U

struct http_server {
	unsigned magic;
	uv_loop_t *loop;
	struct lws_context *context; /* NULL again once it is freed */
	http_handler_fn *handler;
	void *ctx;
	int listen_fd;
	int port;
	uv_poll_t listener;
	uv_idle_t closer;
	size_t handles;         /* of our own, not yet closed */
	size_t unsent;          /* replies given and not yet written */
	uint64_t patience_ends; /* for those, in the loop's time */
	bool destroying;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* What libwebsockets calls for each connection. */
int http_exchange_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

#endif
