/* One request to the HTTP server and the reply to it. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "http_server_parts.h"
#include "peer_watch.h"

#define EXCHANGE_MAGIC 0x65786368U
#define MAX_BODY ((size_t)1 << 20)
#define HEADER_ROOM 1024U /* status line and the headers we send */

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
	bool asked; /* the handler has it, and will reply */
	bool last;  /* on its connection */
	bool replied;
	int status;
	char *content_type;
	char *location; /* NULL = the reply has none */
	struct http_content *content;
	bool begun;  /* the reply's header was written */
	size_t sent; /* of the content */
	void (*gone)(void *ctx);
	void *gone_ctx;
	struct peer_watch *watch; /* for gone */
};

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
	http_content_unref(x->content);
	strbuf_release(&x->body);
	free(x);
}

static struct http_exchange *exchange_of(const struct http_connection *connection)
{
	struct http_exchange *x = connection->exchange;

	assert(x == NULL || x->magic == EXCHANGE_MAGIC);
	return x;
}

void http_exchange_detach(struct http_connection *connection)
{
	struct http_exchange *x = exchange_of(connection);

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

/* A request comes in -------------------------------------------------------------------------- */

static const struct method {
	enum lws_token_indexes token;
	const char *name;
	bool has_body;
} methods[] = {
	{WSI_TOKEN_GET_URI, "GET", false},
	{WSI_TOKEN_HEAD_URI, "HEAD", false},
	{WSI_TOKEN_POST_URI, "POST", true},
	{WSI_TOKEN_PUT_URI, "PUT", true},
	{WSI_TOKEN_PATCH_URI, "PATCH", true},
	{WSI_TOKEN_DELETE_URI, "DELETE", false},
	{WSI_TOKEN_OPTIONS_URI, "OPTIONS", false},
};

static const struct method *method_of(struct lws *wsi)
{
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		if (lws_hdr_total_length(wsi, methods[i].token) > 0) {
			return &methods[i];
		}
	}
	return NULL;
}

static bool asks_to_close(struct lws *wsi)
{
	char value[16] = "";

	lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_CONNECTION);
	return strcasecmp(value, "close") == 0;
}

/* Heap; NULL when the request has none. */
static char *bearer_of(struct lws *wsi)
{
	static const char scheme[] = "Bearer ";
	int len = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION);
	char *value = len > 0 ? xcalloc(1, (size_t)len + 1) : NULL;
	char *token;

	if (value == NULL || lws_hdr_copy(wsi, value, len + 1, WSI_TOKEN_HTTP_AUTHORIZATION) < 0 ||
		strncasecmp(value, scheme, strlen(scheme)) != 0) {
		free(value);
		return NULL;
	}
	token = value + strlen(scheme);
	token += strspn(token, " ");
	memmove(value, token, strlen(token) + 1);
	return value;
}

static void reply_error(struct http_exchange *x, int status, const char *message)
{
	http_reply(x, status, "text/plain; charset=utf-8", message, strlen(message));
}

/* Until the reply nothing is read: libwebsockets would leave it unread, and the loop would spin on it. */
static void ask(struct http_server *server, struct http_exchange *x)
{
	x->asked = true;
	x->connection->held = true;
	lws_set_timeout(x->wsi, NO_PENDING_TIMEOUT, 0);
	lws_rx_flow_control(x->wsi, 0);
	server->handler(server->ctx, x);
}

int http_exchange_on_request(struct http_connection *connection, const char *path)
{
	struct http_server *server = connection->server;
	struct lws *wsi = connection->wsi;
	const struct method *method = method_of(wsi);
	struct http_exchange *x;
	char length[24] = "";

	/* Another request before the reply to the last: nobody sends that any more. */
	if (connection->exchange != NULL || method == NULL) {
		return -1;
	}
	x = xcalloc(1, sizeof(*x));
	x->magic = EXCHANGE_MAGIC;
	x->server = server;
	x->wsi = wsi;
	x->last = asks_to_close(wsi);
	x->method = method->name;
	x->path = xstrdup(path);
	x->bearer = bearer_of(wsi);
	strbuf_init(&x->body);
	x->connection = connection;
	connection->exchange = x;

	lws_hdr_copy(wsi, length, sizeof(length), WSI_TOKEN_HTTP_CONTENT_LENGTH);
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 ||
		(method->has_body && length[0] == '\0')) {
		reply_error(x, 411, "request body without a Content-Length\n");
	} else if (strtoull(length, NULL, 10) > MAX_BODY) {
		reply_error(x, 413, "request body is larger than 1 MiB\n");
	} else if (!method->has_body && strtoull(length, NULL, 10) == 0) {
		ask(server, x);
	}
	return 0;
}

int http_exchange_on_body(struct http_connection *connection, const char *data, size_t len)
{
	struct http_exchange *x = exchange_of(connection);

	if (x == NULL || x->asked) {
		return -1;
	}
	if (!x->replied && len > 0) {
		strbuf_add(&x->body, data, len);
	}
	return 0;
}

