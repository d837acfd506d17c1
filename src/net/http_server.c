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
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "http_server_parts.h"
#include "listen.h"

#define PATIENCE_MS 1000 /* with clients that do not read, at the end */

/* Listening ----------------------------------------------------------------------------------- */

static const struct lws_protocols protocols[] = {
	{.name = "http", .callback = http_exchange_on_lws, .tx_packet_size = SEND_CHUNK},
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
	if (fd < 0)
		return;
	/* A program that we run is not to hold it. */
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	/* Taken over also when it fails: then it is closed. */
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
		error_set(err, ERROR_INTERNAL,
			"cannot serve HTTP on '%s': libwebsockets does not start: install "
			"its libuv support (libwebsockets-evlib-uv)",
			address);
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
