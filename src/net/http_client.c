/*
 * The HTTP client and its transfers, each from its start to its done callback.
 *
 * A transfer may be started and given up from inside libcurl's callbacks, where libcurl forbids to add
 * and to remove it. So starting and ending only put it into a queue, which is worked off by a timer of
 * zero from the loop, outside libcurl.
 */
#include "net/http_client.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http_multi.h"
#include "http_transfer.h"

#define CLIENT_MAGIC 0x6863636cU
#define TRANSFER_MAGIC 0x7472666eU
#define MAX_BODY ((size_t)16 << 20)

struct http_client {
	unsigned magic;
	uv_loop_t *loop;
	struct http_multi *multi;
	uv_timer_t wake; /* works off `pending` */
	struct http_transfer *transfers;
	struct http_transfer *pending, **pending_end;
	unsigned holds;
	size_t open; /* the multi handle, and timers not yet closed; the client is freed after the last */
	bool closing;
	bool torn_down;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static struct http_client *client_cast(void *p)
{
	struct http_client *client = p;

	assert(client != NULL && client->magic == CLIENT_MAGIC);
	return client;
}

static struct http_transfer *transfer_cast(void *p)
{
	struct http_transfer *t = p;

	assert(t != NULL && t->magic == TRANSFER_MAGIC);
	return t;
}

static void init_timer(struct http_client *client, uv_timer_t *timer, void *data)
{
	uv_timer_init(client->loop, timer);
	timer->data = data;
	client->open++;
}

static void part_closed(struct http_client *client)
{
	void (*closed)(void *ctx) = client->closed;
	void *ctx = client->closed_ctx;

	if (--client->open > 0) {
		return;
	}
	client->magic = 0;
	free(client);
	closed(ctx);
}

static void on_pending(uv_timer_t *timer);

/* Has it started or ended, by its error, in the loop's next turn. */
static void enqueue(struct http_transfer *t)
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

/* A transfer under way -------------------------------------------------------------------------- */

static void on_idle(uv_timer_t *timer)
{
	struct http_transfer *t = transfer_cast(timer->data);

	if (t->error.kind == ERROR_NONE) {
		error_set(&t->error, ERROR_UNAVAILABLE, "no data from '%s' for %lld ms", t->origin,
			(long long)t->idle_timeout_ms);
	}
	/* Something on the way swallows the data: the next try is not to meet the same connection. Over HTTP/2 libcurl
	 * closes it once no other transfer is left on it. */
	curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
	enqueue(t);
}

static void transfer_noticed_data(struct http_transfer *t)
{
	if (t->idle_timeout_ms > 0) {
		uv_timer_again(&t->idle);
	}
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

	if (t->error.kind != ERROR_NONE) {
		return 0;
	}
	transfer_noticed_data(t);
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (t->on_data != NULL && status >= 200 && status < 300) {
		int rc = t->on_data(t->ctx, data, len);

		if (rc < 0 && t->error.kind == ERROR_NONE) {
			error_set(&t->error, ERROR_CANCELLED, "answer from '%s' was not read further", t->origin);
		}
	} else if (len > t->max_body - t->body.len) {
		t->too_large = true;
		error_set(&t->error, ERROR_INTERNAL, "answer from '%s' is larger than %zu bytes", t->origin,
			t->max_body);
	} else {
		strbuf_add(&t->body, data, len);
	}
	return t->error.kind == ERROR_NONE ? len : 0;
}

static int on_leaving(void *ctx, char *peer, char *own, int peer_port, int own_port)
{
	struct http_transfer *t = transfer_cast(ctx);

	(void)peer;
	(void)own;
	(void)peer_port;
	(void)own_port;
	if (t->error.kind == ERROR_NONE && !t->may_send(t->ctx)) {
		error_set(&t->error, ERROR_CANCELLED, "request to '%s' was not sent", t->origin);
	}
	return t->error.kind == ERROR_NONE ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

/* A transfer's begin and end -------------------------------------------------------------------- */

static void transfer_unlink(struct http_transfer *t)
{
	if (t->prev != NULL) {
		t->prev->next = t->next;
	} else {
		t->client->transfers = t->next;
	}
	if (t->next != NULL) {
		t->next->prev = t->prev;
	}
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct http_transfer *t = transfer_cast(handle->data);
	struct http_client *client = t->client;

	t->magic = 0;
	free(t);
	part_closed(client);
}

static void begin(struct http_transfer *t)
{
	uint64_t idle_ms = (uint64_t)t->idle_timeout_ms;

	t->running = true;
	http_multi_add(t->client->multi, t->easy);
	if (idle_ms > 0) {
		uv_timer_start(&t->idle, on_idle, idle_ms, idle_ms);
	}
}

/* Tells the user and gives everything back. Only from the loop, outside libcurl. */
static void finish(struct http_transfer *t)
{
	struct http_response response = {.retry_after_ms = -1, .content_type = "", .redirect = ""};
	char *content_type = NULL;
	char *redirect = NULL;
	long status = 0;

	t->finished = true;
	transfer_unlink(t);
	uv_timer_stop(&t->idle);
	if (t->running) {
		http_multi_remove(t->client->multi, t->easy);
	}
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &content_type);
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
	response.status = (int)status;
	response.body = t->body.buf;
	response.buffer = &t->body;
	response.body_len = t->body.len;
	response.retry_after_ms = http_easy_retry_after(t->easy);
	if (content_type != NULL) {
		response.content_type = content_type;
	}
	if (redirect != NULL) {
		response.redirect = redirect;
	}
	if (t->error.kind != ERROR_NONE) {
		t->error.http = response.status;
		t->error.retry_after_ms = response.retry_after_ms;
		response.error = &t->error;
		response.tls_failed = t->tls_failed;
		response.too_large = t->too_large;
	}
	t->done(t->ctx, &response);

	http_easy_release(t);
	strbuf_release(&t->body);
	error_release(&t->error);
	uv_close((uv_handle_t *)&t->idle, on_idle_closed);
}

/* libcurl is done with it. */
static void on_ended(void *ctx, CURL *easy, CURLcode code)
{
	struct http_client *client = client_cast(ctx);
	struct http_transfer *t;
	char *private = NULL;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
	t = transfer_cast(private);
	http_easy_check(t, code);
	/* One given up meanwhile is still in the queue, and ends from there. */
	if (!t->pending) {
		finish(t);
	}
	if (client->closing) {
		uv_timer_start(&client->wake, on_pending, 0, 0);
	}
}

static void on_wake_closed(uv_handle_t *handle)
{
	part_closed(client_cast(handle->data));
}

static void on_multi_closed(void *ctx)
{
	part_closed(client_cast(ctx));
}

/* Starts what is new and ends what was given up; gives everything back when that was the last. */
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
			finish(t);
		} else {
			begin(t);
		}
	}
	if (client->closing && client->transfers == NULL && !client->torn_down) {
		client->torn_down = true;
		http_multi_close(client->multi, on_multi_closed, client);
		uv_close((uv_handle_t *)&client->wake, on_wake_closed);
	}
}

