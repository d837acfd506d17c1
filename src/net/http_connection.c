/*
 * Who is connected to the HTTP server, and for how long.
 *
 * The limits are ours and not libwebsockets': it has none for a client that does not read.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "http_server_parts.h"

#define CONNECTION_MAGIC 0x68636e6eU
#define SWEEP_MS 1000

static struct http_connection *of_entry(struct peer_entry *entry)
{
	return container_of(entry, struct http_connection, entry);
}

/* Its wsi ends: takes it off the list and frees it. The exchange must be detached by then. */
static void ended(struct http_connection *connection)
{
	assert(connection->exchange == NULL);
	lws_set_opaque_user_data(connection->wsi, NULL);
	peer_list_remove(&connection->server->connections, &connection->entry);
	connection->magic = 0;
	free(connection);
}

/* Nothing of it is sent any more, nor kept by the kernel. libwebsockets lets go of it some turns later; it counts no
 * more from now on. */
static void drop(struct http_connection *connection)
{
	struct lws *wsi = connection->wsi;

	http_exchange_detach(connection);
	ended(connection);
	http_exchange_hang_up(wsi);
}

static void on_sweep(uv_timer_t *timer)
{
	struct http_server *server = timer->data;
	struct peer_entry *next;

	for (struct peer_entry *e = server->connections.first; e != NULL; e = next) {
		next = e->next;
		if (!of_entry(e)->held && uv_now(server->loop) - e->moved_ms >= server->patience_ms) {
			drop(of_entry(e));
		}
	}
	if (server->connections.first == NULL) {
		uv_timer_stop(timer);
	}
}

void http_connection_accepted(void *ctx, int fd)
{
	struct http_server *server = ctx;
	struct http_connection *connection;

	if (server->connections_max > 0 && server->connections.count >= server->connections_max) {
		drop(of_entry(peer_list_to_drop(&server->connections)));
	}
	connection = xcalloc(1, sizeof(*connection));
	connection->magic = CONNECTION_MAGIC;
	connection->server = server;
	connection->entry.moved_ms = uv_now(server->loop);
	peer_list_add(&server->connections, &connection->entry, fd);
	/* Taken over also when it fails: then it is closed. */
	connection->wsi = lws_adopt_socket(server->context, fd);
	if (connection->wsi == NULL) {
		peer_list_remove(&server->connections, &connection->entry);
		free(connection);
		return;
	}
	lws_set_opaque_user_data(connection->wsi, connection);
	if (!uv_is_active((uv_handle_t *)&server->sweeper)) {
		uv_timer_start(&server->sweeper, on_sweep, SWEEP_MS, SWEEP_MS);
	}
}

/* Of a wsi; NULL = it is none of ours, or was dropped. */
static struct http_connection *connection_of(struct lws *wsi)
{
	struct http_connection *connection = lws_get_opaque_user_data(wsi);

	assert(connection == NULL || connection->magic == CONNECTION_MAGIC);
	return connection;
}

int http_connection_on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
	struct http_connection *connection = wsi != NULL ? connection_of(wsi) : NULL;

	switch (reason) {
	case LWS_CALLBACK_HTTP:
		return connection != NULL ? http_exchange_on_request(connection, in) : -1;
	case LWS_CALLBACK_HTTP_BODY:
		return connection != NULL ? http_exchange_on_body(connection, in, len) : -1;
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return connection != NULL ? http_exchange_on_body_complete(connection) : -1;
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return connection != NULL ? http_exchange_on_writable(connection) : 0;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return -1; /* neither WebSocket nor HTTP/2: their streams would be no connections of ours */
	case LWS_CALLBACK_CLOSED_HTTP:
	case LWS_CALLBACK_WSI_DESTROY:
		if (connection != NULL) {
			http_exchange_detach(connection);
			ended(connection);
		}
		return 0;
	default:
		return lws_callback_http_dummy(wsi, reason, user, in, len);
	}
}
