/*
 * The inside of the HTTP server, shared by its four files, each of which calls the next: http_server.c (its life),
 * http_connection.c (who is connected, and for how long), http_exchange.c (requests) and http_reply.c (replies). Private to
 * src/net.
 */
#ifndef NET_HTTP_SERVER_PARTS_H
#define NET_HTTP_SERVER_PARTS_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "acceptor.h"
#include "base/strbuf.h"
#include "net/http_server.h"
#include "peer_list.h"

#define SERVER_MAGIC 0x68737276U
#define EXCHANGE_MAGIC 0x65786368U
/* Of a reply, given to the kernel at a time: what a client does not read is copied no more than this. */
#define SEND_CHUNK 16384U

/* One client. It is what its wsi holds as user data, from accept() until libwebsockets lets go of it. */
struct http_connection {
	unsigned magic;
	struct http_server *server;
	struct lws *wsi;
	struct peer_entry entry;        /* moved: accepted, or a reply was given or written */
	struct http_exchange *exchange; /* under way; NULL = none */
	bool held;                      /* the handler has its request: it is not the client who takes long */
};

/* Belongs to its connection until the handler was asked, then to whoever replies. */
struct http_exchange {
	unsigned magic;
	struct http_server *server; /* alive while wsi is */
	struct lws *wsi;            /* NULL once the connection is gone */
	struct http_connection *connection;
	const char *method;
	char *path;
	char *bearer; /* NULL = none */
	struct strbuf body;
	bool chunks;  /* the client takes a reply whose length it is not told before */
	bool asked;   /* the handler has it, and will reply */
	bool last;    /* on its connection */
	bool replied; /* all of the reply is here */
	int status;
	char *content_type;
	char *location; /* NULL = the reply has none */
	bool pieces;    /* the reply comes in pieces */
	bool begun;     /* its header was written */
	char *text;     /* the reply, or its piece at hand; NULL = none is at hand */
	size_t len;
	size_t sent; /* of the text */
	void (*taken)(void *ctx);
	void *taken_ctx;
	void (*gone)(void *ctx);
	void *gone_ctx;
	struct peer_watch *watch; /* for gone */
};

struct http_server {
	unsigned magic;
	uv_loop_t *loop;
	struct lws_context *context; /* NULL again once it is freed */
	http_handler_fn *handler;
	void *ctx;
	struct acceptor acceptor;
	uv_timer_t sweeper; /* runs while anybody is connected */
	uv_timer_t closer;  /* runs at the end */
	struct peer_list connections;
	size_t connections_max; /* 0 = as many as come */
	uint64_t patience_ms;
	size_t open;   /* of its parts: the acceptor and two timers */
	size_t unsent; /* replies given and not yet written; the last one wakes the closer */
	bool destroying;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* http_connection.c: takes the socket over; the one that must make room for it is dropped. The ctx is the server. */
void http_connection_accepted(void *ctx, int fd);
/* What libwebsockets calls for each connection. */
int http_connection_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len);

/* http_exchange.c: what comes on a connection. Nonzero closes it. The header of a request is whole: */
int http_exchange_on_request(struct http_connection *connection, const char *path);
int http_exchange_on_body(struct http_connection *connection, const char *data, size_t len);
int http_exchange_on_body_complete(struct http_connection *connection);

/* http_reply.c: the connection takes more. Nonzero closes it. */
int http_exchange_on_writable(struct http_connection *connection);
/* The one under way; NULL = none. */
struct http_exchange *http_exchange_of(const struct http_connection *connection);
/* Parts the exchange, if there is one, from its connection. One still with the handler is freed by its reply. */
void http_exchange_detach(struct http_connection *connection);
/* Closes the connection, of which nothing is sent any more, nor kept by the kernel. It has no exchange. */
void http_exchange_hang_up(struct lws *wsi);

#endif
