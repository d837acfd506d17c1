/*
 * A listening socket on a libuv loop, and the connections that come to it.
 *
 * While the process has no descriptor left, connections wait in the kernel's queue.
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"

/* A connection has come; the socket is the callee's. It does not close the acceptor. */
typedef void acceptor_fn(void *ctx, int fd);

/* Embedded in a server. */
struct acceptor {
	uv_poll_t listener;
	uv_timer_t pause; /* of the listener, while there is no descriptor to be had */
	bool starved;
	int fd;
	int port;
	int handles; /* not yet closed */
	acceptor_fn *accepted;
	void (*closed)(void *ctx);
	void *ctx;
};

/* Listens on "HOST:PORT" as listen_on() says; -1 and `err` on failure. */
int acceptor_open(struct acceptor *acceptor, uv_loop_t *loop, const char *address, acceptor_fn *accepted, void *ctx,
	struct error *err);
/* Nothing is accepted any more; closed(ctx) is called from the loop, with the ctx of acceptor_open(). */
void acceptor_close(struct acceptor *acceptor, void (*closed)(void *ctx));

#endif