struct http_transfer *http_client_start(struct http_client *client, const struct http_request *request)
{
	struct http_transfer *t = xcalloc(1, sizeof(*t));

	assert(request->done != NULL && request->url != NULL && request->method != NULL);
	assert(!client->torn_down);
	*t = (struct http_transfer){
		.magic = TRANSFER_MAGIC,
		.client = client,
		.may_send = request->may_send,
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
	if (t->next != NULL) {
		t->next->prev = t;
	}
	client->transfers = t;
	init_timer(client, &t->idle, t);
	if (http_easy_setup(t, request) == 0) {
		curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, on_header);
		curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
		curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
		curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
		if (t->may_send != NULL) {
			curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_leaving);
			curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
		}
	}
	if (request->refused != NULL) {
		error_set(&t->error, ERROR_INVALID, "%s", request->refused);
	}
	enqueue(t);
	if (client->closing) {
		http_transfer_cancel(t);
	}
	return t;
}

void http_transfer_cancel(struct http_transfer *t)
{
	if (transfer_cast(t)->finished) {
		return;
	}
	if (t->error.kind == ERROR_NONE) {
		error_set(&t->error, ERROR_CANCELLED, "request to '%s' was cancelled", t->origin);
	}
	enqueue(t);
}

/* The client's begin and end -------------------------------------------------------------------- */

struct http_client *http_client_new(uv_loop_t *loop)
{
	struct http_client *client = xcalloc(1, sizeof(*client));

	/* A write to a connection the peer has reset is an error here, not a signal. */
	signal(SIGPIPE, SIG_IGN);
	client->magic = CLIENT_MAGIC;
	client->loop = loop;
	client->pending_end = &client->pending;
	client->multi = http_multi_new(loop, on_ended, client);
	client->open++;
	init_timer(client, &client->wake, client);
	return client;
}

void http_client_look_first(struct http_client *client, void (*look)(void *ctx), void *ctx)
{
	http_multi_look_first(client->multi, look, ctx);
}

void http_client_hold(struct http_client *client, bool hold)
{
	client->holds += hold ? 1U : -1U;
	http_multi_hold(client->multi, client->holds > 0);
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
