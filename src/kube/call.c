/* One request to the API server, from its first sending over its retries to its done callback. */
#include "call_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/json_cut.h"
#include "base/memory.h"
#include "sources.h"

#ifndef INFERENCE_AUTOSCALER_VERSION
#define INFERENCE_AUTOSCALER_VERSION "dev"
#endif

#define TIMEOUT_MS (30 * 1000)
#define MAX_RETRIES 10
/* How long one call waits in all, by Retry-After: an API server that sheds load asks for 1 to 8 s. What takes longer is
 * the caller's to wait for, who holds a place that others need. */
#define MAX_WAIT_MS INT64_C(10000)

static void call_send(struct kube_call *call);

static void on_timer_closed(uv_handle_t *handle)
{
	struct kube_call *call = handle->data;

	free(call->url);
	free(call->content_type);
	free(call->what);
	free(call->body);
	error_release(&call->err);
	error_release(&call->end);
	call_lines_release(&call->lines);
	call_items_release(&call->items);
	free(call);
}

static void call_finish(struct kube_call *call, json_t *result, const struct error *err)
{
	call_stream_hold(call, false);
	call->done(call->ctx, err != NULL ? NULL : result, err);
	uv_close((uv_handle_t *)&call->timer, on_timer_closed);
}

static void call_fail(struct kube_call *call)
{
	call_finish(call, NULL, &call->err);
}

static void on_timer(uv_timer_t *timer)
{
	struct kube_call *call = timer->data;

	if (call->cancelled) {
		error_set(&call->err, ERROR_CANCELLED, "cannot %s: cancelled", call->what);
	}
	if (call->err.kind != ERROR_NONE) {
		call_fail(call);
	} else {
		call_send(call);
	}
}

static bool retry_later(struct kube_call *call, const struct http_response *response)
{
	if ((call->on_line != NULL && !call->is_list) || call->cancelled || response->error != NULL ||
		call->retry_after_ms < 0 || (response->status != 429 && response->status < 500) ||
		call->retries >= MAX_RETRIES || call->retry_after_ms > MAX_WAIT_MS - call->waited_ms) {
		return false;
	}
	call->retries++;
	call->waited_ms += call->retry_after_ms;
	uv_timer_start(&call->timer, on_timer, (uint64_t)call->retry_after_ms, 0);
	return true;
}

/* A body that was cut short does not make the status unsaid: after a 401 the API server closes
 * the connection, often before its answer is through. */
static bool is_refusal(const struct http_response *response)
{
	if (response->error != NULL) {
		return response->error->kind == ERROR_UNAVAILABLE && response->status >= 400;
	}
	return response->status < 200 || response->status > 299;
}

static void finish_refused(struct kube_call *call, const struct http_response *response)
{
	auto_json *status = NULL;

	if (strstr(response->content_type, "json") != NULL) {
		status = json_parse(response->body, response->body_len, NULL);
	}
	kube_status_error(&call->err, call->what, response->status, status,
		status != NULL || response->error != NULL ? NULL : response->body);
	if (call->retry_after_ms >= 0) {
		call->err.retry_after_ms = call->retry_after_ms;
	}
	if (response->status == 401) {
		kube_config_refused(call->client->config, call->generation);
	}
	if (call->missing_ok && call->err.kind == ERROR_NOT_FOUND) {
		auto_json *nothing = json_object();

		call_finish(call, nothing, NULL);
		return;
	}
	call_fail(call);
}

/* NULL when it cannot be read; `why` says so. New reference. */
static json_t *read_result(struct kube_call *call, const struct http_response *response, struct error *why)
{
	if (call->is_list) {
		return json_parse(call->items.rest.buf, call->items.rest.len, why);
	}
	if (call->on_line != NULL) {
		return json_null();
	}
	if (call->on_text != NULL) {
		size_t len = response->body_len;

		call->on_text(call->ctx, strbuf_take(response->buffer), len);
		return json_null();
	}
	return json_parse_read(response->body, response->body_len, call->unread, why);
}

static void finish_answered(struct kube_call *call, const struct http_response *response)
{
	auto_error why = ERROR_INIT;
	auto_json *result = read_result(call, response, &why);

	if (result == NULL) {
		error_set(&call->err, ERROR_INTERNAL, "cannot %s: the answer is not JSON: %s", call->what, why.message);
		call_fail(call);
	} else {
		call_finish(call, result, NULL);
	}
}

