/*
 * The inside of the HTTP server, shared by its three files, each of which calls the next: http_server.c (its life),
 * http_connection.c (who is connected, and for how long) and http_exchange.c (requests and replies). Private to src/net.
 */
#ifndef NET_HTTP_SERVER_PARTS_H
#define NET_HTTP_SERVER_PARTS_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "net/http_server.h"

#define SERVER_MAGIC 0x68737276U
/* Of a reply, given to the kernel at a time: what a client does not read is copied no more than this. */
#define SEND_CHUNK 16384U

/* One client. It is what its wsi holds as user data, from accept() until libwebsockets lets go of it. */
struct http_connection {
	unsigned magic;
	struct http_server *server;
	struct lws *wsi;
	unsigned char peer[16];         /* its address; of IPv4 the first four bytes */
	uint64_t moved_ms;              /* loop time of the accept, or of the last reply that was given or written */
	struct http_exchange *exchange; /* under way; NULL = none */
	bool held;                      /* the handler has its request: it is not the client who takes long */
	struct http_connection *prev, *next;
};

struct http_server {
	unsigned magic;
	uv_loop_t *loop;
	struct lws_context *context; /* NULL again once it is freed */
	http_handler_fn *handler;
	void *ctx;
	int listen_fd;
	int port;
	uv_poll_t listener;
	uv_timer_t pause; /* of the listener, while there is no descriptor to be had */
	bool starved;
	uv_timer_t sweeper; /* runs while anybody is connected */
	uv_timer_t closer;  /* runs at the end */
	struct http_connection *connections;
	size_t connections_count;
	size_t connections_max; /* 0 = as many as come */
	uint64_t patience_ms;
	size_t handles; /* of our own, not yet closed */
	size_t unsent;  /* replies given and not yet written; the last one wakes the closer */
	bool destroying;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* http_connection.c: takes the socket over; the one that must make room for it is dropped. */
void http_connection_accepted(struct http_server *server, int fd);
/* What libwebsockets calls for each connection. */
int http_connection_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* http_exchange.c: what happens on a connection. Nonzero closes it. The header of a request is whole: */
int http_exchange_on_request(struct http_connection *connection, const char *path);
int http_exchange_on_body(struct http_connection *connection, const char *data, size_t len);
int http_exchange_on_body_complete(struct http_connection *connection);
int http_exchange_on_writable(struct http_connection *connection);
/* Parts the exchange, if there is one, from its connection. One still with the handler is freed by its reply. */
void http_exchange_detach(struct http_connection *connection);

#endif
