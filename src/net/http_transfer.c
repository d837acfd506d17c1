/* One HTTP transfer, from its start to its done callback. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "http_transfer.h"

#define MAX_BODY ((size_t)16 << 20)

struct http_transfer *http_transfer_cast(void *p)
{
	struct http_transfer *t = p;

	assert(t != NULL && t->magic == TRANSFER_MAGIC);
	return t;
}

static void on_idle_closed(uv_handle_t *handle)
{
	struct http_transfer *t = http_transfer_cast(handle->data);
	struct http_client *client = t->client;

	t->magic = 0;
	free(t);
	http_client_handle_closed(client);
}

static void on_idle(uv_timer_t *timer)
{
	struct http_transfer *t = http_transfer_cast(timer->data);

	if (t->error.kind == ERROR_NONE) {
		error_set(&t->error, ERROR_UNAVAILABLE, "no data from '%s' for %lld ms", t->origin,
			(long long)t->idle_timeout_ms);
	}
	/* Something on the way swallows the data: the next try is not to meet the same connection. */
	curl_easy_setopt(t->easy, CURLOPT_FORBID_REUSE, 1L);
	http_client_enqueue(t);
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
	transfer_noticed_data(http_transfer_cast(ctx));
	return size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *ctx)
{
	struct http_transfer *t = http_transfer_cast(ctx);
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
	struct http_transfer *t = http_transfer_cast(ctx);

	(void)peer;
	(void)own;
	(void)peer_port;
	(void)own_port;
	if (t->error.kind == ERROR_NONE && !t->may_send(t->ctx)) {
		error_set(&t->error, ERROR_CANCELLED, "request to '%s' was not sent", t->origin);
	}
	return t->error.kind == ERROR_NONE ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

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

void http_transfer_begin(struct http_transfer *t)
{
	uint64_t idle_ms = (uint64_t)t->idle_timeout_ms;

	t->running = true;
	if (curl_multi_add_handle(t->client->multi, t->easy) != CURLM_OK) {
		abort(); /* out of memory: nothing else is left to fail */
	}
	if (idle_ms > 0) {
		uv_timer_start(&t->idle, on_idle, idle_ms, idle_ms);
	}
}

void http_transfer_finish(struct http_transfer *t)
{
	struct http_response response = {.retry_after_ms = -1, .content_type = "", .redirect = ""};
	char *content_type = NULL;
	char *redirect = NULL;
	long status = 0;

	t->finished = true;
	transfer_unlink(t);
	uv_timer_stop(&t->idle);
	if (t->running) {
		curl_multi_remove_handle(t->client->multi, t->easy);
	}
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(t->easy, CURLINFO_CONTENT_TYPE, &content_type);
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &redirect);
	response.status = (int)status;
	response.body = t->body.buf;
	response.body_len = t->body.len;
	response.buffer = &t->body;
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
	http_client_init_timer(client, &t->idle, t);
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
	http_client_enqueue(t);
	if (client->closing) {
		http_transfer_cancel(t);
	}
	return t;
}

void http_transfer_cancel(struct http_transfer *t)
{
	if (http_transfer_cast(t)->finished) {
		return;
	}
	if (t->error.kind == ERROR_NONE) {
		error_set(&t->error, ERROR_CANCELLED, "request to '%s' was cancelled", t->origin);
	}
	http_client_enqueue(t);
}
