/*
 * Who is connected to the HTTP server, and for how long.
 *
 * The limits are ours and not libwebsockets': it has none for a client that does not read.
 */
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "http_server_parts.h"

#define CONNECTION_MAGIC 0x68636e6eU
#define SWEEP_MS 1000
/* Of the kernel's memory for one client, which counts as the pod's: by itself it grows to megabytes. The kernel
 * takes twice the number. */
#define SEND_BUFFER 65536

static void put_first(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	connection->next = server->connections;
	if (connection->next != NULL) {
		connection->next->prev = connection;
	}
	server->connections = connection;
	server->connections_count++;
}

/* Its wsi ends: takes it off the list and frees it. The exchange must be detached by then. */
static void ended(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	assert(connection->exchange == NULL);
	lws_set_opaque_user_data(connection->wsi, NULL);
	if (connection->prev != NULL) {
		connection->prev->next = connection->next;
	} else {
		server->connections = connection->next;
	}
	if (connection->next != NULL) {
		connection->next->prev = connection->prev;
	}
	server->connections_count--;
	connection->magic = 0;
	free(connection);
}

/* Nothing of it is sent any more, nor kept by the kernel. libwebsockets lets go of it some turns later; it counts no
 * more from now on. */
static void drop(struct http_connection *connection)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	struct lws *wsi = connection->wsi;
	int fd = lws_get_socket_fd(wsi);

	http_exchange_detach(connection);
	ended(connection);

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	/* Else libwebsockets would wait for the client to read what was written. */
	(void)shutdown(fd, SHUT_RDWR);
	lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static size_t count_of_peer(const struct http_server *server, const unsigned char *peer)
{
	size_t count = 0;

	for (const struct http_connection *c = server->connections; c != NULL; c = c->next) {
		count += memcmp(c->peer, peer, sizeof(c->peer)) == 0;
	}
	return count;
}

static struct http_connection *one_to_drop(const struct http_server *server)
{
	struct http_connection *found = NULL;
	size_t most = 0;

	for (struct http_connection *c = server->connections; c != NULL; c = c->next) {
		size_t count = count_of_peer(server, c->peer);

		/* Of those that moved in the same millisecond the oldest: the list begins with the newest. */
		if (count > most || (count == most && c->moved_ms <= found->moved_ms)) {
			found = c;
			most = count;
		}
	}
	return found;
}

static void read_peer(struct http_connection *connection, int fd)
{
	struct sockaddr_storage address = {0};
	socklen_t len = sizeof(address);

	if (getpeername(fd, (struct sockaddr *)&address, &len) < 0) {
		return;
	}
	if (address.ss_family == AF_INET6) {
		memcpy(connection->peer, &((struct sockaddr_in6 *)&address)->sin6_addr, 16);
	} else if (address.ss_family == AF_INET) {
		memcpy(connection->peer, &((struct sockaddr_in *)&address)->sin_addr, 4);
	}
}

static void on_sweep(uv_timer_t *timer)
{
	struct http_server *server = timer->data;
	struct http_connection *next;

	for (struct http_connection *c = server->connections; c != NULL; c = next) {
		next = c->next;
		if (!c->held && uv_now(server->loop) - c->moved_ms >= server->patience_ms) {
			drop(c);
		}
	}
	if (server->connections == NULL) {
		uv_timer_stop(timer);
	}
}

void http_connection_accepted(struct http_server *server, int fd)
{
	struct http_connection *connection;
	int one = 1, buffer = SEND_BUFFER;

	/* A reply's last piece is not to wait until the client confirms the one before it. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	if (server->connections_max > 0 && server->connections_count >= server->connections_max) {
		drop(one_to_drop(server));
	}
	connection = xcalloc(1, sizeof(*connection));
	*connection =
		(struct http_connection){.magic = CONNECTION_MAGIC, .server = server, .moved_ms = uv_now(server->loop)};
	read_peer(connection, fd);
	/* Taken over also when it fails: then it is closed. */
	connection->wsi = lws_adopt_socket(server->context, fd);
	if (connection->wsi == NULL) {
		free(connection);
		return;
	}
	lws_set_opaque_user_data(connection->wsi, connection);
	put_first(connection);
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
