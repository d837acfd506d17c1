/* Recording Events: one of each within its window, as many as an object's budget allows. */
#include "kube/event.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "event_budget.h"
#include "event_object.h"
#include "event_series.h"
#include "timing.h"

/* At once, so that many that are news in one moment leave the connection to what they tell of; the rest wait in line,
 * as text of at most 2 KiB each. */
#define CALLS_MAX 8
#define WAITING_MAX 4096

struct kube_recorder {
	struct kube_client *client;
	char *controller;
	char *instance;
	struct recorder_timing timing;
	struct map series;  /* key → struct series */
	struct map budgets; /* see event_budget.h */
	struct line warnings;
	struct line news;    /* what is no Warning: it waits while others are busy */
	uint64_t calm_ms;    /* loop time: nobody is busy from then on */
	uv_timer_t news_due; /* for the first of the news */
	uint64_t dropped;
	size_t calls;
	uint64_t names; /* Events named so far */
	bool failing;
	bool closing;
	uv_timer_t timer; /* sweeps while there is something to sweep; its end is the recorder's */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

struct kube_recorder *kube_recorder_new(struct kube_client *client, const char *controller, const char *instance)
{
	struct kube_recorder *r = xcalloc(1, sizeof(*r));

	*r = (struct kube_recorder){.client = client,
		.controller = xstrdup(controller),
		.instance = xstrndup(instance, 128),
		.timing = {.series_ms = 6 * 60 * 1000,
			.news_ms = 60 * 1000,
			.refill_ms = 300 * 1000,
			.sweep_ms = 60 * 1000,
			.calm_ms = 1000,
			.hold_ms = 30 * 1000}};
	map_init(&r->series, series_free);
	budgets_init(&r->budgets);
	uv_timer_init(kube_client_loop(client), &r->timer);
	r->timer.data = r;
	uv_timer_init(kube_client_loop(client), &r->news_due);
	r->news_due.data = r;
	return r;
}

void recorder_set_timing(struct kube_recorder *r, const struct recorder_timing *timing)
{
	r->timing = *timing;
}

size_t recorder_kept(const struct kube_recorder *r)
{
	return map_count(&r->series) + map_count(&r->budgets);
}

/* Forgetting. */

/* Whether it counts no more: the next one like it is another Event. */
static bool is_over(const struct series *series, int64_t now)
{
	const struct recorder_timing *timing = &series->recorder->timing;

	return series->call == NULL && !series->waiting &&
	       now - series->last_ms > (series->warning ? timing->series_ms : timing->news_ms);
}

static void sweep_series(struct kube_recorder *r, int64_t now)
{
	const char *key;
	void *value;
	size_t pos = 0;

	while (map_next(&r->series, &pos, &key, &value)) {
		if (is_over(value, now)) {
			map_remove(&r->series, key);
		}
	}
}

/* Forgets the series that ended and the budgets that are whole again. */
static void on_sweep(uv_timer_t *timer)
{
	struct kube_recorder *r = timer->data;
	int64_t now = clock_monotonic_ms();

	sweep_series(r, now);
	budgets_sweep(&r->budgets, now, r->timing.refill_ms);
	if (map_count(&r->series) == 0 && map_count(&r->budgets) == 0) {
		uv_timer_stop(timer);
	}
}

/* Writing. */

static void on_timer_closed(uv_handle_t *handle)
{
	struct kube_recorder *r = handle->data;
	void (*closed)(void *ctx) = r->closed;
	void *ctx = r->closed_ctx;

	map_release(&r->series);
	map_release(&r->budgets);
	free_indirect(&r->controller);
	free_indirect(&r->instance);
	free_indirect(&r);
	closed(ctx);
}

static void on_news_due_closed(uv_handle_t *handle)
{
	struct kube_recorder *r = handle->data;

	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

static void finish_close(struct kube_recorder *r)
{
	if (r->calls > 0) {
		return;
	}
	uv_close((uv_handle_t *)&r->news_due, on_news_due_closed);
}

static void log_outcome(struct kube_recorder *r, const struct error *err)
{
	if (err != NULL && !r->failing) {
		log_event(LOG_WARN, "cannot write Events", "error", err->message, NULL);
	}
	r->failing = err != NULL;
}

static void on_written(void *ctx, json_t *result, const struct error *err);
static void on_news_due(uv_timer_t *timer);

static void create(struct series *series)
{
	auto_json *object = json_parse(series->text, strlen(series->text), NULL);

	series->call = kube_create(series->recorder->client, &event_resource, object, NULL, on_written, series);
}

static void count(struct series *series)
{
	auto_json *patch = event_count_patch(series->count, series->last_wall_ms);

	series->call = kube_merge_patch(series->recorder->client, &event_resource, series->ns, series->name, patch,
		NULL, on_written, series);
}

static uint64_t loop_ms(const struct kube_recorder *r)
{
	return uv_now(kube_client_loop(r->client));
}

/* When the first of the news has waited for long enough, whoever is busy. */
static uint64_t overdue_ms(const struct kube_recorder *r)
{
	return r->news.first->since_ms + (uint64_t)r->timing.hold_ms;
}

/* Those that are overdue go one by one. */
static bool news_may_go(const struct kube_recorder *r)
{
	uint64_t now = loop_ms(r);

	return r->news.first != NULL && (now >= r->calm_ms || (now >= overdue_ms(r) && r->calls == 0));
}

/* What is overdue and has to wait for a call is seen to when that call ends. */
static void wake_for_news(struct kube_recorder *r)
{
	uint64_t now = loop_ms(r);
	uint64_t due;

	if (r->news.first == NULL || r->calls >= CALLS_MAX) {
		return;
	}
	due = overdue_ms(r) < r->calm_ms ? overdue_ms(r) : r->calm_ms;
	if (due > now) {
		uv_timer_start(&r->news_due, on_news_due, due - now, 0);
	}
}

static void begin_next(struct kube_recorder *r)
{
	while (r->calls < CALLS_MAX && (r->warnings.first != NULL || news_may_go(r))) {
		struct series *series = line_take(r->warnings.first != NULL ? &r->warnings : &r->news);

		r->calls++;
		if (series->created) {
			count(series);
		} else {
			create(series);
		}
	}
	wake_for_news(r);
}

static void on_news_due(uv_timer_t *timer)
{
	begin_next(timer->data);
}

/* Has it written, in its turn. */
static void wait_in_line(struct series *series)
{
	struct kube_recorder *r = series->recorder;

	series->owed = true;
	if (series->call != NULL || series->waiting) {
		return;
	}
	series->since_ms = loop_ms(r);
	line_add(series->warning ? &r->warnings : &r->news, series);
	begin_next(r);
}

/* Whether one more may wait: the oldest of the news makes room for it. */
static bool have_room(struct kube_recorder *r)
{
	struct series *oldest;

	if (r->warnings.count + r->news.count < WAITING_MAX) {
		return true;
	}
	r->dropped++;
	oldest = line_take(&r->news);
	if (oldest == NULL) {
		return false;
	}
	if (oldest->created) {
		free_indirect(&oldest->text);
	} else {
		map_remove(&r->series, oldest->key);
	}
	return true;
}

/* What was written, or refused, is done with. */
static void settle(struct series *series, const struct error *err)
{
	struct kube_recorder *r = series->recorder;

	if (err != NULL && err->kind == ERROR_NOT_FOUND && series->created) {
		/* What the API server has no more is reported anew, as a first one. */
		series->created = false;
		series->count = 1;
		wait_in_line(series);
		return;
	}
	log_outcome(r, err);
	if (err != NULL && !series->created) {
		map_remove(&r->series, series->key);
		return;
	}
	series->created = true;
	if (series->owed) {
		wait_in_line(series);
	} else {
		free_indirect(&series->text);
	}
}

static void on_written(void *ctx, json_t *result, const struct error *err)
{
	struct series *series = ctx;
	struct kube_recorder *r = series->recorder;

	(void)result;
	series->call = NULL;
	r->calls--;
	if (r->closing) {
		finish_close(r);
		return;
	}
	settle(series, err);
	begin_next(r);
}

/* Unique among replicas and restarts, as client-go's: the name and nanoseconds. Heap, caller owns. */
static char *make_name(struct kube_recorder *r, const json_t *regarding)
{
	return xasprintf("%s.%llx", kube_object_name(regarding),
		(unsigned long long)clock_wall_ms() * 1000000U + r->names++ % 1000000U);
}

/* The series of this key, made when there is none, or when the last one is over. */
static struct series *series_of(struct kube_recorder *r, const char *key, const json_t *regarding, int64_t now)
{
	struct series *series = map_get(&r->series, key);
	auto_free char *name = NULL;

	if (series != NULL && !is_over(series, now)) {
		return series;
	}
	name = make_name(r, regarding);
	series = series_new(r, event_namespace(regarding), name);
	series->key = map_put(&r->series, key, series);
	return series;
}

void kube_recorder_report(struct kube_recorder *r, const json_t *regarding, const struct kube_event *event)
{
	int64_t now = clock_monotonic_ms();
	auto_free char *subject =
		xasprintf("%s %s", kube_object_uid(regarding), json_path_string(regarding, "kind", ""));
	auto_free char *key = xasprintf("%s\n%s\n%s\n%s", subject, event->reason, event->action, event->note);
	auto_free char *digest = text_hash(key);
	auto_free char *object = text_hash(subject);
	bool allowed = budgets_spend(&r->budgets, object, now, r->timing.refill_ms) && have_room(r);
	struct series *series;

	if (r->closing) {
		return;
	}
	if (!uv_is_active((uv_handle_t *)&r->timer)) {
		uv_timer_start(&r->timer, on_sweep, (uint64_t)r->timing.sweep_ms, (uint64_t)r->timing.sweep_ms);
	}
	if (!allowed && map_get(&r->series, digest) == NULL) {
		return;
	}
	series = series_of(r, digest, regarding, now);
	series->warning = event->warning;
	series->count++;
	series->last_ms = now;
	series->last_wall_ms = clock_wall_ms();
	if (allowed) {
		if (series->text == NULL) {
			series->text = event_text(&(struct event_origin){.controller = r->controller,
							  .instance = r->instance,
							  .ns = series->ns,
							  .name = series->name,
							  .wall_ms = series->last_wall_ms},
				regarding, event);
		}
		wait_in_line(series);
	}
}

void kube_recorder_busy(struct kube_recorder *r)
{
	r->calm_ms = loop_ms(r) + (uint64_t)r->timing.calm_ms;
}

uint64_t kube_recorder_dropped(const struct kube_recorder *r)
{
	return r->dropped;
}

void kube_recorder_close(struct kube_recorder *r, void (*closed)(void *ctx), void *ctx)
{
	size_t pos = 0;
	void *value;

	r->closing = true;
	r->closed = closed;
	r->closed_ctx = ctx;
	while (map_next(&r->series, &pos, NULL, &value)) {
		struct series *series = value;

		if (series->call != NULL) {
			kube_call_cancel(series->call);
		}
	}
	finish_close(r);
}
