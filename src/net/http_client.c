/*
 * The HTTP client: libcurl's multi handle driven by libuv.
 *
 * libcurl forbids adding and removing transfers from inside its callbacks, and its users do both
 * there. So starting and ending only put a transfer into a queue, which is worked off by a timer of
 * zero from the loop, outside libcurl.
 */
#include "net/http_client.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http_transfer.h"

#define CLIENT_MAGIC 0x6863636cU
#define SOCKET_MAGIC 0x68636b74U
#define CACHED_CONNECTIONS 64L
#define STREAMS 1000L /* of one HTTP/2 connection; the server's own limit is lower */

/* A socket of libcurl's, watched by the loop. */
struct client_socket {
	unsigned magic;
	struct http_client *client;
	curl_socket_t fd;
	uv_poll_t poll;
};

static struct http_client *client_cast(void *p)
{
	struct http_client *client = p;

	assert(client != NULL && client->magic == CLIENT_MAGIC);
	return client;
}

static void on_pending(uv_timer_t *timer);

void http_client_enqueue(struct http_transfer *t)
{
	struct http_client *client = t->client;

	if (!t->pending) {
		t->pending = true;
		t->next_pending = NULL;
		*client->pending_end = t;
		client->pending_end = &t->next_pending;
	}
	uv_timer_start(&client->wake, on_pending, 0, 0);
}

void http_client_handle_closed(struct http_client *client)
{
	void (*closed)(void *ctx) = client->closed;
	void *ctx = client->closed_ctx;

	if (--client->handles > 0) {
		return;
	}
	client->magic = 0;
	free(client);
	closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
	http_client_handle_closed(client_cast(handle->data));
}

/* No transfer is left: gives back libcurl's side, then the loop's. */
static void tear_down_when_idle(struct http_client *client)
{
	if (!client->closing || client->transfers != NULL || client->torn_down) {
		return;
	}
	client->torn_down = true;
	curl_multi_cleanup(client->multi); /* closes its sockets, through on_socket() */
	curl_global_cleanup();
	uv_close((uv_handle_t *)&client->deadline, on_timer_closed);
	uv_close((uv_handle_t *)&client->wake, on_timer_closed);
}

/* Starts what is new and ends what was given up. */
static void on_pending(uv_timer_t *timer)
{
	struct http_client *client = client_cast(timer->data);

	while (client->pending != NULL) {
		struct http_transfer *t = client->pending;

		client->pending = t->next_pending;
		if (client->pending == NULL) {
			client->pending_end = &client->pending;
		}
		t->pending = false;
		if (t->error.kind != ERROR_NONE) {
			http_transfer_finish(t);
			continue;
		}
		http_transfer_begin(t);
	}
	tear_down_when_idle(client);
}

/* libcurl on the loop ------------------------------------------------------------------------ */

/*
 * Delivers what has ended. Called after every action whatever libcurl says of running handles: the
 * transfer that ends last leaves none running.
 */
static void reap(struct http_client *client)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(client->multi, &left)) != NULL) {
		struct http_transfer *t;
		CURLcode code = msg->data.result;
		char *private = NULL;

		if (msg->msg != CURLMSG_DONE) {
			continue;
		}
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		t = http_transfer_cast(private);
		http_easy_check(t, code);
		/* One given up meanwhile is still in the queue, and ends from there. */
		if (!t->pending) {
			http_transfer_finish(t);
		}
	}
	tear_down_when_idle(client);
}

static void act(struct http_client *client, curl_socket_t fd, int flags)
{
	int running;

	if (client->look != NULL) {
		client->look(client->look_ctx);
	}
	curl_multi_socket_action(client->multi, fd, flags, &running);
	reap(client);
}

static void on_deadline(uv_timer_t *timer)
{
	act(client_cast(timer->data), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http_client *client = client_cast(ctx);

	(void)multi;
	if (timeout_ms < 0) {
		uv_timer_stop(&client->deadline);
	} else {
		uv_timer_start(&client->deadline, on_deadline, (uint64_t)timeout_ms, 0);
	}
	return 0;
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct client_socket *socket = handle->data;
	struct http_client *client = socket->client;

	assert(socket->magic == SOCKET_MAGIC);
	socket->magic = 0;
	free(socket);
	http_client_handle_closed(client);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
	struct client_socket *socket = poll->data;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;

	assert(socket->magic == SOCKET_MAGIC);
	if (events & UV_READABLE) {
		flags |= CURL_CSELECT_IN;
	}
	if (events & UV_WRITABLE) {
		flags |= CURL_CSELECT_OUT;
	}
	act(socket->client, socket->fd, flags);
}

static struct client_socket *socket_new(struct http_client *client, curl_socket_t fd)
{
	struct client_socket *socket = xcalloc(1, sizeof(*socket));

	socket->magic = SOCKET_MAGIC;
	socket->client = client;
	socket->fd = fd;
	if (uv_poll_init_socket(client->loop, &socket->poll, fd) < 0) {
		abort(); /* a socket that cannot be watched would hang its transfers */
	}
	socket->poll.data = socket;
	client->handles++;
	curl_multi_assign(client->multi, fd, socket);
	return socket;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http_client *client = client_cast(ctx);
	struct client_socket *socket = socket_ctx;
	int events = 0;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (socket != NULL) {
			curl_multi_assign(client->multi, fd, NULL);
			uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
		}
		return 0;
	}
	if (what & CURL_POLL_IN) {
		events |= UV_READABLE;
	}
	if (what & CURL_POLL_OUT) {
		events |= UV_WRITABLE;
	}
	if (socket == NULL) {
		socket = socket_new(client, fd);
	}
	uv_poll_start(&socket->poll, events, on_socket_ready);
	return 0;
}

/* The client --------------------------------------------------------------------------------- */

void http_client_init_timer(struct http_client *client, uv_timer_t *timer, void *data)
{
	uv_timer_init(client->loop, timer);
	timer->data = data;
	client->handles++;
}

void http_client_look_first(struct http_client *client, void (*look)(void *ctx), void *ctx)
{
	client->look = look;
	client->look_ctx = ctx;
}

struct http_client *http_client_new(uv_loop_t *loop)
{
	struct http_client *client = xcalloc(1, sizeof(*client));

	/* A write to a connection the peer has reset is an error here, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	client->magic = CLIENT_MAGIC;
	client->loop = loop;
	client->pending_end = &client->pending;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (client->multi = curl_multi_init()) == NULL) {
		abort(); /* out of memory */
	}
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, STREAMS);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CACHED_CONNECTIONS);
	http_client_init_timer(client, &client->deadline, client);
	http_client_init_timer(client, &client->wake, client);
	return client;
}

void http_client_close(struct http_client *client, void (*closed)(void *ctx), void *ctx)
{
	assert(!client->closing && closed != NULL);
	client->closing = true;
	client->closed = closed;
	client->closed_ctx = ctx;
	for (struct http_transfer *t = client->transfers; t != NULL; t = t->next) {
		http_transfer_cancel(t);
	}
	/* Also when there was none: the end comes from the loop. */
	uv_timer_start(&client->wake, on_pending, 0, 0);
}
