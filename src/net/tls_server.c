/* The TLS server's life, and who is let in. */
#include <assert.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>

#include "base/memory.h"
#include "tls_server_parts.h"

#define SERVER_MAGIC 0x746c7376U
#define CONNECTIONS_MAX 256
#define HEAD_MS 10000
#define IDLE_MS 180000
#define END_PATIENCE_MS 1000 /* with handlers and clients, at the end */

/* Begin --------------------------------------------------------------------------------------- */

static void on_accepted(void *ctx, int fd)
{
	struct tls_server *server = ctx;

	assert(server->magic == SERVER_MAGIC);
	if (server->connections.count >= server->connections_max) {
		server->counts.dropped++;
		tls_connection_close(tls_connection_of(peer_list_to_drop(&server->connections)), true);
	}
	server->counts.accepted++;
	tls_connection_open(server, fd);
}

static void on_part_closed(void *ctx);

/* NULL and `err` when it cannot listen. */
static struct tls_server *listening(uv_loop_t *loop, const char *address, struct tls_context *context,
	struct error *err)
{
	struct tls_server *server = xcalloc(1, sizeof(*server));

	if (acceptor_open(&server->acceptor, loop, address, on_accepted, server, err) < 0) {
		free(server);
		return NULL;
	}
	server->magic = SERVER_MAGIC;
	server->loop = loop;
	server->context = context;
	server->trust_generation = 1;
	server->part_closed = on_part_closed;
	server->open = 2;
	uv_timer_init(loop, &server->closer);
	server->closer.data = server;
	return server;
}

struct tls_server *tls_server_new(uv_loop_t *loop, const struct tls_server_options *options, tls_handler_fn *handler,
	void *ctx, struct error *err)
{
	struct tls_context *context = tls_context_new();
	struct tls_server *server;

	if (context == NULL) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());

		error_set(err, ERROR_INTERNAL, "cannot serve TLS on '%s': %s", options->address,
			why != NULL ? why : "OpenSSL does not say why");
		ERR_clear_error();
		return NULL;
	}
	server = listening(loop, options->address, context, err);
	if (server == NULL) {
		tls_context_free(context);
		return NULL;
	}
	server->connections_max = options->connections > 0 ? options->connections : CONNECTIONS_MAX;
	server->head_ms = options->head_ms > 0 ? options->head_ms : HEAD_MS;
	server->idle_ms = options->idle_ms > 0 ? options->idle_ms : IDLE_MS;
	server->handler = handler;
	server->ctx = ctx;
	/* To write to a client that has gone is an error like any other. */
	signal(SIGPIPE, SIG_IGN);
	return server;
}

/* Life ---------------------------------------------------------------------------------------- */

void tls_server_present(struct tls_server *server, const struct certificate *certificate)
{
	tls_context_present(server->context, certificate);
}

void tls_server_trust(struct tls_server *server, const struct peer_trust *trust)
{
	struct peer_trust *before = server->trust;

	server->trust = trust != NULL ? peer_trust_share(trust) : NULL;
	server->trust_generation++;
	peer_trust_free(before);
}

int tls_server_port(const struct tls_server *server)
{
	return server->acceptor.port;
}

struct tls_server_counts tls_server_counts(const struct tls_server *server)
{
	struct tls_server_counts counts = server->counts;

	counts.connections = server->connections.count;
	return counts;
}

void tls_server_drain(struct tls_server *server)
{
	server->draining = true;
}

/* End ----------------------------------------------------------------------------------------- */

static void on_closer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

/* The acceptor and each connection count themselves out, and the timer after them. */
static void on_part_closed(void *ctx)
{
	struct tls_server *server = ctx;
	void (*closed)(void *ctx) = server->closed;
	void *closed_ctx = server->closed_ctx;

	assert(server->magic == SERVER_MAGIC);
	server->open--;
	if (server->open == 1 && closed != NULL) {
		uv_close((uv_handle_t *)&server->closer, on_closer_closed);
	}
	if (server->open > 0) {
		return;
	}
	tls_context_free(server->context);
	peer_trust_free(server->trust);
	server->magic = 0;
	free(server);
	closed(closed_ctx);
}

static void for_each_connection(struct tls_server *server, void (*act)(struct tls_connection *connection))
{
	struct peer_entry *next;

	for (struct peer_entry *e = server->connections.first; e != NULL; e = next) {
		next = e->next;
		act(tls_connection_of(e));
	}
}

static void close_at_once(struct tls_connection *connection)
{
	tls_connection_close(connection, false);
}

static void on_patience_over(uv_timer_t *timer)
{
	for_each_connection(timer->data, close_at_once);
}

void tls_server_close(struct tls_server *server, void (*closed)(void *ctx), void *ctx)
{
	assert(server->magic == SERVER_MAGIC && server->closed == NULL && closed != NULL);
	server->closed = closed;
	server->closed_ctx = ctx;
	server->draining = true;
	acceptor_close(&server->acceptor, on_part_closed);
	uv_timer_start(&server->closer, on_patience_over, END_PATIENCE_MS, 0);
	for_each_connection(server, tls_connection_finish);
}
