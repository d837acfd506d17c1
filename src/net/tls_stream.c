/* Bytes over TLS on a socket of a libuv loop. */
#include "tls_stream.h"

#include <assert.h>
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

#define IN_MAX 32768U /* not decrypted: then the socket is not read */
#define READ_CHUNK 16384U

/* OpenSSL's side: it reads `in` and writes `out` ----------------------------------------------- */

static int bio_read(BIO *bio, char *bytes, int size)
{
	struct tls_stream *stream = BIO_get_data(bio);
	size_t len = stream->in.len < (size_t)size ? stream->in.len : (size_t)size;

	BIO_clear_retry_flags(bio);
	if (len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	memcpy(bytes, stream->in.buf, len);
	strbuf_consume(&stream->in, len);
	return (int)len;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
	struct tls_stream *stream = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	strbuf_add(&stream->out, bytes, (size_t)len);
	return len;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

/* Made once for the process. */
static BIO_METHOD *bio_method(void)
{
	static BIO_METHOD *method;

	if (method == NULL) {
		method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tls_stream");
		if (method == NULL || !BIO_meth_set_read(method, bio_read) || !BIO_meth_set_write(method, bio_write) ||
			!BIO_meth_set_ctrl(method, bio_control)) {
			abort(); /* out of memory */
		}
	}
	return method;
}

static void connect_bio(struct tls_stream *stream)
{
	BIO *bio = BIO_new(bio_method());

	if (bio == NULL) {
		abort(); /* out of memory */
	}
	BIO_set_data(bio, stream);
	BIO_set_init(bio, 1);
	SSL_set_bio(stream->ssl, bio, bio);
}

/* Out ----------------------------------------------------------------------------------------- */

struct piece {
	uv_write_t write;
	char *bytes;
	size_t len;
};

static void flush(struct tls_stream *stream);
static void read_or_not(struct tls_stream *stream);

static void break_off(struct tls_stream *stream)
{
	uv_read_stop((uv_stream_t *)&stream->tcp);
	stream->reading = false;
	stream->events->gone(stream->ctx);
}

static void on_written(uv_write_t *write, int status)
{
	struct piece *piece = container_of(write, struct piece, write);
	struct tls_stream *stream = write->handle->data;

	stream->sending -= piece->len;
	free(piece->bytes);
	free(piece);
	if (stream->closing) {
		return;
	}
	if (status < 0) {
		break_off(stream);
		return;
	}
	flush(stream);
	if (!tls_stream_has_unsent(stream)) {
		read_or_not(stream);
		stream->events->ready(stream->ctx);
	}
}

/* What the kernel did not take of `out` from `sent` on waits in a piece. */
static void queue_rest(struct tls_stream *stream, size_t sent)
{
	struct piece *piece = xcalloc(1, sizeof(*piece));
	uv_buf_t buf;

	strbuf_consume(&stream->out, sent);
	piece->len = stream->out.len;
	piece->bytes = strbuf_take(&stream->out);
	buf = uv_buf_init(piece->bytes, (unsigned)piece->len);
	if (uv_write(&piece->write, (uv_stream_t *)&stream->tcp, &buf, 1, on_written) < 0) {
		free(piece->bytes);
		free(piece);
		return;
	}
	stream->sending += piece->len;
}

/* One piece waits at a time; what comes meanwhile stays in `out`. */
static void flush(struct tls_stream *stream)
{
	uv_buf_t buf = uv_buf_init(stream->out.buf, (unsigned)stream->out.len);
	int sent;

	if (stream->closing || stream->sending > 0 || stream->out.len == 0) {
		return;
	}
	sent = uv_try_write((uv_stream_t *)&stream->tcp, &buf, 1);
	if (sent < 0 && sent != UV_EAGAIN) {
		strbuf_release(&stream->out); /* reading says that it is broken */
	} else if (sent >= 0 && (size_t)sent == stream->out.len) {
		strbuf_release(&stream->out);
	} else {
		queue_rest(stream, sent > 0 ? (size_t)sent : 0);
	}
}

void tls_stream_send(struct tls_stream *stream, const char *bytes, size_t len)
{
	assert(len <= INT_MAX);
	ERR_clear_error();
	if (!stream->closing && !stream->ended && len > 0) {
		(void)SSL_write(stream->ssl, bytes, (int)len);
	}
	ERR_clear_error();
	flush(stream);
}

bool tls_stream_has_unsent(const struct tls_stream *stream)
{
	return stream->sending > 0 || stream->out.len > 0;
}

/* In ------------------------------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *handle, size_t hint, uv_buf_t *buf)
{
	static char bytes[READ_CHUNK]; /* used within one callback alone */

	(void)handle;
	(void)hint;
	*buf = uv_buf_init(bytes, sizeof(bytes));
}

static void on_read(uv_stream_t *tcp, ssize_t len, const uv_buf_t *buf)
{
	struct tls_stream *stream = tcp->data;

	if (len < 0) {
		break_off(stream);
		return;
	}
	if (len == 0 || stream->ended) {
		return;
	}
	strbuf_add(&stream->in, buf->base, (size_t)len);
	stream->events->ready(stream->ctx);
	read_or_not(stream);
}

static void read_or_not(struct tls_stream *stream)
{
	bool wanted = stream->ended || stream->in.len < IN_MAX;

	if (stream->closing || wanted == stream->reading) {
		return;
	}
	stream->reading = wanted;
	if (wanted) {
		uv_read_start((uv_stream_t *)&stream->tcp, on_alloc, on_read);
	} else {
		uv_read_stop((uv_stream_t *)&stream->tcp);
	}
}

ssize_t tls_stream_read(struct tls_stream *stream, char *bytes, size_t size)
{
	int len, why;

	if (stream->closing || stream->ended) {
		return -1;
	}
	ERR_clear_error();
	len = SSL_read(stream->ssl, bytes, size < INT_MAX ? (int)size : INT_MAX);
	why = SSL_get_error(stream->ssl, len);
	ERR_clear_error();
	if (stream->in.len == 0) {
		strbuf_release(&stream->in);
	}
	flush(stream);
	read_or_not(stream);
	return len > 0 ? len : why == SSL_ERROR_WANT_READ ? 0 : -1;
}

/* Begin and end ------------------------------------------------------------------------------- */

void tls_stream_open(struct tls_stream *stream, uv_loop_t *loop, struct tls_context *context, int fd,
	const struct tls_stream_events *events, void *ctx)
{
	*stream = (struct tls_stream){.ssl = tls_context_connection(context), .events = events, .ctx = ctx};
	strbuf_init(&stream->in);
	strbuf_init(&stream->out);
	connect_bio(stream);
	uv_tcp_init(loop, &stream->tcp);
	stream->tcp.data = stream;
	if (uv_tcp_open(&stream->tcp, fd) < 0) {
		close(fd);
		tls_stream_close(stream, false);
		return;
	}
	read_or_not(stream);
}

void tls_stream_end(struct tls_stream *stream)
{
	uv_os_fd_t fd;

	if (stream->closing || stream->ended) {
		return;
	}
	assert(!tls_stream_has_unsent(stream));
	ERR_clear_error();
	(void)SSL_shutdown(stream->ssl);
	ERR_clear_error();
	flush(stream);
	stream->ended = true;
	strbuf_release(&stream->in);
	/* A kernel that had no room for the few bytes of the end has a client that does not read. */
	if (!tls_stream_has_unsent(stream) && uv_fileno((const uv_handle_t *)&stream->tcp, &fd) == 0) {
		(void)shutdown(fd, SHUT_WR);
	}
	read_or_not(stream);
}

static void on_closed(uv_handle_t *handle)
{
	struct tls_stream *stream = handle->data;

	SSL_free(stream->ssl);
	strbuf_release(&stream->in);
	strbuf_release(&stream->out);
	stream->events->closed(stream->ctx);
}

void tls_stream_close(struct tls_stream *stream, bool reset)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	if (stream->closing) {
		return;
	}
	if (reset) {
		uv_os_fd_t fd = -1;

		if (uv_fileno((const uv_handle_t *)&stream->tcp, &fd) == 0) {
			(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		}
	}
	stream->closing = true;
	stream->reading = false;
	uv_close((uv_handle_t *)&stream->tcp, on_closed);
}
