/*
 * A server that speaks HTTP/2 over TLS on the test's loop: it answers each request with an empty 200, or not at all.
 */
#ifndef TEST_HTTP2_RIG_H
#define TEST_HTTP2_RIG_H

#include <stdbool.h>
#include <uv.h>

struct http2_server {
	uv_tcp_t tcp;
	void *tls;   /* its SSL_CTX */
	bool silent; /* takes requests, and answers none */
	int connections, requests, open;
	char url[64];
};

/* Listens at a port of 127.0.0.1, with a certificate that nobody trusts. */
void http2_open(struct http2_server *server, uv_loop_t *loop);
/* Clients close their connections; `open` tells how many did not yet. */
void http2_close(struct http2_server *server);

#endif
