/* Recording Events: one of each within its window, as many as an object's budget allows. */
#include "kube/event.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/memory.h"
#include "base/text.h"

#define SERIES_MS (6 * 60 * 1000)
#define BURST 25
#define REFILL_MS (300 * 1000)
#define SWEEP_MS (60 * 1000)
#define NOTE_MAX 1024 /* bytes: the API server refuses a longer one */

static const struct kube_resource event_resource = {"events.k8s.io", "v1", "events", "Event", true};

/* What an object may still write. */
struct budget {
	double writes;
	int64_t at_ms;
};

/* One Event and how often it was told. */
struct series {
	struct kube_recorder *recorder;
	char *key;
	json_t *object; /* as first told, without its series */
	int64_t count;
	int64_t last_ms;      /* monotonic, for the window */
	int64_t last_wall_ms; /* for lastObservedTime */
	bool created;         /* the API server has it */
	bool owed;            /* told again while a write was under way */
	struct kube_call *call;
};

struct kube_recorder {
	struct kube_client *client;
	char *controller;
	char *instance;
	struct map series;  /* key → struct series */
	struct map budgets; /* the object's key → struct budget */
	int64_t swept_ms;
	uint64_t names; /* Events named so far */
	bool failing;
	bool closing;
	uv_timer_t step; /* into the loop, for closed() */
	void (*closed)(void *ctx);
	void *closed_ctx;
};

static void series_free(void *value)
{
	struct series *series = value;

	json_decref(series->object);
	free_indirect(&series->key);
	free_indirect(&series);
}

static void budget_free(void *value)
{
	free_indirect(&value);
}

struct kube_recorder *kube_recorder_new(struct kube_client *client, const char *controller, const char *instance)
{
	struct kube_recorder *r = xcalloc(1, sizeof(*r));

	*r = (struct kube_recorder){.client = client,
		.controller = xstrdup(controller),
		.instance = xstrndup(instance, 128)};
	map_init(&r->series, series_free);
	map_init(&r->budgets, budget_free);
	uv_timer_init(kube_client_loop(client), &r->step);
	r->step.data = r;
	return r;
}

/* Budgets. */

static void refill(struct budget *budget, int64_t now)
{
	budget->writes += (double)(now - budget->at_ms) / REFILL_MS;
	budget->writes = budget->writes > BURST ? BURST : budget->writes;
	budget->at_ms = now;
}

static bool spend(struct kube_recorder *r, const char *subject, int64_t now)
{
	struct budget *budget = map_get(&r->budgets, subject);

	if (budget == NULL) {
		budget = xcalloc(1, sizeof(*budget));
		*budget = (struct budget){.writes = BURST, .at_ms = now};
		map_put(&r->budgets, subject, budget);
	}
	refill(budget, now);
	if (budget->writes < 1) {
		return false;
	}
	budget->writes -= 1;
	return true;
}

/* Forgets the series that ended and the budgets that are whole again. */
static void sweep(struct kube_recorder *r, int64_t now)
{
	const char *key;
	void *value;
	size_t pos = 0;

	if (now - r->swept_ms < SWEEP_MS) {
		return;
	}
	r->swept_ms = now;
	while (map_next(&r->series, &pos, &key, &value)) {
		const struct series *series = value;

		if (series->call == NULL && now - series->last_ms > SERIES_MS) {
			map_remove(&r->series, key);
		}
	}
	pos = 0;
	while (map_next(&r->budgets, &pos, &key, &value)) {
		struct budget *budget = value;

		refill(budget, now);
		if (budget->writes >= BURST) {
			map_remove(&r->budgets, key);
		}
	}
}

/* Writing. */

static void on_step_closed(uv_handle_t *handle)
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
	size_t pos = 0;
	void *value;

	while (map_next(&r->series, &pos, NULL, &value)) {
		const struct series *series = value;

		if (series->call != NULL) {
			return;
		}
	}
	uv_close((uv_handle_t *)&r->step, on_step_closed);
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
	/* What the API server has no more is told anew, as a first one. */
	series->count = 1;
	series->call = kube_create(series->recorder->client, &event_resource, series->object, NULL, on_written, series);
}

