/*
 * The HTTP server: libwebsockets on the caller's libuv loop.
 *
 * The listening socket is our own, so that an address in use is an error with a reason, and so that
 * nothing of libwebsockets can fail once it was made; what is accepted is handed over.
 *
 * The end takes two calls of lws_context_destroy(). The first closes the connections, whose handles
 * the loop then gives back one by one, and after them two static handles that live inside the
 * context; the second frees the context and must not come before those two are gone. No callback
 * tells, but they are known by their `data`, which is the context.
 */
#include "net/http_server.h"

#include <assert.h>
#include <libwebsockets.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "listen.h"
#include "peer_watch.h"

#define SERVER_MAGIC 0x68737276U
#define EXCHANGE_MAGIC 0x65786368U
#define MAX_BODY ((size_t)1 << 20)
#define HEADER_ROOM 1024U /* status line and the headers we send */
#define SEND_CHUNK 65536U
#define PATIENCE_MS 1000 /* with clients that do not read, at the end */

struct http_server {
	unsigned magic;
	uv_loop_t *loop;
	struct lws_context *context; /* NULL again once it is freed */
	http_handler_fn *handler;
	void *ctx;
	int listen_fd;
	int port;
	uv_poll_t listener;
	uv_idle_t closer;
	size_t handles; /* of our own, not yet closed */
	size_t unsent;  /* replies given and not yet written */
	uint64_t patience_ends; /* for those, in the loop's time */
	bool destroying;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

/* Belongs to its connection until the handler was asked, then to whoever replies. */
struct http_exchange {
	unsigned magic;
	struct http_server *server; /* alive while wsi is */
	struct lws *wsi;            /* NULL once the connection is gone */
	const char *method;
	char *path;
	struct strbuf body;
	bool asked;    /* the handler has it, and will reply */
	bool last;     /* on its connection */
	bool replied;
	int status;
	char *content_type;
	unsigned char *reply; /* LWS_PRE bytes for libwebsockets, then the body */
	size_t reply_len;
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
	free(x->path);
	free(x->content_type);
	free(x->reply);
	strbuf_release(&x->body);
	free(x);
}

static struct http_exchange *exchange_of(struct lws *wsi)
{
	struct http_exchange *x = lws_get_opaque_user_data(wsi);

