/* A server of HTTP/2 for tests: RFC 9113 as far as a client without trouble needs it. */
#include "http2_rig.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "pem_rig.h"

#define PREFACE_BYTES 24
#define FRAME_HEAD_BYTES 9
#define FRAME_HEADERS 1
#define FRAME_SETTINGS 4
#define FLAG_ACK 1
#define FLAGS_OF_A_WHOLE_ANSWER 5 /* END_STREAM and END_HEADERS */
#define STATUS_200 "\x88"         /* in HPACK's static table */

struct peer {
	uv_tcp_t tcp;
	struct http2_server *server;
	SSL *ssl;
	BIO *in, *out; /* the SSL's own: what came, and what is to go */
	struct strbuf got;
	size_t read; /* of it */
	char buf[16384];
};

static void require(bool holds)
{
	if (!holds) {
		ERR_print_errors_fp(stderr);
		abort();
	}
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct peer *peer = handle->data;

	(void)size;
	*buf = uv_buf_init(peer->buf, sizeof(peer->buf));
}

static void on_peer_closed(uv_handle_t *handle)
{
	struct peer *peer = handle->data;

	peer->server->open--;
	SSL_free(peer->ssl);
	strbuf_release(&peer->got);
	free(peer);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	free(write->data);
	free(write);
}

/* Sends what TLS has to send. */
static void flush(struct peer *peer)
{
	uv_write_t *write;
	uv_buf_t out;
	char *bytes;
	long len = BIO_get_mem_data(peer->out, &bytes);

	if (len <= 0) {
		return;
	}
	write = xcalloc(1, sizeof(*write));
	write->data = xcalloc(1, (size_t)len);
	memcpy(write->data, bytes, (size_t)len);
	(void)BIO_reset(peer->out);
	out = uv_buf_init(write->data, (unsigned)len);
	require(uv_write(write, (uv_stream_t *)&peer->tcp, &out, 1, on_written) == 0);
}

static void send_frame(struct peer *peer, int type, int flags, const char *stream, const char *payload, int len)
{
	char frame[64] = {0, 0, (char)len, (char)type, (char)flags};

	memcpy(frame + 5, stream, 4);
	memcpy(frame + FRAME_HEAD_BYTES, payload, (size_t)len);
	require(SSL_write(peer->ssl, frame, FRAME_HEAD_BYTES + len) > 0);
}

static void on_frame(struct peer *peer, const char *frame)
{
	const char *stream = frame + 5;

	if (frame[3] == FRAME_SETTINGS && (frame[4] & FLAG_ACK) == 0) {
		send_frame(peer, FRAME_SETTINGS, 0, stream, "", 0);
		send_frame(peer, FRAME_SETTINGS, FLAG_ACK, stream, "", 0);
	} else if (frame[3] == FRAME_HEADERS) {
		peer->server->requests++;
		if (!peer->server->silent) {
			send_frame(peer, FRAME_HEADERS, FLAGS_OF_A_WHOLE_ANSWER, stream, STATUS_200, 1);
		}
	}
}

static size_t frame_bytes(const char *frame)
{
	const unsigned char *len = (const unsigned char *)frame;

	return FRAME_HEAD_BYTES + ((size_t)len[0] << 16 | (size_t)len[1] << 8 | len[2]);
}

static void read_frames(struct peer *peer)
{
	char bytes[4096];
	int len;

	while ((len = SSL_read(peer->ssl, bytes, sizeof(bytes))) > 0) {
		strbuf_add(&peer->got, bytes, (size_t)len);
	}
	if (peer->read == 0 && peer->got.len >= PREFACE_BYTES) {
		peer->read = PREFACE_BYTES;
	}
	while (peer->read > 0 && peer->read + FRAME_HEAD_BYTES <= peer->got.len &&
		peer->read + frame_bytes(peer->got.buf + peer->read) <= peer->got.len) {
		const char *frame = peer->got.buf + peer->read;

		peer->read += frame_bytes(frame);
		on_frame(peer, frame);
	}
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct peer *peer = stream->data;

	if (len < 0) {
		uv_close((uv_handle_t *)stream, on_peer_closed);
		return;
	}
	BIO_write(peer->in, buf->base, (int)len);
	if (SSL_is_init_finished(peer->ssl) || SSL_do_handshake(peer->ssl) == 1) {
		read_frames(peer);
	}
	flush(peer);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct http2_server *server = stream->data;
	struct peer *peer = xcalloc(1, sizeof(*peer));

	require(status == 0);
	peer->server = server;
	strbuf_init(&peer->got);
	peer->ssl = SSL_new(server->tls);
	peer->in = BIO_new(BIO_s_mem());
	peer->out = BIO_new(BIO_s_mem());
	SSL_set_bio(peer->ssl, peer->in, peer->out);
	SSL_set_accept_state(peer->ssl);
	uv_tcp_init(stream->loop, &peer->tcp);
	peer->tcp.data = peer;
	require(uv_accept(stream, (uv_stream_t *)&peer->tcp) == 0);
	uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_read);
	server->connections++;
	server->open++;
}

static int choose_protocol(SSL *ssl, const unsigned char **chosen, unsigned char *len, const unsigned char *offered,
	unsigned offered_len, void *ctx)
{
	static const unsigned char own[] = "\x02h2";

	(void)ssl;
	(void)ctx;
	/* It points into `own` or into what is offered; OpenSSL's type knows no const here. */
	return SSL_select_next_proto((unsigned char **)(uintptr_t)chosen, len, own, sizeof(own) - 1, offered,
		       offered_len) == OPENSSL_NPN_NEGOTIATED
	               ? SSL_TLSEXT_ERR_OK
	               : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *tls_new(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	auto_free char *cert = NULL;
	auto_free char *key = NULL;
	BIO *bio;
	X509 *x509;
	EVP_PKEY *pair;

	pem_pair("localhost", &cert, &key);
	bio = BIO_new_mem_buf(cert, -1);
	x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	bio = BIO_new_mem_buf(key, -1);
	pair = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	require(SSL_CTX_use_certificate(tls, x509) == 1 && SSL_CTX_use_PrivateKey(tls, pair) == 1);
	X509_free(x509);
	EVP_PKEY_free(pair);
	SSL_CTX_set_alpn_select_cb(tls, choose_protocol, NULL);
	return tls;
}

void http2_open(struct http2_server *server, uv_loop_t *loop)
{
	struct sockaddr_in where;
	int len = sizeof(where);

	*server = (struct http2_server){.tls = tls_new()};
	uv_ip4_addr("127.0.0.1", 0, &where);
	uv_tcp_init(loop, &server->tcp);
	server->tcp.data = server;
	uv_tcp_bind(&server->tcp, (const struct sockaddr *)&where, 0);
	require(uv_listen((uv_stream_t *)&server->tcp, 16, on_connection) == 0);
	uv_tcp_getsockname(&server->tcp, (struct sockaddr *)&where, &len);
	snprintf(server->url, sizeof(server->url), "https://127.0.0.1:%d/", ntohs(where.sin_port));
}

void http2_close(struct http2_server *server)
{
	uv_close((uv_handle_t *)&server->tcp, NULL);
	SSL_CTX_free(server->tls);
}
