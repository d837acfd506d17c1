/*
 * The inside of the TLS server, shared by its two files, of which the first calls the second: tls_server.c (its life, and who
 * is let in) and tls_connection.c (requests and replies on one connection). Private to src/net.
 */
#ifndef NET_TLS_SERVER_PARTS_H
#define NET_TLS_SERVER_PARTS_H

#include "acceptor.h"
#include "net/tls_server.h"
#include "peer_list.h"
#include "peer_trust_parts.h"
#include "tls_context.h"
#include "tls_stream.h"

struct tls_connection;

struct tls_server {
	unsigned magic;
	uv_loop_t *loop;
	size_t connections_max;
	uint64_t head_ms, idle_ms;
	tls_handler_fn *handler;
	void *ctx;
	struct acceptor acceptor;
	struct tls_context *context;
	struct peer_trust *trust; /* NULL = nobody */
	uint64_t trust_generation;
	struct peer_list connections;
	struct tls_server_counts counts; /* but for `connections` */
	bool draining;                   /* each reply ends its connection */
	uv_timer_t closer;               /* runs at the end */
	size_t open;                     /* of its parts: the acceptor, the timer, the connections */
	void (*part_closed)(void *server);
	void (*closed)(void *ctx); /* NULL until the server is to close */
	void *closed_ctx;
};

/* Takes the socket over. */
void tls_connection_open(struct tls_server *server, int fd);
struct tls_connection *tls_connection_of(struct peer_entry *entry);
/* Ends it in order, behind the reply that is owed. */
void tls_connection_finish(struct tls_connection *connection);
/* At once: a reply that is owed is dropped. With `reset` nothing of it is kept by the kernel either. */
void tls_connection_close(struct tls_connection *connection, bool reset);

#endif
