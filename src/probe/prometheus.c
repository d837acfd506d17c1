/* Questions to Prometheus that many share. */
#include "prometheus.h"

#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "question.h"
#include "refusal.h"

#define REQUEST_TIMEOUT_MS 5000
#define BROKEN_AGE_MS 2000
#define HANDLES 2
/* While a slow Prometheus answers thousands may come to wait: of them as many are told in a turn of the loop. */
#define TURN_NS INT64_C(5000000)
#define NOT_ASKED "not asked: the operator stops"

struct waiter {
	prometheus_done_fn *done;
	void *ctx;
	struct waiter *next;
};

struct question {
	struct prometheus *prometheus;
	char *key; /* the whole URL */
	char *base;
	char *part_target; /* NULL = it has no parts */
	const struct answer_type *type;
	struct http_transfer *transfer; /* NULL = nothing is awaited */
	bool reading;                   /* a body */
	unsigned access;                /* generation that it was sent with */
	bool unanswered;                /* there was no answer at all the last time */
	bool in_parts;
	unsigned part;          /* the one that is asked for */
	struct table *partly;   /* the rows of those before it */
	struct waiter *waiters; /* in order */
	struct waiter **waiters_end;

	/* The last answer. */
	struct table *table;
	char *error;
	enum cause cause;
	int64_t at_ms;  /* of the wall */
	int64_t got_ms; /* monotonic; 0 = none yet */

	int64_t wanted_ms;  /* monotonic, by anybody */
	int64_t healthy_ms; /* monotonic, by a healthy one; 0 = never */
	struct question *next;
};

struct prometheus {
	struct http_client *http;
	struct access *access;
	struct body_reader *reader;
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
	table_unref(question->table);
	table_unref(question->partly);
	free_indirect(&question->key);
	free_indirect(&question->part_target);
	free_indirect(&question->base);
	free_indirect(&question->error);
	free_indirect(&question);
}

static bool is_under_way(const struct question *question)
{
	return question->transfer != NULL || question->reading;
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
	body_reader_free(prometheus->reader);
	free_indirect(&prometheus);
	closed(ctx);
}

static void finish_close(struct prometheus *prometheus)
{
	for (const struct question *q = prometheus->questions; q != NULL; q = q->next) {
		if (is_under_way(q) || q->waiters != NULL) {
			return;
		}
	}
	if (prometheus->closing && !uv_is_closing((uv_handle_t *)&prometheus->deliver)) {
		uv_close((uv_handle_t *)&prometheus->deliver, on_handle_closed);
		uv_close((uv_handle_t *)&prometheus->refresh, on_handle_closed);
	}
}

static void on_deliver(uv_timer_t *timer);

/* To those who wait, as many as there is time for. Who is told may ask on, also this very question: that one is told
 * later, perhaps something newer. */
static void report_answer(struct question *question)
{
	const struct prometheus_answer answer = {question->table, question->error, question->cause, question->at_ms};
	struct waiter *waiter = question->waiters;
	struct waiter **end = question->waiters_end;
	int64_t start = clock_worked_ns();

	question->waiters = NULL;
	question->waiters_end = &question->waiters;
	while (waiter != NULL && clock_worked_ns() - start < TURN_NS) {
		struct waiter *next = waiter->next;

		waiter->done(waiter->ctx, &answer);
		free_indirect(&waiter);
		waiter = next;
	}
	if (waiter != NULL) {
		*end = question->waiters;
		question->waiters_end = question->waiters != NULL ? question->waiters_end : end;
		question->waiters = waiter;
		uv_timer_start(&question->prometheus->deliver, on_deliver, 1, 0);
	}
}

/* Who waited knows; but whether Prometheus answers at all, the others have to be notified as well. */
static void notify(const struct question *question, const struct table *before, bool awaited)
{
	const struct prometheus *prometheus = question->prometheus;
	const struct prometheus_news news = {question->type, before, question->table};
	bool came_or_went = (before == NULL) != (question->table == NULL);
	bool moved = question->type->steady && !awaited && !table_equal(before, question->table);

	if ((came_or_went || moved) && !prometheus->closing && prometheus->turned != NULL) {
		prometheus->turned(prometheus->turned_ctx, &news);
	}
}

