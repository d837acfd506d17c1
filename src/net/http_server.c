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
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "http_server_parts.h"
#include "listen.h"

#define END_PATIENCE_MS 1000 /* with clients that do not read, at the end */
#define END_TICK_MS 1        /* until it is seen whether libwebsockets has left the loop */
/* With a client that does not send or not read: a scrape's timeout is as long. */
#define PATIENCE_MS 10000
/* Of a turn of the loop: those that queue in the kernel are soon let in, and far fewer than a server has room for: who is
 * let in has the two turns that an answer takes. */
#define ACCEPTS 16
/* libwebsockets keeps tables of as many as it may have, which else is as many as the process may. */
#define DESCRIPTORS_MAX 1024
/* Of a request: a token that names many groups has several thousand characters. */
#define HEADER_MAX 16384
#define PAUSE_MS 100 /* until a descriptor is tried for again */

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

static void pause_listening(struct http_server *server, int reason);

static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct http_server *server = poll->data;

	(void)events;
	assert(server->magic == SERVER_MAGIC);
	for (int i = 0; i < ACCEPTS && status >= 0; i++) {
		int fd = accept(server->listen_fd, NULL, NULL);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
				pause_listening(server, errno);
			}
			return;
		}
		server->starved = false;
		/* A program that we run is not to hold it. */
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		http_connection_accepted(server, fd);
	}
}

static void on_pause_over(uv_timer_t *timer)
{
	struct http_server *server = timer->data;

	uv_poll_start(&server->listener, UV_READABLE, on_connection);
}

/* The connection stays in the kernel's queue, and the socket readable: to go on at once would be to do nothing else. */
static void pause_listening(struct http_server *server, int reason)
{
	if (!server->starved) {
		log_event(LOG_WARN, "a connection cannot be accepted, trying again ten times a second", "error",
			strerror(reason), NULL);
	}
	server->starved = true;
	uv_poll_stop(&server->listener);
	uv_timer_start(&server->pause, on_pause_over, PAUSE_MS, 0);
}

struct http_server *http_server_new(uv_loop_t *loop, const char *address, http_handler_fn *handler, void *ctx,
	struct error *err)
{
	struct lws_context_creation_info info = {0};
	struct http_server *server;
	void *loops[] = {loop};
	int port;
	int fd = listen_on(address, &port, err);

	if (fd < 0) {
		return NULL;
	}
	server = xcalloc(1, sizeof(*server));
	server->magic = SERVER_MAGIC;
	server->loop = loop;
	server->handler = handler;
	server->ctx = ctx;
	server->listen_fd = fd;
	server->port = port;
	server->patience_ms = PATIENCE_MS;

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
		close(fd);
		free(server);
		return NULL;
	}
	uv_poll_init_socket(loop, &server->listener, fd);
	uv_timer_init(loop, &server->closer);
	uv_timer_init(loop, &server->pause);
	uv_timer_init(loop, &server->sweeper);
	server->listener.data = server;
	server->closer.data = server;
	server->pause.data = server;
	server->sweeper.data = server;
	server->handles = 4;
	uv_poll_start(&server->listener, UV_READABLE, on_connection);
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
	return server->port;
}

/* The end ------------------------------------------------------------------------------------- */

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;
	void (*closed)(void *ctx) = server->closed;
	void *ctx = server->closed_ctx;

	assert(server->magic == SERVER_MAGIC);
	if (handle == (uv_handle_t *)&server->listener) {
		close(server->listen_fd);
	}
	if (--server->handles > 0) {
		return;
	}
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
	uv_close((uv_handle_t *)&server->listener, on_handle_closed);
	uv_close((uv_handle_t *)&server->pause, on_handle_closed);
	uv_close((uv_handle_t *)&server->sweeper, on_handle_closed);
	uv_timer_start(&server->closer, on_closer, server->unsent > 0 ? END_PATIENCE_MS : 0, END_TICK_MS);
}