int http_exchange_on_body_complete(struct http_connection *connection)
{
	struct http_exchange *x = exchange_of(connection);

	if (x == NULL || x->asked) {
		return -1; /* bytes after the body: see http_exchange_on_request() */
	}
	if (x->replied) {
		return 0;
	}
	ask(connection->server, x);
	return 0;
}

/* A reply goes out ---------------------------------------------------------------------------- */

static int write_header(struct lws *wsi, const struct http_exchange *x, size_t len)
{
	unsigned char header[LWS_PRE + HEADER_ROOM];
	unsigned char *start = header + LWS_PRE, *p = start, *end = header + sizeof(header) - 1;

	if (lws_add_http_common_headers(wsi, (unsigned)x->status, x->content_type, len, &p, end) ||
		(x->last && lws_add_http_header_by_token(wsi, WSI_TOKEN_CONNECTION, (const unsigned char *)"close", 5,
				    &p, end)) ||
		(x->status == 401 && lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_WWW_AUTHENTICATE,
					     (const unsigned char *)"Bearer", 6, &p, end)) ||
		(x->location != NULL &&
			lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_LOCATION, (const unsigned char *)x->location,
				(int)strlen(x->location), &p, end)) ||
		lws_finalize_write_http_header(wsi, start, &p, end)) {
		return -1;
	}
	return 0;
}

/* The next piece; it is copied because libwebsockets wants room in front of what it writes. */
static int write_piece(struct lws *wsi, struct http_exchange *x, const char *text, size_t len)
{
	unsigned char piece[LWS_PRE + SEND_CHUNK];
	size_t left = len - x->sent, now = left < SEND_CHUNK ? left : SEND_CHUNK;

	memcpy(piece + LWS_PRE, text + x->sent, now);
	x->sent += now;
	return lws_write(wsi, piece + LWS_PRE, now, x->sent == len ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP);
}

int http_exchange_on_writable(struct http_connection *connection)
{
	struct lws *wsi = connection->wsi;
	struct http_exchange *x = exchange_of(connection);
	const char *text;
	size_t len;
	int rc = 0;

	if (x == NULL || !x->replied) {
		return 0;
	}
	text = http_content_text(x->content, &len);
	if (!x->begun) {
		rc = write_header(wsi, x, len);
	}
	x->begun = true;
	if (rc >= 0 && len > 0 && strcmp(x->method, "HEAD") != 0) {
		rc = write_piece(wsi, x, text, len);
	} else {
		x->sent = len;
	}
	if (rc >= 0 && x->sent < len) {
		lws_callback_on_writable(wsi);
		return 0;
	}
	connection->entry.moved_ms = uv_now(x->server->loop);
	http_exchange_detach(connection);
	return rc < 0 || lws_http_transaction_completed(wsi) ? -1 : 0;
}

void http_reply_content(struct http_exchange *x, int status, const char *content_type, struct http_content *content)
{
	assert(x->magic == EXCHANGE_MAGIC && !x->replied);
	x->replied = true;
	if (x->wsi == NULL) {
		exchange_free(x);
		return;
	}
	x->status = status;
	x->content_type = xstrdup(content_type);
	x->content = http_content_ref(content);
	wipe_indirect(&x->bearer);
	stop_watching(x);
	x->connection->held = false;
	x->connection->entry.moved_ms = uv_now(x->server->loop);
	lws_rx_flow_control(x->wsi, 1);
	x->server->unsent++;
	lws_callback_on_writable(x->wsi);
}

void http_reply(struct http_exchange *x, int status, const char *content_type, const char *body, size_t len)
{
	struct strbuf text = STRBUF_INIT;
	struct http_content *content;

	strbuf_add(&text, body, len);
	content = http_content_new(&text);
	http_reply_content(x, status, content_type, content);
	http_content_unref(content);
}

void http_reply_redirect(struct http_exchange *x, int status, const char *location)
{
	x->location = xstrdup(location);
	http_reply(x, status, "text/plain; charset=utf-8", "", 0);
}

static void on_peer_gone(void *ctx)
{
	struct http_exchange *x = ctx;

	/* Closes the connection now, which comes back as http_exchange_detach(). */
	lws_set_timeout(x->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
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

const char *http_exchange_method(const struct http_exchange *x)
{
	return x->method;
}

const char *http_exchange_path(const struct http_exchange *x)
{
	return x->path;
}

const unsigned char *http_exchange_peer(const struct http_exchange *x)
{
	static const unsigned char nobody[sizeof(x->connection->entry.peer)];

	return x->wsi != NULL ? x->connection->entry.peer : nobody;
}

const char *http_exchange_bearer(const struct http_exchange *x)
{
	return x->bearer;
}

const char *http_exchange_body(const struct http_exchange *x, size_t *len)
{
	if (len != NULL) {
		*len = x->body.len;
	}
	return x->body.buf;
}
