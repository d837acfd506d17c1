/* The reply to one request, whole or piece by piece; and its end. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "http_server_parts.h"
#include "peer_watch.h"

#define HEADER_ROOM 1024U /* status line and the headers we send */

static void stop_watching(struct http_exchange *x)
{
	peer_watch_close(x->watch);
	x->watch = NULL;
}

static void exchange_free(struct http_exchange *x)
{
	x->magic = 0;
	wipe_indirect(&x->bearer);
	free(x->path);
	free(x->content_type);
	free(x->location);
	free(x->text);
	strbuf_release(&x->body);
	free(x);
}

struct http_exchange *http_exchange_of(const struct http_connection *connection)
{
	struct http_exchange *x = connection->exchange;

	assert(x == NULL || x->magic == EXCHANGE_MAGIC);
	return x;
}

void http_exchange_detach(struct http_connection *connection)
{
	struct http_exchange *x = http_exchange_of(connection);

	if (x == NULL) {
		return;
	}
	connection->exchange = NULL;
	connection->held = false;
	x->wsi = NULL;
	x->server->unsent -= x->replied;
	if (x->server->unsent == 0) {
		/* The server may be waiting for this. A timer that was never started stays as it is. */
		uv_timer_again(&x->server->closer);
	}
	stop_watching(x);
	if (!x->asked || x->replied) {
		exchange_free(x);
	} else if (x->gone != NULL) {
		x->gone(x->gone_ctx);
	}
}

/* The connection takes more --------------------------------------------------------------------- */

typedef const unsigned char *header_value;

/* How the client knows where the body ends: by its length, by its last chunk, or by the end of the connection. */
static int add_length(struct lws *wsi, const struct http_exchange *x, unsigned char **p, unsigned char *end)
{
	if (!x->pieces) {
		return lws_add_http_header_content_length(wsi, x->len, p, end);
	}
	return x->chunks ? lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING, (header_value) "chunked",
				   7, p, end)
	                 : 0;
}

static int write_header(struct lws *wsi, const struct http_exchange *x)
{
	unsigned char header[LWS_PRE + HEADER_ROOM];
	unsigned char *start = header + LWS_PRE, *p = start, *end = header + sizeof(header) - 1;

	if (lws_add_http_header_status(wsi, (unsigned)x->status, &p, end) ||
		lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, (header_value)x->content_type,
			(int)strlen(x->content_type), &p, end) ||
		add_length(wsi, x, &p, end) ||
		(x->last &&
			lws_add_http_header_by_token(wsi, WSI_TOKEN_CONNECTION, (header_value) "close", 5, &p, end)) ||
		(x->status == 401 && lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_WWW_AUTHENTICATE,
					     (header_value) "Bearer", 6, &p, end)) ||
		(x->location != NULL && lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_LOCATION,
						(header_value)x->location, (int)strlen(x->location), &p, end)) ||
		lws_finalize_write_http_header(wsi, start, &p, end)) {
		return -1;
	}
	return 0;
}

static bool has_body(const struct http_exchange *x)
{
	return strcmp(x->method, "HEAD") != 0;
}

/* What fits into the kernel at a time; it is copied because libwebsockets wants room in front of what it writes. */
static int write_some(struct lws *wsi, struct http_exchange *x)
{
	unsigned char some[LWS_PRE + SEND_CHUNK];
	size_t left = x->len - x->sent, now = left < SEND_CHUNK ? left : SEND_CHUNK;
	bool end = x->replied && now == left;

	memcpy(some + LWS_PRE, x->text + x->sent, now);
	x->sent += now;
	return lws_write(wsi, some + LWS_PRE, now, end ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP);
}

static void forget_text(struct http_exchange *x)
{
	free_indirect(&x->text);
	x->len = x->sent = 0;
}

/* Nothing of the piece is here any more: the kernel has it. Until the next nothing is read, as before the first. */
static void ask_for_more(struct http_exchange *x)
{
	forget_text(x);
	lws_rx_flow_control(x->wsi, 0);
	x->connection->held = true;
	x->connection->entry.moved_ms = uv_now(x->server->loop);
	x->taken(x->taken_ctx);
}