static void conclude(struct kube_call *call, const struct http_response *response)
{
	call->retry_after_ms = kube_retry_after(call->what, response->retry_after_ms);
	if (retry_later(call, response)) {
		return;
	}
	if (call->cancelled) {
		error_set(&call->err, ERROR_CANCELLED, "cannot %s: cancelled", call->what);
	}
	if (call->err.kind != ERROR_NONE) {
		call_fail(call);
	} else if (is_refusal(response)) {
		finish_refused(call, response);
	} else if (response->error != NULL) {
		if (response->status == 0) {
			kube_config_not_reached(call->client->config);
		}
		error_copy(&call->err, response->error);
		call->err.retry_after_ms = call->retry_after_ms;
		error_wrap(&call->err, "cannot %s", call->what);
		call_fail(call);
	} else {
		finish_answered(call, response);
	}
}

static void on_response(void *ctx, const struct http_response *response)
{
	struct kube_call *call = ctx;

	call->transfer = NULL;
	if (!call_stream_ended(call, response)) {
		return;
	}
	conclude(call, response);
}

static bool is_guarded(const struct kube_call *call)
{
	return call->client->may_write != NULL && strcmp(call->method, "GET") != 0;
}

static bool may_send(void *ctx)
{
	struct kube_call *call = ctx;

	if (call->client->may_write(call->client->guard_ctx)) {
		return true;
	}
	error_set(&call->err, ERROR_CANCELLED, "cannot %s: this replica does not hold the Lease", call->what);
	return false;
}

static void transmit(struct kube_call *call)
{
	struct kube_config *config = call->client->config;
	auto_free char *authorization = NULL;
	auto_free char *content_type = NULL;
	struct http_tls tls;
	const char *headers[5] = {
		"Accept: application/json",
		"User-Agent: inference-autoscaler/" INFERENCE_AUTOSCALER_VERSION,
	};
	size_t count = 2;

	call->generation = kube_config_generation(config);
	if (kube_config_authorization(config, &authorization, &call->err) < 0) {
		error_wrap(&call->err, "cannot %s", call->what);
		uv_timer_start(&call->timer, on_timer, 0, 0);
		return;
	}
	if (authorization != NULL) {
		headers[count++] = authorization;
	}
	if (call->body != NULL) {
		content_type = xasprintf("Content-Type: %s", call->content_type);
		headers[count++] = content_type;
	}
	kube_config_tls(config, &tls);
	call->transfer = http_client_start(call_http(call),
		&(struct http_request){
			.method = call->method,
			.url = call->url,
			.headers = headers,
			.body = call->body,
			.body_len = call->body != NULL ? strlen(call->body) : 0,
			.tls = &tls,
			.proxy = kube_config_proxy(config),
			.timeout_ms = call->on_line != NULL ? 0 : TIMEOUT_MS,
			.idle_timeout_ms = call->on_line != NULL ? call->idle_timeout_ms : 0,
			.max_body = call->max_body,
			.may_send = is_guarded(call) ? may_send : NULL,
			.on_data = call->on_line != NULL ? call_stream_data : NULL,
			.done = on_response,
			.ctx = call,
		});
}

static void on_login(void *ctx, const struct error *err)
{
	struct kube_call *call = ctx;

	if (err == NULL) {
		transmit(call);
		return;
	}
	error_copy(&call->err, err);
	error_wrap(&call->err, "cannot %s", call->what);
	call_fail(call);
}

static void call_send(struct kube_call *call)
{
	if (!kube_config_login(call->client->config, call->client->loop, &call->login)) {
		transmit(call);
	}
}

struct kube_call *kube_call_start(struct kube_client *client, const struct kube_call_spec *spec)
{
	struct kube_call *call = xcalloc(1, sizeof(*call));

	*call = (struct kube_call){
		.client = client,
		.login = {.ready = on_login, .ctx = call},
		.method = spec->method,
		.url = xasprintf("%s%s", kube_config_server(client->config), spec->path),
		.content_type = xstrdup(spec->content_type != NULL ? spec->content_type : "application/json"),
		.what = xstrdup(spec->what),
		.body = spec->body != NULL ? json_text(spec->body) : NULL,
		.max_body = spec->max_body,
		.unread = spec->unread,
		.missing_ok = spec->missing_ok,
		.err = ERROR_INIT,
		.conclude = conclude,
		.on_line = spec->on_line,
		.on_text = spec->on_text,
		.idle_timeout_ms = spec->idle_timeout_ms,
		.lines = CALL_LINES_INIT,
		.items = CALL_ITEMS_INIT,
		.is_list = spec->is_list,
		.end = ERROR_INIT,
		.done = spec->done,
		.ctx = spec->ctx,
	};
	uv_timer_init(client->loop, &call->timer);
	call->timer.data = call;
	call_send(call);
	return call;
}

void kube_call_cancel(struct kube_call *call)
{
	call->cancelled = true;
	if (call->in_data) {
		return;
	}
	if (call->transfer != NULL) {
		http_transfer_cancel(call->transfer);
		return;
	}
	exec_waiter_leave(&call->login);
	uv_timer_start(&call->timer, on_timer, 0, 0);
}
