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
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "http_server_parts.h"

#define END_PATIENCE_MS 1000 /* with clients that do not read, at the end */
#define END_TICK_MS 1        /* until it is seen whether libwebsockets has left the loop */
/* With a client that does not send or not read: a scrape's timeout is as long. */
#define PATIENCE_MS 10000
/* libwebsockets keeps tables of as many as it may have, which else is as many as the process may. */
#define DESCRIPTORS_MAX 1024
/* Of a request: a token that names many groups has several thousand characters. */
#define HEADER_MAX 16384

/* Listening ----------------------------------------------------------------------------------- */

static const struct lws_protocols protocols[] = {
	{.name = "http", .callback = http_connection_on_lws, .tx_packet_size = SEND_CHUNK},
	{.name = NULL},
};

static void on_lws_log(int level, const char *line)
{
	auto_free char *text = xstrndup(line, strcspn(line, "\n"));

	(void)level;
	log_event(LOG_WARN, "libwebsockets complained", "text", text, NULL);
}

struct http_server *http_server_new(uv_loop_t *loop, const char *address, http_handler_fn *handler, void *ctx,
	struct error *err)
{
	struct lws_context_creation_info info = {0};
	struct http_server *server = xcalloc(1, sizeof(*server));
	void *loops[] = {loop};

	server->magic = SERVER_MAGIC;
	server->loop = loop;
	server->handler = handler;
	server->ctx = ctx;
	server->patience_ms = PATIENCE_MS;
	if (acceptor_open(&server->acceptor, loop, address, http_connection_accepted, server, err) < 0) {
		free(server);
		return NULL;
	}

	lws_set_log_level(LLL_ERR, on_lws_log);
	info.port = CONTEXT_PORT_NO_LISTEN_SERVER;
	info.protocols = protocols;
	info.options = LWS_SERVER_OPTION_LIBUV;
	info.foreign_loops = loops;
	info.pcontext = &server->context;
	info.user = server;
	info.fd_limit_per_thread = DESCRIPTORS_MAX;
	info.max_http_header_data = HEADER_MAX;
	server->context = lws_create_context(&info);
	if (server->context == NULL) {
		error_set(err, ERROR_INTERNAL,
			"cannot serve HTTP on '%s': libwebsockets does not start: install "
			"its libuv support (libwebsockets-evlib-uv)",
			address);
		acceptor_close(&server->acceptor, free);
		return NULL;
	}
	uv_timer_init(loop, &server->closer);
	uv_timer_init(loop, &server->sweeper);
	server->closer.data = server;
	server->sweeper.data = server;
	server->open = 3;
	return server;
}

void http_server_limit(struct http_server *server, size_t connections)
{
	assert(connections < DESCRIPTORS_MAX);
	server->connections_max = connections;
}

void http_server_set_patience(struct http_server *server, uint64_t ms)
{
	server->patience_ms = ms;
}

int http_server_port(const struct http_server *server)
{
	return server->acceptor.port;
}

/* The end ------------------------------------------------------------------------------------- */

static void on_part_closed(void *ctx)
{
	struct http_server *server = ctx;
	void (*closed)(void *ctx) = server->closed;
	void *closed_ctx = server->closed_ctx;

	assert(server->magic == SERVER_MAGIC);
	if (--server->open > 0) {
		return;
	}
	server->magic = 0;
	free(server);
	closed(closed_ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

struct search {
	const void *data;
	bool found;
};

static void find_data(uv_handle_t *handle, void *arg)
{
	struct search *search = arg;

	if (handle->data == search->data) {
		search->found = true;
	}
}

/* Runs when the replies are written, or when that takes too long, and then until libwebsockets has left the loop. */
static void on_closer(uv_timer_t *timer)
{
	struct http_server *server = timer->data;
	struct search search = {.data = server->context};

	assert(server->magic == SERVER_MAGIC);
	if (!server->destroying) {
		server->destroying = true;
		lws_context_destroy(server->context);
		return;
	}
	uv_walk(server->loop, find_data, &search);
	if (search.found) {
		return;
	}
	lws_context_destroy(server->context);
	assert(server->context == NULL);
	uv_close((uv_handle_t *)timer, on_handle_closed);
}

void http_server_close(struct http_server *server, void (*closed)(void *ctx), void *ctx)
{
	assert(server->magic == SERVER_MAGIC && server->closed == NULL && closed != NULL);
	server->closed = closed;
	server->closed_ctx = ctx;
	acceptor_close(&server->acceptor, on_part_closed);
	uv_close((uv_handle_t *)&server->sweeper, on_handle_closed);
	uv_timer_start(&server->closer, on_closer, server->unsent > 0 ? END_PATIENCE_MS : 0, END_TICK_MS);
}
