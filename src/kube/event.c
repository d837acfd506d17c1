/* Recording Events: one of each within its window, as many as an object's budget allows. */
#include "kube/event.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/keep.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"
#include "event_budget.h"
#include "timing.h"

#define NOTE_MAX 1024 /* bytes: the API server refuses a longer one */
/* At once, so that many that are news in one moment leave the connection to what they tell of; the rest wait in line,
 * as text of at most 2 KiB each. */
#define CALLS_MAX 8
#define WAITING_MAX 4096

static const struct kube_resource event_resource = {"events.k8s.io", "v1", "events", "Event", true};

/* One Event and how often it was told. At rest it has no text: it is kept only to count what repeats. */
struct series {
	struct kube_recorder *recorder;
	char *key;
	char *ns;
	char *name;
	char *text; /* the whole Event, while it waits or a call is under way; it has no series */
	int64_t count;
	int64_t last_ms;      /* monotonic, for the window */
	int64_t last_wall_ms; /* for lastObservedTime */
	bool created;         /* the API server has it */
	bool owed;            /* to be written, or written once more */
	bool waiting;         /* in the recorder's line */
	struct series *next;  /* in that line */
	struct kube_call *call;
};

struct kube_recorder {
	struct kube_client *client;
	char *controller;
	char *instance;
	struct recorder_timing timing;
	struct map series;  /* key → struct series */
	struct map budgets; /* see event_budget.h */
	struct series *first;
	struct series *last;
	size_t waiting;
	size_t calls;
	uint64_t names; /* Events named so far */
	bool failing;
	bool closing;
	uv_timer_t timer; /* sweeps while there is something to sweep; its end is the recorder's */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void series_free(void *value)
{
	struct series *series = value;

	free_indirect(&series->text);
	keep_text_free(series->ns);
	keep_text_free(series->name);
	keep_text_free(series->key);
	keep_free(series, sizeof(*series));
}

struct kube_recorder *kube_recorder_new(struct kube_client *client, const char *controller, const char *instance)
{
	struct kube_recorder *r = xcalloc(1, sizeof(*r));

	*r = (struct kube_recorder){.client = client,
		.controller = xstrdup(controller),
		.instance = xstrndup(instance, 128),
		.timing = {.series_ms = 6 * 60 * 1000, .refill_ms = 300 * 1000, .sweep_ms = 60 * 1000}};
	map_init(&r->series, series_free);
	budgets_init(&r->budgets);
	uv_timer_init(kube_client_loop(client), &r->timer);
	r->timer.data = r;
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

static void sweep_series(struct kube_recorder *r, int64_t now)
{
	const char *key;
	void *value;
	size_t pos = 0;

	while (map_next(&r->series, &pos, &key, &value)) {
		const struct series *series = value;

		if (series->call == NULL && !series->waiting && now - series->last_ms > r->timing.series_ms) {
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

static void finish_close(struct kube_recorder *r)
{
	if (r->calls > 0) {
		return;
	}
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

static void log_outcome(struct kube_recorder *r, const struct error *err)
{
	if (err != NULL && !r->failing) {
		log_event(LOG_WARN, "cannot write Events", "error", err->message, NULL);
	}
	r->failing = err != NULL;
}

static void on_written(void *ctx, json_t *result, const struct error *err);

static void create(struct series *series)
{
	auto_json *object = json_parse(series->text, strlen(series->text), NULL);

	series->call = kube_create(series->recorder->client, &event_resource, object, NULL, on_written, series);
}

static void count(struct series *series)
{
	auto_free char *last = clock_rfc3339_micro(series->last_wall_ms);
	auto_json *patch =
		json_pack("{s:{s:I, s:s}}", "series", "count", (json_int_t)series->count, "lastObservedTime", last);

	series->call = kube_merge_patch(series->recorder->client, &event_resource, series->ns, series->name, patch,
		NULL, on_written, series);
}

static void begin_next(struct kube_recorder *r)
{
	while (r->first != NULL && r->calls < CALLS_MAX) {
		struct series *series = r->first;

		r->first = series->next;
		r->waiting--;
		series->waiting = false;
		series->owed = false;
		r->calls++;
		if (series->created) {
			count(series);
		} else {
			create(series);
		}
	}
}

/* Has it written, in its turn. */
static void wait_in_line(struct series *series)
{
	struct kube_recorder *r = series->recorder;

	series->owed = true;
	if (series->call != NULL || series->waiting) {
		return;
	}
	series->waiting = true;
	series->next = NULL;
	if (r->first == NULL) {
		r->first = series;
	} else {
		r->last->next = series;
	}
	r->last = series;
	r->waiting++;
	begin_next(r);
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

static const char *namespace_of(const json_t *regarding)
{
	const char *ns = kube_object_namespace(regarding);

	return ns[0] != '\0' ? ns : "default";
}

/* The whole Event as text; heap, caller owns. */
static char *make(const struct series *series, const json_t *regarding, const struct kube_event *event)
{
	const struct kube_recorder *r = series->recorder;
	auto_free char *api_version = kube_api_version(&event_resource);
	auto_free char *time = clock_rfc3339_micro(series->last_wall_ms);
	auto_free char *note = text_fit(event->note, NOTE_MAX);
	const char *ns = kube_object_namespace(regarding);
	auto_json *object =
		json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s*, s:s, s:s}}",
			"apiVersion", api_version, "kind", event_resource.kind, "metadata", "name", series->name,
			"namespace", series->ns, "eventTime", time, "reportingController", r->controller,
			"reportingInstance", r->instance, "type", event->warning ? "Warning" : "Normal", "reason",
			event->reason, "action", event->action, "note", note, "regarding", "apiVersion",
			json_path_string(regarding, "apiVersion", ""), "kind", json_path_string(regarding, "kind", ""),
			"namespace", ns[0] != '\0' ? ns : NULL, "name", kube_object_name(regarding), "uid",
			kube_object_uid(regarding));

	return json_text(object);
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

	if (series != NULL &&
		(series->call != NULL || series->waiting || now - series->last_ms <= r->timing.series_ms)) {
		return series;
	}
	name = make_name(r, regarding);
	series = keep_new(sizeof(*series));
	*series = (struct series){.recorder = r,
		.key = keep_text(key),
		.ns = keep_text(namespace_of(regarding)),
		.name = keep_text(name)};
	map_put(&r->series, key, series);
	return series;
}

void kube_recorder_report(struct kube_recorder *r, const json_t *regarding, const struct kube_event *event)
{
	int64_t now = clock_monotonic_ms();
	auto_free char *subject =
		xasprintf("%s %s", kube_object_uid(regarding), json_path_string(regarding, "kind", ""));
	auto_free char *key = xasprintf("%s\n%s\n%s\n%s", subject, event->reason, event->action, event->note);
	auto_free char *digest = text_hash(key);
	bool allowed = budgets_spend(&r->budgets, subject, now, r->timing.refill_ms) && r->waiting < WAITING_MAX;
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
	series->count++;
	series->last_ms = now;
	series->last_wall_ms = clock_wall_ms();
	if (allowed) {
		if (series->text == NULL) {
			series->text = make(series, regarding, event);
		}
		wait_in_line(series);
	}
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