static int finish(struct http_connection *connection)
{
	struct lws *wsi = connection->wsi;

	connection->entry.moved_ms = uv_now(connection->server->loop);
	http_exchange_detach(connection);
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

int http_exchange_on_writable(struct http_connection *connection)
{
	struct lws *wsi = connection->wsi;
	struct http_exchange *x = http_exchange_of(connection);

	if (x == NULL || x->text == NULL) {
		return 0;
	}
	if (x->begun && x->sent == x->len) {
		ask_for_more(x);
		return 0;
	}
	if (!x->begun && write_header(wsi, x) < 0) {
		return -1;
	}
	x->begun = true;
	if (!has_body(x)) {
		x->sent = x->len;
	} else if (x->sent < x->len && write_some(wsi, x) < 0) {
		return -1;
	}
	if (x->replied && x->sent == x->len) {
		return finish(connection);
	}
	lws_callback_on_writable(wsi);
	return 0;
}

/* A reply is given ------------------------------------------------------------------------------ */

static void give(struct http_exchange *x, struct strbuf *text_take)
{
	x->len = text_take->len;
	x->text = strbuf_take(text_take);
	x->connection->held = false;
	x->connection->entry.moved_ms = uv_now(x->server->loop);
	if (x->replied) {
		x->server->unsent++;
		stop_watching(x);
	}
	/* Else libwebsockets would not write. */
	lws_rx_flow_control(x->wsi, 1);
	lws_callback_on_writable(x->wsi);
}

void http_reply(struct http_exchange *x, int status, const char *content_type, const char *body, size_t len)
{
	struct strbuf text = STRBUF_INIT;

	assert(x->magic == EXCHANGE_MAGIC && !x->replied && !x->pieces);
	x->replied = true;
	if (x->wsi == NULL) {
		exchange_free(x);
		return;
	}
	x->status = status;
	x->content_type = xstrdup(content_type);
	strbuf_add(&text, body, len);
	wipe_indirect(&x->bearer);
	give(x, &text);
}

void http_reply_redirect(struct http_exchange *x, int status, const char *location)
{
	x->location = xstrdup(location);
	http_reply(x, status, "text/plain; charset=utf-8", "", 0);
}

void http_reply_begin(struct http_exchange *x, int status, const char *content_type, void (*taken)(void *ctx),
	void *ctx)
{
	assert(x->magic == EXCHANGE_MAGIC && !x->replied && !x->pieces);
	x->pieces = true;
	x->last = x->last || !x->chunks;
	x->status = status;
	x->content_type = xstrdup(content_type);
	wipe_indirect(&x->bearer);
	x->taken = taken;
	x->taken_ctx = ctx;
}

void http_reply_piece(struct http_exchange *x, const char *piece, size_t len, bool last)
{
	struct strbuf text = STRBUF_INIT;

	assert(x->magic == EXCHANGE_MAGIC && x->pieces && !x->replied && x->text == NULL);
	x->replied = last;
	if (x->wsi == NULL) {
		if (last) {
			exchange_free(x);
		}
		return;
	}
	if (x->chunks && len > 0) {
		strbuf_addf(&text, "%zx\r\n", len);
	}
	strbuf_add(&text, piece, len);
	if (x->chunks) {
		strbuf_addstr(&text, len > 0 ? "\r\n" : "");
		strbuf_addstr(&text, last ? "0\r\n\r\n" : "");
	}
	give(x, &text);
}

/* The end without a reply ----------------------------------------------------------------------- */

void http_exchange_hang_up(struct lws *wsi)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	int fd = lws_get_socket_fd(wsi);

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	/* Else libwebsockets would wait for the client to read what was written. */
	(void)shutdown(fd, SHUT_RDWR);
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

/* The connection goes now, or some turns later. */
static void leave(struct http_exchange *x)
{
	struct lws *wsi = x->wsi;

	http_exchange_detach(x->connection);
	http_exchange_hang_up(wsi);
}

void http_reply_cut(struct http_exchange *x)
{
	assert(x->magic == EXCHANGE_MAGIC && x->asked && !x->replied);
	x->gone = NULL;
	if (x->wsi != NULL) {
		leave(x);
	}
	exchange_free(x);
}

static void on_peer_gone(void *ctx)
{
	leave(ctx);
}

void http_exchange_watch(struct http_exchange *x, void (*gone)(void *ctx), void *ctx)
{
	assert(x->asked && !x->replied);
	stop_watching(x);
	x->gone = gone;
	x->gone_ctx = ctx;
	if (x->wsi != NULL && gone != NULL) {
		x->watch = peer_watch_new(x->server->loop, lws_get_socket_fd(x->wsi), on_peer_gone, x);
	}
}
