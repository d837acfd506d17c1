/*
 * A small server of GET and HEAD requests over TLS, for clients that prove by a certificate who they are: HTTP/1.1 on a
 * libuv loop the caller owns, by OpenSSL and a strict parser of our own (net/request_head.h).
 *
 * A client without a certificate that is trusted gets 401, whatever it asks for; a request that is not a plain GET or HEAD
 * is refused by the server itself. The handler sees the others, on the loop, and answers at once or later, exactly once, by
 * tls_reply(). A client that went away is harmless: the reply is dropped. Who has closed its TCP connection is gone; who
 * has only ended its side of TLS still gets the reply.
 *
 * The body of what the server answers itself is a metav1.Status.
 *
 * Certificate and trust are changed while connections stay: the one holds for handshakes from then on, the other for
 * requests from then on. A connection may be idle for three minutes, which is longer than clients in Go keep one. While the
 * process has no descriptor left, connections wait in the kernel.
 */
#ifndef NET_TLS_SERVER_H
#define NET_TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "net/certificate.h"
#include "net/peer_trust.h"

struct tls_server;
struct tls_exchange; /* one request and its reply */

struct tls_server_options {
	const char *address; /* "HOST:PORT" ("0.0.0.0:6443", "[::]:6443", port 0 = any) */
	/* Most at once; 0 = 256. One more takes the place of the one that has moved nothing for longest, among those of the
	 * peer that has most; connections on which somebody trusted asked come last. */
	size_t connections;
	/* A client has so many milliseconds for the handshake and the first request's head together, and for each head
	 * after that from its first byte; as long may it take to read a reply. 0 = ten seconds. */
	uint64_t head_ms;
	uint64_t idle_ms; /* between a reply and the next request; 0 = three minutes */
};

typedef void tls_handler_fn(void *ctx, struct tls_exchange *exchange);

/* NULL and `err` on failure, naming the address and what to do. The loop must outlive the server. Until the first
 * tls_server_present() handshakes are refused. */
struct tls_server *tls_server_new(uv_loop_t *loop, const struct tls_server_options *options, tls_handler_fn *handler,
	void *ctx, struct error *err);
/* To new connections from now on. Takes a reference. */
void tls_server_present(struct tls_server *server, const struct certificate *certificate);
/* For every request from now on. Takes a reference; NULL = nobody is trusted, as it is at first. */
void tls_server_trust(struct tls_server *server, const struct peer_trust *trust);
/* The port listened on. */
int tls_server_port(const struct tls_server *server);
/* From now on each reply ends its connection: clients go elsewhere with their next request, before the server closes. */
void tls_server_drain(struct tls_server *server);
/* Listens no more. Replies owed are given first, for at most a second; then closed(ctx) is called from the loop, and the
 * server is freed after it. An exchange that the handler still has is to be replied to all the same. */
void tls_server_close(struct tls_server *server, void (*closed)(void *ctx), void *ctx);

struct tls_server_counts {
	size_t connections; /* now */
	uint64_t accepted;
	uint64_t requests;     /* that reached the handler */
	uint64_t unauthorized; /* answered 401 */
	uint64_t refused;      /* answered 4xx or 505: no requests that we take */
	uint64_t dropped;      /* connections that made room for others, or took too long */
};

/* Since the server was made. */
struct tls_server_counts tls_server_counts(const struct tls_server *server);

/* The request target exactly as it was sent, path and query: it begins with '/', and is visible ASCII. Borrowed until
 * tls_reply(). */
const char *tls_exchange_target(const struct tls_exchange *exchange);
/* On whose behalf the client asks, by its header X-Remote-User, as an API server passes a request on. Borrowed until
 * tls_reply(); NULL = it does not say. */
const char *tls_exchange_user(const struct tls_exchange *exchange);

/* Asks to be told, by gone(ctx) from the loop, when the client leaves before the reply. The reply is
 * owed all the same, and may be given from inside gone(). Asking again replaces who is told; NULL: nobody. */
void tls_exchange_watch(struct tls_exchange *exchange, void (*gone)(void *ctx), void *ctx);

/* Answers and ends the exchange; the data is copied. The body of an answer to HEAD is not sent. */
void tls_reply(struct tls_exchange *exchange, int status, const char *content_type, const char *body, size_t len);

#endif
