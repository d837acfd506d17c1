/* Questions to Prometheus that many share. */
#include "prometheus.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "refusal.h"

#define REQUEST_TIMEOUT_MS 5000
#define BODY_MAX (16u * 1024 * 1024)
#define BROKEN_AGE_MS 2000
#define HANDLES 2

struct waiter {
	prometheus_done_fn *done;
	void *ctx;
	struct waiter *next;
};

struct question {
	struct prometheus *prometheus;
	char *key; /* the whole URL */
	char *base;
	json_t *(*index_of)(const json_t *answer);
	bool steady;
	struct http_transfer *transfer; /* NULL = not under way */
	unsigned access;                /* generation that it was sent with */
	struct waiter *waiters;

	/* The last answer. */
	json_t *index;
	char *error;
	const char *cause;
	int64_t at_ms;  /* of the wall */
	int64_t got_ms; /* monotonic; 0 = none yet */

	int64_t wanted_ms;  /* monotonic, by anybody */
	int64_t healthy_ms; /* monotonic, by a healthy one; 0 = never */
	struct question *next;
};

struct prometheus {
	struct http_client *http;
	struct access *access;
	int64_t refresh_ms;
	prometheus_turned_fn *turned;
	void *turned_ctx;
	struct map by_key;
	struct question *questions;
	uv_timer_t refresh;
	uv_timer_t deliver; /* hands out answers that were there already */
	unsigned handles;
	bool closing;
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void question_free(struct question *question)
{
	json_decref(question->index);
	free_indirect(&question->key);
	free_indirect(&question->base);
	free_indirect(&question->error);
	free_indirect(&question);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct prometheus *prometheus = handle->data;
	void (*closed)(void *ctx) = prometheus->closed;
	void *ctx = prometheus->closed_ctx;

	if (--prometheus->handles > 0) {
		return;
	}
	while (prometheus->questions != NULL) {
		struct question *question = prometheus->questions;

		prometheus->questions = question->next;
		question_free(question);
	}
	map_release(&prometheus->by_key);
	free_indirect(&prometheus);
	closed(ctx);
}

static void finish_close(struct prometheus *prometheus)
{
	for (const struct question *q = prometheus->questions; q != NULL; q = q->next) {
		if (q->transfer != NULL || q->waiters != NULL) {
			return;
		}
	}
	if (prometheus->closing && !uv_is_closing((uv_handle_t *)&prometheus->deliver)) {
		uv_close((uv_handle_t *)&prometheus->deliver, on_handle_closed);
		uv_close((uv_handle_t *)&prometheus->refresh, on_handle_closed);
	}
}

static void report_answer(struct question *question)
{
	struct waiter *waiter = question->waiters;
	const struct prometheus_answer answer = {question->index, question->error, question->cause, question->at_ms};

	question->waiters = NULL;
	/* Those who are notified may ask on, also this very question: it cannot change before the loop turns. */
	while (waiter != NULL) {
		struct waiter *next = waiter->next;

		waiter->done(waiter->ctx, &answer);
		free_indirect(&waiter);
		waiter = next;
	}
}

static void question_send(struct question *question);

static void on_response(void *ctx, const struct http_response *response)
{
	struct question *question = ctx;
	struct refusal refusal;
	struct prometheus *prometheus = question->prometheus;
	auto_json *answer = NULL;
	auto_json *before = NULL;
	bool first = question->got_ms == 0;
	bool failed_before = question->error != NULL;
	bool fails;
	bool awaited = question->waiters != NULL;

	question->transfer = NULL;
	refusal = refusal_of(prometheus->access, question->base, response, &answer);
	/* A token or a CA that was replaced since is no refusal. */
	if (refusal.cause != NULL && !prometheus->closing && access_renew(prometheus->access, question->access)) {
		free_indirect(&refusal.message);
		question_send(question);
		return;
	}
	before = question->index;
	free_indirect(&question->error);
	question->error = refusal.message;
	question->cause = refusal.cause;
	fails = question->error != NULL;
	question->index = fails ? NULL : question->index_of(answer);
	question->at_ms = clock_wall_ms();
	question->got_ms = clock_monotonic_ms();
	report_answer(question);
	/* Who waited knows; but whether Prometheus answers at all, the others have to be notified as well. */
	if (!first && !prometheus->closing && prometheus->turned != NULL &&
		(failed_before != fails ||
			(question->steady && !awaited && !fails && !json_equal(before, question->index)))) {
		const struct prometheus_news news = {question->index_of, before, question->index};

		prometheus->turned(prometheus->turned_ctx, &news);
	}
	finish_close(prometheus);
}

static void question_send(struct question *question)
{
	struct http_request request = {.method = "GET",
		.url = question->key,
		.timeout_ms = REQUEST_TIMEOUT_MS,
		.connect_timeout_ms = REQUEST_TIMEOUT_MS,
		.max_body = BODY_MAX,
		.proxy = "",
		.done = on_response,
		.ctx = question};
	struct access *access = question->prometheus->access;

	access_apply(access, question->base, &request);
	question->access = access_generation(access);
	question->transfer = http_client_start(question->prometheus->http, &request);
}

static void on_deliver(uv_timer_t *timer)
{
	struct prometheus *prometheus = timer->data;

	for (struct question *q = prometheus->questions; q != NULL; q = q->next) {
		if (q->transfer == NULL && q->waiters != NULL) {
			report_answer(q);
		}
	}
	finish_close(prometheus);
}

/* Asks again what healthy ones want, and forgets what nobody wants any more. */
static void on_refresh(uv_timer_t *timer)
{
	struct prometheus *prometheus = timer->data;
	struct question **link = &prometheus->questions;
	int64_t since = clock_monotonic_ms() - PROMETHEUS_KEPT_REFRESHES * prometheus->refresh_ms;

	while (*link != NULL) {
		struct question *question = *link;

		if (question->transfer == NULL && question->waiters == NULL && question->wanted_ms < since) {
			*link = question->next;
			map_take(&prometheus->by_key, question->key);
			question_free(question);
			continue;
		}
		if (question->transfer == NULL && question->healthy_ms > since) {
			question_send(question);
		}
		link = &question->next;
	}
}

struct prometheus *prometheus_new(uv_loop_t *loop, struct http_client *http, struct access *access, int64_t refresh_ms,
	prometheus_turned_fn *turned, void *ctx)
{
	struct prometheus *prometheus = xcalloc(1, sizeof(*prometheus));

	*prometheus = (struct prometheus){.http = http,
		.access = access,
		.refresh_ms = refresh_ms,
		.handles = HANDLES,
		.turned = turned,
		.turned_ctx = ctx};
	map_init(&prometheus->by_key, NULL);
	uv_timer_init(loop, &prometheus->refresh);
	uv_timer_init(loop, &prometheus->deliver);
	prometheus->refresh.data = prometheus->deliver.data = prometheus;
	uv_timer_start(&prometheus->refresh, on_refresh, (uint64_t)refresh_ms, (uint64_t)refresh_ms);
	return prometheus;
}

static struct question *question_of(struct prometheus *prometheus, const struct prometheus_question *asked)
{
	auto_free char *key = xasprintf("%s%s", asked->base, asked->target);
	struct question *question = map_get(&prometheus->by_key, key);

