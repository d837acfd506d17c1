/*
 * Bytes over TLS on a socket of a libuv loop: the server's side of one connection.
 *
 * What it holds is bounded: it reads no more than its limit ahead of its owner, and the owner sends no more than it likes
 * to see held while has_unsent. Private to src/net.
 */
#ifndef NET_TLS_STREAM_H
#define NET_TLS_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "base/strbuf.h"
#include "tls_context.h"

struct tls_stream_events {
	/* There may be something to read now, or all that was to be sent is with the kernel. */
	void (*ready)(void *ctx);
	/* The other side has closed the TCP connection, or it is broken. Nothing is called after it but closed(). */
	void (*gone)(void *ctx);
	void (*closed)(void *ctx);
};

/* Embedded in a connection. */
struct tls_stream {
	uv_tcp_t tcp;
	SSL *ssl;
	struct strbuf in;  /* what came, and is not decrypted */
	struct strbuf out; /* what is encrypted, and is to go */
	size_t sending;    /* bytes that are queued for the kernel */
	bool reading;      /* from the socket */
	bool ended;        /* tls_stream_end(): what comes is thrown away */
	bool closing;
	const struct tls_stream_events *events;
	void *ctx;
};

/* Takes the socket over. closed() is called in any case, from the loop, after tls_stream_close(). */
void tls_stream_open(struct tls_stream *stream, uv_loop_t *loop, struct tls_context *context, int fd,
	const struct tls_stream_events *events, void *ctx);

/* Decrypted bytes, at most `size`; 0 = none for now, -1 = no more will come: the other side has ended, or broke the
 * protocol. */
ssize_t tls_stream_read(struct tls_stream *stream, char *bytes, size_t size);
/* Of a connection whose handshake is done. */
void tls_stream_send(struct tls_stream *stream, const char *bytes, size_t len);
/* The kernel has not yet taken all that was sent. */
bool tls_stream_has_unsent(const struct tls_stream *stream);

/* The orderly end of our side, behind all that was sent; of the other side gone() tells. Were the socket closed at once, with
 * bytes in it that nobody reads, the kernel would throw away what the other side has not read. */
void tls_stream_end(struct tls_stream *stream);
/* At once; with `reset` nothing is kept by the kernel either. */
void tls_stream_close(struct tls_stream *stream, bool reset);

#endif