	assert(!x || x->magic == EXCHANGE_MAGIC);
	return x;
}

/* The connection and its exchange part. An exchange still with the handler is freed by its reply. */
static void exchange_detach(struct lws *wsi)
{
	struct http_exchange *x = exchange_of(wsi);

	if (!x)
		return;
	lws_set_opaque_user_data(wsi, NULL);
	x->wsi = NULL;
	x->server->unsent -= x->replied;
	stop_watching(x);
	if (!x->asked || x->replied)
		exchange_free(x);
	else if (x->gone)
		x->gone(x->gone_ctx);
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
	for (size_t i = 0; i < ARRAY_LEN(methods); i++)
		if (lws_hdr_total_length(wsi, methods[i].token) > 0)
			return &methods[i];
	return NULL;
}

static bool asks_to_close(struct lws *wsi)
{
	char value[16] = "";

	lws_hdr_copy(wsi, value, sizeof(value), WSI_TOKEN_CONNECTION);
	return strcasecmp(value, "close") == 0;
}

static void reply_error(struct http_exchange *x, int status, const char *message)
{
	http_reply(x, status, "text/plain; charset=utf-8", message, strlen(message));
}

/* Until the reply nothing is read: libwebsockets would leave it unread, and the loop would spin on it. */
static void ask(struct http_server *server, struct http_exchange *x)
{
	x->asked = true;
	lws_set_timeout(x->wsi, NO_PENDING_TIMEOUT, 0);
	lws_rx_flow_control(x->wsi, 0);
	server->handler(server->ctx, x);
}

/* The request's header is whole. Nonzero closes the connection. */
static int on_request(struct http_server *server, struct lws *wsi, const char *path)
{
	const struct method *method = method_of(wsi);
	struct http_exchange *x;
	char length[24] = "";

	/* Another request before the reply to the last: nobody sends that any more. */
	if (exchange_of(wsi) || !method)
		return -1;
	x = xcalloc(1, sizeof(*x));
	x->magic = EXCHANGE_MAGIC;
	x->server = server;
	x->wsi = wsi;
	x->last = asks_to_close(wsi);
	x->method = method->name;
	x->path = xstrdup(path);
	strbuf_init(&x->body);
	lws_set_opaque_user_data(wsi, x);

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

static int on_body(struct lws *wsi, const char *data, size_t len)
{
	struct http_exchange *x = exchange_of(wsi);

	if (!x || x->asked)
		return -1;
	if (!x->replied && len > 0)
		strbuf_add(&x->body, data, len);
	return 0;
}

static int on_body_complete(struct http_server *server, struct lws *wsi)
{
	struct http_exchange *x = exchange_of(wsi);

	if (!x || x->asked)
		return -1; /* bytes after the body: see on_request() */
	if (x->replied)
		return 0;
	ask(server, x);
	return 0;
}

/* A reply goes out ---------------------------------------------------------------------------- */

static int write_reply(struct lws *wsi, struct http_exchange *x)
{
	unsigned char header[LWS_PRE + HEADER_ROOM];
	unsigned char *start = header + LWS_PRE, *p = start, *end = header + sizeof(header) - 1;

	if (lws_add_http_common_headers(wsi, (unsigned)x->status, x->content_type, x->reply_len, &p, end) ||
			(x->last && lws_add_http_header_by_token(wsi, WSI_TOKEN_CONNECTION,
					    (const unsigned char *)"close", 5, &p, end)) ||
			lws_finalize_write_http_header(wsi, start, &p, end))
		return -1;
	if (x->reply_len > 0 && strcmp(x->method, "HEAD") != 0 &&
			lws_write(wsi, x->reply + LWS_PRE, x->reply_len, LWS_WRITE_HTTP_FINAL) < 0)
		return -1;
	return 0;
}

static int on_writable(struct lws *wsi)
{
	struct http_exchange *x = exchange_of(wsi);
	int rc;

	if (!x || !x->replied)
		return 0;
	rc = write_reply(wsi, x);
	exchange_detach(wsi);
	return rc < 0 || lws_http_transaction_completed(wsi) ? -1 : 0;
}

void http_reply(struct http_exchange *x, int status, const char *content_type, const char *body, size_t len)
{
	assert(x->magic == EXCHANGE_MAGIC && !x->replied);
	x->replied = true;
	if (!x->wsi) {
		exchange_free(x);
		return;
	}
	x->status = status;
	x->content_type = xstrdup(content_type);
	x->reply = xcalloc(1, LWS_PRE + len + 1);
	if (len > 0)
		memcpy(x->reply + LWS_PRE, body, len);
	x->reply_len = len;
	stop_watching(x);
	lws_rx_flow_control(x->wsi, 1);
	x->server->unsent++;
	lws_callback_on_writable(x->wsi);
}

static void on_peer_gone(void *ctx)
{
	struct http_exchange *x = ctx;

	/* Closes the connection now, which comes back as exchange_detach(). */
	lws_set_timeout(x->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

void http_exchange_watch(struct http_exchange *x, void (*gone)(void *ctx), void *ctx)
{
	assert(x->asked && !x->replied && !x->watch);
	x->gone = gone;
	x->gone_ctx = ctx;
	if (x->wsi)
		x->watch = peer_watch_new(x->server->loop, lws_get_socket_fd(x->wsi), on_peer_gone, x);
}

const char *http_exchange_method(const struct http_exchange *x)
{
	return x->method;
}

const char *http_exchange_path(const struct http_exchange *x)
{
	return x->path;
}

const char *http_exchange_body(const struct http_exchange *x, size_t *len)
{
	if (len)
		*len = x->body.len;
	return x->body.buf;
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct http_server *server;

	switch (reason) {
	case LWS_CALLBACK_HTTP:
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		server = lws_context_user(lws_get_context(wsi));
		assert(server->magic == SERVER_MAGIC);
		return reason == LWS_CALLBACK_HTTP ? on_request(server, wsi, in) : on_body_complete(server, wsi);
	case LWS_CALLBACK_HTTP_BODY:
		return on_body(wsi, in, len);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return on_writable(wsi);
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		exchange_detach(wsi);
		return 0;
	default:
		return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}

/* Listening ----------------------------------------------------------------------------------- */

static const struct lws_protocols protocols[] = {
	{.name = "http", .callback = on_lws, .tx_packet_size = SEND_CHUNK},
	{.name = NULL},
};

static void on_lws_log(int level, const char *line)
{
	auto_free char *text = xstrndup(line, strcspn(line, "\n"));

	(void)level;
	log_event(LOG_WARN, "libwebsockets complained", "text", text, NULL);
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct http_server *server = poll->data;
	int fd;

	(void)events;
	assert(server->magic == SERVER_MAGIC);
	if (status < 0)
		return;
	fd = accept(server->listen_fd, NULL, NULL);
	/* Taken over also when it fails: then it is closed. */
	if (fd >= 0)
		lws_adopt_socket(server->context, fd);
}

struct http_server *http_server_new(uv_loop_t *loop, const char *address, http_handler_fn *handler, void *ctx,
	struct error *err)
{
	struct lws_context_creation_info info = {0};
	struct http_server *server;
	void *loops[] = {loop};
	int port;
	int fd = listen_on(address, &port, err);

	if (fd < 0)
		return NULL;
	server = xcalloc(1, sizeof(*server));
	server->magic = SERVER_MAGIC;
	server->loop = loop;
	server->handler = handler;
	server->ctx = ctx;
	server->listen_fd = fd;
	server->port = port;

	lws_set_log_level(LLL_ERR, on_lws_log);
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.protocols = protocols;
	info.options = LWS_SERVER_OPTION_LIBUV;
	info.foreign_loops = loops;
	info.pcontext = &server->context;
	info.user = server;
	server->context = lws_create_context(&info);
	if (!server->context) {
		error_set(err, ERROR_INTERNAL, "cannot serve HTTP on '%s': libwebsockets does not start: install "
			"its libuv support (libwebsockets-evlib-uv)", address);
		close(fd);
		free(server);
		return NULL;
	}
	uv_poll_init_socket(loop, &server->listener, fd);
	uv_idle_init(loop, &server->closer);
	server->listener.data = server;
	server->closer.data = server;
	server->handles = 2;
	uv_poll_start(&server->listener, UV_READABLE, on_connection);
	return server;
}

int http_server_port(const struct http_server *server)
{
	return server->port;
}

/* The end ------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;
	void (*closed)(void *ctx) = server->closed;
	void *ctx = server->closed_ctx;

	assert(server->magic == SERVER_MAGIC);
	if (handle == (uv_handle_t *)&server->listener)
		close(server->listen_fd);
	if (--server->handles > 0)
		return;
	server->magic = 0;
	free(server);
	closed(ctx);
}

struct search {
	const void *data;
	bool found;
};

static void find_data(uv_handle_t *handle, void *arg)
{
	struct search *search = arg;

	if (handle->data == search->data)
		search->found = true;
}

/* Runs once a turn of the loop until libwebsockets has left it. */
static void on_closer(uv_idle_t *idle)
{
	struct http_server *server = idle->data;
	struct search search = {.data = server->context};

	assert(server->magic == SERVER_MAGIC);
	if (server->unsent > 0 && uv_now(server->loop) < server->patience_ends)
		return;
	if (!server->destroying) {
		server->destroying = true;
		lws_context_destroy(server->context);
		return;
	}
	uv_walk(server->loop, find_data, &search);
	if (search.found)
		return;
	lws_context_destroy(server->context);
	assert(!server->context);
	uv_close((uv_handle_t *)idle, on_handle_closed);
}

void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx)
{
	assert(server->magic == SERVER_MAGIC && !server->closed && closed);
	server->closed = closed;
	server->closed_ctx = ctx;
	server->patience_ends = uv_now(server->loop) + PATIENCE_MS;
	uv_close((uv_handle_t *)&server->listener, on_handle_closed);
	uv_idle_start(&server->closer, on_closer);
}