	if (question == NULL) {
		question = xcalloc(1, sizeof(*question));
		*question = (struct question){.prometheus = prometheus,
			.key = xstrdup(key),
			.base = xstrdup(asked->base),
			.index_of = asked->index,
			.steady = asked->steady,
			.next = prometheus->questions};
		prometheus->questions = question;
		map_put(&prometheus->by_key, key, question);
	}
	return question;
}

void prometheus_ask(struct prometheus *prometheus, const struct prometheus_question *asked, bool healthy,
	prometheus_done_fn *done, void *ctx)
{
	struct question *question = question_of(prometheus, asked);
	struct waiter *waiter = xcalloc(1, sizeof(*waiter));
	int64_t now = clock_monotonic_ms();
	int64_t age = healthy ? prometheus->refresh_ms : BROKEN_AGE_MS;

	*waiter = (struct waiter){.done = done, .ctx = ctx, .next = question->waiters};
	question->waiters = waiter;
	question->wanted_ms = now;
	question->healthy_ms = healthy ? now : question->healthy_ms;
	if (question->transfer != NULL) {
		return;
	}
	if (!prometheus->closing && (question->got_ms == 0 || now - question->got_ms >= age)) {
		question_send(question);
		return;
	}
	if (question->got_ms == 0) {
		free_indirect(&question->error);
		question->error = xstrdup("not asked: the operator stops");
	}
	uv_timer_start(&prometheus->deliver, on_deliver, 0, 0);
}

void prometheus_close(struct prometheus *prometheus, void (*closed)(void *ctx), void *ctx)
{
	prometheus->closing = true;
	prometheus->closed = closed;
	prometheus->closed_ctx = ctx;
	uv_timer_stop(&prometheus->refresh);
	for (struct question *q = prometheus->questions; q != NULL; q = q->next) {
		if (q->transfer != NULL) {
			http_transfer_cancel(q->transfer);
		}
	}
	uv_timer_start(&prometheus->deliver, on_deliver, 0, 0);
}
