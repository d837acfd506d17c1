/* All requests, and those of them that wait. */
#include "serving/metrics_api.h"

#include <string.h>

#include "answering.h"
#include "base/clock.h"
#include "base/memory.h"
#include "discovery.h"

/* What has come within it is answered; the API server would wait longer, but the HPA has five workers. */
#define DEADLINE_MS 1000
/* Requests that wait; one more is refused. Each costs some hundred bytes and its pods. */
#define WAITING_MAX 1024

struct metrics_api {
	struct metrics_api_hooks hooks;
	struct measures measures;
	struct answering_context context;
	struct list waiting; /* in the order of their deadlines */
	uv_timer_t deadline;
	int open;
	void (*closed)(void *ctx);
	void *ctx;
};

static struct answering *first_waiting(struct metrics_api *api)
{
	return api->waiting.first != NULL ? container_of(api->waiting.first, struct answering, place) : NULL;
}

static void on_deadline(uv_timer_t *timer);

static void await_first(struct metrics_api *api)
{
	const struct answering *first = first_waiting(api);

	if (first != NULL) {
		int64_t left_ms = first->begun_ms + DEADLINE_MS - clock_monotonic_ms();

		uv_update_time(api->deadline.loop);
		uv_timer_start(&api->deadline, on_deadline, left_ms > 0 ? (uint64_t)left_ms : 0, 0);
	}
}

static void on_deadline(uv_timer_t *timer)
{
	struct metrics_api *api = timer->data;
	struct answering *first;

	while ((first = first_waiting(api)) != NULL && clock_monotonic_ms() - first->begun_ms >= DEADLINE_MS) {
		answering_end(first);
	}
	await_first(api);
}

struct metrics_api *metrics_api_new(uv_loop_t *loop, struct http_client *http, const struct pods *pods,
	const struct metrics_api_hooks *hooks)
{
	struct metrics_api *api = xcalloc(1, sizeof(*api));

	api->hooks = *hooks;
	api->context = (struct answering_context){.hooks = &api->hooks,
		.pods = pods,
		.reader = reader_new(loop, http, hooks->settings->local),
		.measures = &api->measures,
		.forward = forward_new(loop, http, &api->hooks, &api->measures)};
	uv_timer_init(loop, &api->deadline);
	api->deadline.data = api;
	return api;
}

static void on_part_closed(struct metrics_api *api)
{
	if (--api->open == 0) {
		void (*closed)(void *ctx) = api->closed;
		void *ctx = api->ctx;

		free_indirect(&api);
		closed(ctx);
	}
}

static void on_part_ended(void *ctx)
{
	on_part_closed(ctx);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

void metrics_api_close(struct metrics_api *api, void (*closed)(void *ctx), void *ctx)
{
	auto_error err = ERROR_INIT;
	struct answering *first;

	error_set(&err, ERROR_UNAVAILABLE, "the operator is stopping");
	while ((first = first_waiting(api)) != NULL) {
		answering_refuse(first, &err);
	}
	api->closed = closed;
	api->ctx = ctx;
	api->open = 3;
	forward_close(api->context.forward, on_part_ended, api);
	reader_close(api->context.reader, on_part_ended, api);
	uv_close((uv_handle_t *)&api->deadline, on_timer_closed);
}

static void answer_metric(struct metrics_api *api, struct metrics_request *request, struct metrics_asker *asker)
{
	struct answering *answering;

	if (api->context.count == WAITING_MAX) {
		auto_error err = ERROR_INIT;

		error_set(&err, ERROR_UNAVAILABLE, "%d requests are being answered already: try again", WAITING_MAX);
		answering_reply_failure(&api->context, asker, &err);
		return;
	}
	answering = answering_begin(&api->context, request, asker);

	if (answering != NULL) {
		list_append(&api->waiting, &answering->place);
		if (first_waiting(api) == answering) {
			await_first(api);
		}
	}
}

static char *document_of(const struct metrics_request *request)
{
	switch (request->kind) {
	case REQUEST_DISCOVERY:
		return discovery_list(request->version);
	case REQUEST_OPENAPI_V2:
		return discovery_openapi_v2();
	case REQUEST_OPENAPI_V3:
		return discovery_openapi_v3();
	case REQUEST_PODS_METRIC:
	case REQUEST_OBJECT_METRIC:
		break;
	}
	return NULL;
}

void metrics_api_ask(struct metrics_api *api, struct metrics_asker *asker)
{
	auto_metrics_request request = {.kind = REQUEST_DISCOVERY};
	auto_error err = ERROR_INIT;
	auto_free char *document = NULL;

	if (metrics_request_parse(asker->target, &request, &err) < 0) {
		answering_reply_failure(&api->context, asker, &err);
		return;
	}
	document = document_of(&request);
	if (request.kind == REQUEST_DISCOVERY && forward_list(api->context.forward, asker, document)) {
		return;
	}
	if (document != NULL) {
		answering_reply(&api->context, asker, 200, document);
	} else {
		answer_metric(api, &request, asker);
	}
}

void metrics_api_report(const struct metrics_api *api, struct strbuf *page)
{
	measures_report(&api->measures, api->context.reader, page);
}
