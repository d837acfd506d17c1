/*
 * A small HTTP server: libwebsockets on a libuv loop the caller owns.
 *
 * The handler is called on the loop with a whole request and answers at once or later, exactly
 * once, by http_reply(), or piece by piece. A client that went away is harmless: the reply is dropped.
 *
 * It speaks HTTP/1.1 alone: who wants to upgrade is hung up on. A client has ten seconds to send its
 * request, and ten to read the reply, or each of its pieces; who takes longer is dropped. While the process has no descriptor
 * left, connections wait in the kernel.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/error.h"

#define HTTP_PEER_LEN 16

struct http_server;
struct http_exchange; /* one request and its reply */

typedef void http_handler_fn(void *ctx, struct http_exchange *exchange);

/* Listens on "HOST:PORT" ("0.0.0.0:8080", "[::]:8080", port 0 = any). NULL and `err` on failure,
 * naming the address and what to do. The loop must outlive the server. */
struct http_server *http_server_new(uv_loop_t *loop, const char *address, http_handler_fn *handler, void *ctx,
	struct error *err);
/*
 * Holds at most so many connections. One more takes the place of the one that has moved nothing for longest, among
 * those of the peer that has most: so a peer that holds many takes them from itself, and another one's request
 * is answered all the same.
 */
void http_server_limit(struct http_server *server, size_t connections);
/* How long a client may take, instead of ten seconds. */
void http_server_set_patience(struct http_server *server, uint64_t ms);
/* The port listened on. */
int http_server_port(const struct http_server *server);
/* Writes the replies already given, closes connections; closed(ctx) is called from the loop, the server is freed after it. */
void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx);

/* Borrowed until the reply. Body is at most 1 MiB; a larger one is answered 413 by the server itself. */
const char *http_exchange_method(const struct http_exchange *exchange);
const char *http_exchange_path(const struct http_exchange *exchange); /* without the query */
const char *http_exchange_body(const struct http_exchange *exchange, size_t *len);
/* The token of "Authorization: Bearer TOKEN"; NULL when there is none. It is wiped by the reply. */
const char *http_exchange_bearer(const struct http_exchange *exchange);

/* The address of who asks: so many bytes, of IPv4 the first four; all zeros once it is gone. */
const unsigned char *http_exchange_peer(const struct http_exchange *exchange);

/* Asks to be told, by gone(ctx) from the loop, when the client leaves before the reply. The reply is
 * owed all the same, and may be given from inside gone(). Asking again replaces who is told; NULL: nobody. */
void http_exchange_watch(struct http_exchange *exchange, void (*gone)(void *ctx), void *ctx);

/* Answers and ends the exchange; the data is copied. With 401 goes "WWW-Authenticate: Bearer". */
void http_reply(struct http_exchange *exchange, int status, const char *content_type, const char *body, size_t len);
/* The same without a body, and with the place where it is instead, at most 512 bytes. */
void http_reply_redirect(struct http_exchange *exchange, int status, const char *location);
/*
 * Begins a reply that is given piece by piece, so that never more than a piece of it is here. The first may be given at
 * once, each other one when taken(ctx) was called from the loop: the client's side has taken the one before. The exchange
 * stays the caller's until the last piece is given, or the reply is cut; whoever watches it is told when the client leaves, and
 * owes one of these. The connection breaks when the reply is cut, so that nobody takes it for whole.
 */
void http_reply_begin(struct http_exchange *exchange, int status, const char *content_type, void (*taken)(void *ctx),
	void *ctx);
/* Copied; one that is not the last has at least a byte. */
void http_reply_piece(struct http_exchange *exchange, const char *piece, size_t len, bool last);
/* Also instead of any other reply. */
void http_reply_cut(struct http_exchange *exchange);

#endif
