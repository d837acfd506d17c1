/* One request to the HTTP server. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "http_server_parts.h"

#define MAX_BODY ((size_t)1 << 20)

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

/* Whoever speaks HTTP/1.0 knows no chunks. */
static bool takes_chunks(struct lws *wsi)
{
	char version[16] = "";

	lws_hdr_copy(wsi, version, sizeof(version), WSI_TOKEN_HTTP);
	return strcmp(version, "HTTP/1.0") != 0;
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
	x->chunks = takes_chunks(wsi);
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
	struct http_exchange *x = http_exchange_of(connection);

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
	struct http_exchange *x = http_exchange_of(connection);

	if (x == NULL || x->asked) {
		return -1; /* bytes after the body: see http_exchange_on_request() */
	}
	if (x->replied) {
		return 0;
	}
	ask(connection->server, x);
	return 0;
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
