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
#define MAX_BODY ((size_t)16 << 20)
#define CACHED_CONNECTIONS 64L
#define STREAMS 1000L /* of one HTTP/2 connection; the server's own limit is lower */

struct http_client {
	unsigned magic;
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t deadline; /* libcurl's next timeout */
	uv_timer_t kick;     /* works off `pending` */
	struct http_transfer *transfers;
	struct http_transfer *pending, **pending_end;
	size_t handles; /* uv handles not yet closed; the client is freed after the last */
	bool closing;
	bool torn_down;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

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

	assert(client && client->magic == CLIENT_MAGIC);
	return client;
}

static struct http_transfer *transfer_cast(void *p)
{
	struct http_transfer *t = p;

	assert(t && t->magic == TRANSFER_MAGIC);
	return t;
}

static void handle_closed(struct http_client *client)
{
	void (*closed)(void *ctx) = client->closed;
	void *ctx = client->closed_ctx;

	if (--client->handles > 0)
		return;
	client->magic = 0;
	free(client);
	closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(client_cast(handle->data));
}

/* No transfer is left: gives back libcurl's side, then the loop's. */
static void tear_down_when_idle(struct http_client *client)
{
	if (!client->closing || client->transfers || client->torn_down)
		return;
	client->torn_down = true;
	curl_multi_cleanup(client->multi); /* closes its sockets, through on_socket() */
	curl_global_cleanup();
	uv_close((uv_handle_t *)&client->deadline, on_timer_closed);
	uv_close((uv_handle_t *)&client->kick, on_timer_closed);
}

/* One transfer ------------------------------------------------------------------------------- */

static void on_pending(uv_timer_t *timer);

static void transfer_enqueue(struct http_transfer *t)
{
	struct http_client *client = t->client;

	if (!t->pending) {
		t->pending = true;
		t->next_pending = NULL;
		*client->pending_end = t;
		client->pending_end = &t->next_pending;
	}
	uv_timer_start(&client->kick, on_pending, 0, 0);
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct http_transfer *t = transfer_cast(handle->data);
	struct http_client *client = t->client;

	t->magic = 0;
	free(t);
	handle_closed(client);
}

static void on_idle(uv_timer_t *timer)
{
	struct http_transfer *t = transfer_cast(timer->data);

	if (t->error.kind == ERROR_NONE)
		error_set(&t->error, ERROR_UNAVAILABLE, "no data from '%s' for %lld ms", t->origin,
			(long long)t->idle_timeout_ms);
	/* Something on the way swallows the data: the next try is not to meet the same connection. */
	curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
	transfer_enqueue(t);
}

static void transfer_noticed_data(struct http_transfer *t)
{
	if (t->idle_timeout_ms > 0)
		uv_timer_again(&t->idle);
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
	(void)data;
	transfer_noticed_data(transfer_cast(ctx));
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_transfer *t = transfer_cast(ctx);
	size_t len = size * count;
	long status = 0;

	if (t->error.kind != ERROR_NONE)
		return 0;
	transfer_noticed_data(t);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (t->on_data && status >= 200 && status < 300) {
		int rc = t->on_data(t->ctx, data, len);

		if (rc < 0 && t->error.kind == ERROR_NONE)
			error_set(&t->error, ERROR_CANCELLED, "answer from '%s' was not read further", t->origin);
	} else if (len > t->max_body - t->body.len) {
		error_set(&t->error, ERROR_INTERNAL, "answer from '%s' is larger than %zu bytes", t->origin,
			t->max_body);
	} else {
		strbuf_add(&t->body, data, len);
	}
	return t->error.kind == ERROR_NONE ? len : 0;
}

static void transfer_unlink(struct http_transfer *t)
{
	if (t->prev)
		t->prev->next = t->next;
	else
		t->client->transfers = t->next;
	if (t->next)
		t->next->prev = t->prev;
}

/* Tells the user and gives everything back. Only from the loop, outside libcurl. */
static void transfer_finish(struct http_transfer *t)
{
	struct http_response response = {.retry_after_ms = -1, .content_type = ""};
	char *content_type = NULL;
	long status = 0;

	t->finished = true;
	transfer_unlink(t);
	uv_timer_stop(&t->idle);
	if (t->running)
		curl_multi_remove_handle(t->client->multi, t->easy);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &content_type);
	response.status = (int)status;
	response.body = t->body.buf;
	response.body_len = t->body.len;
	response.retry_after_ms = http_easy_retry_after(t->easy);
	if (content_type)
		response.content_type = content_type;
	if (t->error.kind != ERROR_NONE) {
		t->error.http = response.status;
		t->error.retry_after_ms = response.retry_after_ms;
		response.error = &t->error;
	}
	t->done(t->ctx, &response);

	http_easy_release(t);
	strbuf_release(&t->body);
	error_release(&t->error);
	uv_close((uv_handle_t *)&t->idle, on_idle_closed);
}

