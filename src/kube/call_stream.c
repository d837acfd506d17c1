/* A call whose answer is a stream of lines: taken as they come, as many as a turn of the loop has time for. */
#include "call_parts.h"

#define MAX_LINE (16 * 1024 * 1024)
/* Lines that wait for their turn: with more, nothing is read until they are fewer. */
#define LINES_WAITING_MAX ((size_t)256 << 10)
#define LINES_PAUSE_MS 1 /* a timer of no time at all would fire before the loop goes on */

struct http_client *call_http(const struct kube_call *call)
{
	const struct kube_client *client = call->client;

	return call->on_line != NULL && client->watch_http != NULL ? client->watch_http : client->http;
}

static void on_more_lines(uv_timer_t *timer);

void call_stream_hold(struct kube_call *call, bool holds)
{
	if (call->holds != holds) {
		call->holds = holds;
		http_client_hold(call_http(call), holds);
	}
}

/* Whether the stream goes on. */
static bool take_lines(struct kube_call *call)
{
	enum lines_rest rest;

	call->in_data = true;
	rest = call_lines_take(&call->lines, uv_now(call->client->loop), call->on_line, call->ctx, &call->cancelled);
	call->in_data = false;
	call->lines_wait = rest == LINES_SOME;
	call_stream_hold(call, call->lines_wait && call_lines_waiting(&call->lines) > LINES_WAITING_MAX);
	if (call->lines_wait) {
		uv_timer_start(&call->timer, on_more_lines, LINES_PAUSE_MS, 0);
	}
	return rest != LINES_BROKEN;
}

int call_stream_data(void *ctx, const char *data, size_t len)
{
	struct kube_call *call = ctx;

	if (call->is_list) {
		call_items_add(&call->items, data, len, &call->lines);
	} else {
		call_lines_add(&call->lines, data, len);
	}
	if (call->lines_wait) {
		return 0;
	}
	if (!take_lines(call)) {
		return -1;
	}
	if (!call->lines_wait && call_lines_waiting(&call->lines) > MAX_LINE) {
		return error_set(&call->err, ERROR_INTERNAL, "cannot %s: a line is longer than %d MiB", call->what,
			MAX_LINE >> 20);
	}
	return 0;
}

bool call_stream_ended(struct kube_call *call, const struct http_response *response)
{
	if (!call->lines_wait || call->cancelled) {
		call->lines_wait = false;
		if (call->on_line != NULL) {
			uv_timer_stop(&call->timer);
		}
		return true;
	}
	call->ended = true;
	if (response->error != NULL) {
		error_copy(&call->end, response->error);
	}
	return false;
}

/* Of a stream that ended before its last lines were taken, as of one whose lines were. */
static void conclude_stream(struct kube_call *call)
{
	call->conclude(call, &(struct http_response){.status = 200,
				     .body = "",
				     .content_type = "",
				     .retry_after_ms = -1,
				     .error = call->end.kind != ERROR_NONE ? &call->end : NULL});
}

static void on_more_lines(uv_timer_t *timer)
{
	struct kube_call *call = timer->data;
	bool goes_on = !call->cancelled && take_lines(call);

	if (!goes_on && call->transfer != NULL) {
		http_transfer_cancel(call->transfer);
	} else if (!goes_on) {
		error_set(&call->end, ERROR_CANCELLED, "cancelled");
		conclude_stream(call);
	} else if (call->ended && !call->lines_wait) {
		conclude_stream(call);
	}
}