static void count(struct series *series)
{
	auto_free char *last = clock_rfc3339_micro(series->last_wall_ms);
	auto_json *patch =
		json_pack("{s:{s:I, s:s}}", "series", "count", (json_int_t)series->count, "lastObservedTime", last);

	series->call =
		kube_merge_patch(series->recorder->client, &event_resource, kube_object_namespace(series->object),
			kube_object_name(series->object), patch, NULL, on_written, series);
}

static void on_written(void *ctx, json_t *result, const struct error *err)
{
	struct series *series = ctx;
	struct kube_recorder *r = series->recorder;

	(void)result;
	series->call = NULL;
	if (r->closing) {
		finish_close(r);
		return;
	}
	if (err != NULL && err->kind == ERROR_NOT_FOUND && series->created) {
		series->created = false;
		create(series);
		return;
	}
	log_outcome(r, err);
	if (err != NULL && !series->created) {
		map_remove(&r->series, series->key);
		return;
	}
	series->created = true;
	if (series->owed) {
		series->owed = false;
		count(series);
	}
}

/* The whole Event. New reference. */
static json_t *make(struct kube_recorder *r, const json_t *regarding, const struct kube_event *event, int64_t wall_ms)
{
	auto_free char *api_version = kube_api_version(&event_resource);
	auto_free char *time = clock_rfc3339_micro(wall_ms);
	auto_free char *note = text_fit(event->note, NOTE_MAX);
	const char *ns = kube_object_namespace(regarding);
	/* Unique among replicas and restarts, as client-go's: the name and nanoseconds. */
	auto_free char *name = xasprintf("%s.%llx", kube_object_name(regarding),
		(unsigned long long)wall_ms * 1000000U + r->names++ % 1000000U);

	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s*, s:s, s:s}}",
		"apiVersion", api_version, "kind", event_resource.kind, "metadata", "name", name, "namespace",
		ns[0] != '\0' ? ns : "default", "eventTime", time, "reportingController", r->controller,
		"reportingInstance", r->instance, "type", event->warning ? "Warning" : "Normal", "reason",
		event->reason, "action", event->action, "note", note, "regarding", "apiVersion",
		json_path_string(regarding, "apiVersion", ""), "kind", json_path_string(regarding, "kind", ""),
		"namespace", ns[0] != '\0' ? ns : NULL, "name", kube_object_name(regarding), "uid",
		kube_object_uid(regarding));
}

static void report_first(struct kube_recorder *r, char *key_take, const json_t *regarding,
	const struct kube_event *event, int64_t now)
{
	struct series *series = xcalloc(1, sizeof(*series));
	int64_t wall = clock_wall_ms();

	*series = (struct series){.recorder = r,
		.key = key_take,
		.object = make(r, regarding, event, wall),
		.last_ms = now,
		.last_wall_ms = wall};
	map_put(&r->series, series->key, series);
	create(series);
}

void kube_recorder_report(struct kube_recorder *r, const json_t *regarding, const struct kube_event *event)
{
	int64_t now = clock_monotonic_ms();
	auto_free char *subject =
		xasprintf("%s %s", kube_object_uid(regarding), json_path_string(regarding, "kind", ""));
	char *key = xasprintf("%s\n%s\n%s\n%s", subject, event->reason, event->action, event->note);
	struct series *series;
	bool allowed;

	sweep(r, now);
	series = map_get(&r->series, key);
	if (series != NULL && series->call == NULL && now - series->last_ms > SERIES_MS) {
		map_remove(&r->series, key);
		series = NULL;
	}
	allowed = spend(r, subject, now);
	if (series == NULL) {
		if (allowed) {
			report_first(r, key, regarding, event, now);
			return;
		}
		free_indirect(&key);
		return;
	}
	free_indirect(&key);
	series->count++;
	series->last_ms = now;
	series->last_wall_ms = clock_wall_ms();
	if (series->call != NULL) {
		series->owed = series->owed || allowed;
	} else if (allowed) {
		count(series);
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