/* Starts what is new and ends what was given up. */
static void on_pending(uv_timer_t *timer)
{
	struct http_client *client = client_cast(timer->data);

	while (client->pending) {
		struct http_transfer *t = client->pending;

		client->pending = t->next_pending;
		if (!client->pending)
			client->pending_end = &client->pending;
		t->pending = false;
		if (t->error.kind != ERROR_NONE) {
			transfer_finish(t);
			continue;
		}
		t->running = true;
		if (curl_multi_add_handle(client->multi, t->easy) != CURLM_OK)
			abort(); /* out of memory: nothing else is left to fail */
		if (t->idle_timeout_ms > 0) {
			uint64_t idle_ms = (uint64_t)t->idle_timeout_ms;

			uv_timer_start(&t->idle, on_idle, idle_ms, idle_ms);
		}
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

	while ((msg = curl_multi_info_read(client->multi, &left))) {
		struct http_transfer *t;
		CURLcode code = msg->data.result;
		char *private = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		t = transfer_cast(private);
		http_easy_judge(t, code);
		/* One given up meanwhile is still in the queue, and ends from there. */
		if (!t->pending)
			transfer_finish(t);
	}
	tear_down_when_idle(client);
}

static void on_deadline(uv_timer_t *timer)
{
	struct http_client *client = client_cast(timer->data);
	int running;

	curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	reap(client);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http_client *client = client_cast(ctx);

	(void)multi;
	if (timeout_ms < 0)
		uv_timer_stop(&client->deadline);
	else
		uv_timer_start(&client->deadline, on_deadline, (uint64_t)timeout_ms, 0);
	return 0;
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct client_socket *socket = handle->data;
	struct http_client *client = socket->client;

	assert(socket->magic == SOCKET_MAGIC);
	socket->magic = 0;
	free(socket);
	handle_closed(client);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
	struct client_socket *socket = poll->data;
	struct http_client *client = socket->client;
	int flags = status < 0 ? CURL_CSELECT_ERR : 0;
	int running;

	assert(socket->magic == SOCKET_MAGIC);
	if (events & UV_READABLE)
		flags |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		flags |= CURL_CSELECT_OUT;
	curl_multi_socket_action(client->multi, socket->fd, flags, &running);
	reap(client);
}

static struct client_socket *socket_new(struct http_client *client, curl_socket_t fd)
{
	struct client_socket *socket = xcalloc(1, sizeof(*socket));

	socket->magic = SOCKET_MAGIC;
	socket->client = client;
	socket->fd = fd;
	if (uv_poll_init_socket(client->loop, &socket->poll, fd) < 0)
		abort(); /* a socket that cannot be watched would hang its transfers */
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
		if (socket) {
			curl_multi_assign(client->multi, fd, NULL);
			uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
		}
		return 0;
	}
	if (what & CURL_POLL_IN)
		events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		events |= UV_WRITABLE;
	if (!socket)
		socket = socket_new(client, fd);
	uv_poll_start(&socket->poll, events, on_socket_ready);
	return 0;
}

/* The client --------------------------------------------------------------------------------- */

static void init_timer(struct http_client *client, uv_timer_t *timer, void *data)
{
	uv_timer_init(client->loop, timer);
	timer->data = data;
	client->handles++;
}

struct http_client *http_client_new(uv_loop_t *loop)
{
	struct http_client *client = xcalloc(1, sizeof(*client));

	/* A write to a connection the peer has reset is an error here, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	client->magic = CLIENT_MAGIC;
	client->loop = loop;
	client->pending_end = &client->pending;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(client->multi = curl_multi_init()))
		abort(); /* out of memory */
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
	curl_multi_setopt(client->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(client->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, STREAMS);
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CACHED_CONNECTIONS);
	init_timer(client, &client->deadline, client);
	init_timer(client, &client->kick, client);
	return client;
}

struct http_transfer *http_client_start(struct http_client *client, const struct http_request *request)
{
	struct http_transfer *t = xcalloc(1, sizeof(*t));

	assert(request->done && request->url && request->method);
	assert(!client->torn_down);
	*t = (struct http_transfer){
		.magic = TRANSFER_MAGIC,
		.client = client,
		.on_data = request->on_data,
		.done = request->done,
		.ctx = request->ctx,
		.timeout_ms = request->timeout_ms,
		.idle_timeout_ms = request->idle_timeout_ms,
		.max_body = request->max_body ? request->max_body : MAX_BODY,
		.body = STRBUF_INIT,
		.error = ERROR_INIT,
		.next = client->transfers,
	};
	if (t->next)
		t->next->prev = t;
	client->transfers = t;
	init_timer(client, &t->idle, t);
	if (http_easy_setup(t, request) == 0) {
		curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
		curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
		curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
		curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	}
	transfer_enqueue(t);
	if (client->closing)
		http_transfer_cancel(t);
	return t;
}

void http_transfer_cancel(struct http_transfer *t)
{
	if (transfer_cast(t)->finished)
		return;
	if (t->error.kind == ERROR_NONE)
		error_set(&t->error, ERROR_CANCELLED, "request to '%s' was cancelled", t->origin);
	transfer_enqueue(t);
}

void http_client_close(struct http_client *client, void (*closed)(void *ctx), void *ctx)
{
	assert(!client->closing && closed);
	client->closing = true;
	client->closed = closed;
	client->closed_ctx = ctx;
	for (struct http_transfer *t = client->transfers; t; t = t->next)
		http_transfer_cancel(t);
	/* Also when there was none: the end comes from the loop. */
	uv_timer_start(&client->kick, on_pending, 0, 0);
}