/* The question has its answer: a table, or why there is none. */
static void settle(struct question *question, struct table *table_take, struct refusal refusal)
{
	struct table *before = question->table;
	bool first = question->got_ms == 0;
	bool awaited = question->waiters != NULL;

	free_indirect(&question->error);
	question->error = refusal.message;
	question->cause = refusal.cause;
	question->table = table_take;
	question->at_ms = clock_wall_ms();
	question->got_ms = clock_monotonic_ms();
	report_answer(question);
	if (!first) {
		notify(question, before, awaited);
	}
	table_unref(before);
	finish_close(question->prometheus);
}

static void question_send(struct question *question);

static void question_refuse(struct question *question, struct refusal refusal)
{
	struct prometheus *prometheus = question->prometheus;

	question->part = 0;
	table_unref(question->partly);
	question->partly = NULL;
	/* A token or a CA that was replaced since is no refusal. */
	if (refusal.cause != CAUSE_NONE && !prometheus->closing && access_renew(prometheus->access, question->access)) {
		free_indirect(&refusal.message);
		question_send(question);
		return;
	}
	settle(question, NULL, refusal);
}

static void on_read(void *ctx, const struct body_answer *answer)
{
	struct question *question = ctx;
	struct prometheus *prometheus = question->prometheus;

	question->reading = false;
	if (answer->table == NULL) {
		question_refuse(question, refusal_of_body(question->base, answer->unreadable));
		return;
	}
	if (!question->in_parts || ++question->part == QUESTION_PARTS) {
		question->part = 0;
		settle(question, table_ref(answer->table), (struct refusal){.cause = CAUSE_NONE});
	} else if (prometheus->closing) {
		question_refuse(question, (struct refusal){.message = xstrdup(NOT_ASKED)});
	} else {
		question->partly = table_ref(answer->table);
		question_send(question);
	}
}

/* A connection that breaks and a moment of much work are cured by a second try: what all share is not called away for one. */
static bool is_first_silence(struct question *question, const struct http_response *response)
{
	bool before = question->unanswered;

	question->unanswered = response->error != NULL && !response->too_large && !response->tls_failed;
	return question->unanswered && !before && !question->prometheus->closing;
}

static void on_response(void *ctx, const struct http_response *response)
{
	struct question *question = ctx;
	struct prometheus *prometheus = question->prometheus;
	struct refusal refusal;
	size_t len = response->body_len;

	question->transfer = NULL;
	if (is_first_silence(question, response)) {
		question_send(question);
		return;
	}
	if (response->too_large && response->status == 200 && !question->in_parts && question->part_target != NULL &&
		!prometheus->closing) {
		question->in_parts = true;
		question_send(question);
		return;
	}
	refusal = refusal_of(prometheus->access, question->base, response, PROMETHEUS_BODY_MAX);
	if (refusal.message != NULL) {
		question_refuse(question, refusal);
		return;
	}
	question->reading = true;
	body_read(prometheus->reader, strbuf_take(response->buffer), len, question->type, question->partly, on_read,
		question);
	question->partly = NULL;
}

static void question_send(struct question *question)
{
	auto_free char *part = question->in_parts ? question_part(question->part_target, question->part) : NULL;
	auto_free char *url = part != NULL ? xasprintf("%s%s", question->base, part) : xstrdup(question->key);
	struct http_request request = {.method = "GET",
		.url = url,
		.timeout_ms = REQUEST_TIMEOUT_MS,
		.connect_timeout_ms = REQUEST_TIMEOUT_MS,
		.max_body = PROMETHEUS_BODY_MAX,
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
		if (!is_under_way(q) && q->waiters != NULL) {
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

		if (!is_under_way(question) && question->waiters == NULL && question->wanted_ms < since) {
			*link = question->next;
			map_take(&prometheus->by_key, question->key);
			question_free(question);
			continue;
		}
		/* Those who still wait are told first. */
		if (!is_under_way(question) && question->waiters == NULL && question->healthy_ms > since) {
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
		.reader = body_reader_new(loop),
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
			.part_target = xstrdup(asked->part),
			.type = asked->type,
			.next = prometheus->questions};
		question->waiters_end = &question->waiters;
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

	*waiter = (struct waiter){.done = done, .ctx = ctx};
	*question->waiters_end = waiter;
	question->waiters_end = &waiter->next;
	question->wanted_ms = now;
	question->healthy_ms = healthy && !asked->rare ? now : question->healthy_ms;
	if (is_under_way(question)) {
		return;
	}
	if (!prometheus->closing && (question->got_ms == 0 || now - question->got_ms >= age)) {
		question_send(question);
		return;
	}
	if (question->got_ms == 0) {
		free_indirect(&question->error);
		question->error = xstrdup(NOT_ASKED);
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
