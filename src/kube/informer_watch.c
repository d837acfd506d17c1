/* An informer's watch: one event a line, until it ends or breaks. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_cut.h"
#include "base/log.h"
#include "base/memory.h"
#include "informer_parts.h"

static void keep_resource_version(struct kube_informer *informer, const json_t *object)
{
	const char *resource_version = kube_object_resource_version(object);

	if (resource_version[0] == '\0' || strcmp(resource_version, informer->resource_version) == 0) {
		return;
	}
	free(informer->resource_version);
	informer->resource_version = xstrdup(resource_version);
	informer->reported = true;
}

static const struct event {
	const char *type;
	/* NULL = only the resourceVersion counts, and the object has no name. */
	void (*take)(struct kube_informer *informer, json_t *object);
	/* While a streaming list comes in: its objects' resourceVersions are in no order and say
	 * nothing of how far we are (kube-rs#1882). */
	void (*arrive)(struct kube_informer *informer, json_t *object);
} events[] = {
	{"ADDED", informer_take, informer_stream_put},
	{"MODIFIED", informer_take, informer_stream_put},
	{"DELETED", informer_drop, informer_stream_remove},
	{"BOOKMARK", NULL, informer_stream_bookmark},
};

static const struct event *find_event(const char *type, const json_t *object)
{
	for (size_t i = 0; i < ARRAY_LEN(events); i++) {
		if (strcmp(events[i].type, type) == 0 && json_is_object(object) &&
			(events[i].take == NULL || kube_object_name(object)[0] != '\0')) {
			return &events[i];
		}
	}
	return NULL;
}

/* Perhaps a change. A watch goes on, and is followed by a list to compare with; a streaming list that
 * lacks an object is none. */
static int lose_event(struct kube_informer *informer, const char *type, const struct error *why)
{
	if (informer->arriving != NULL) {
		return error_set(&informer->event_error, ERROR_INTERNAL, "cannot %s: an event cannot be read",
			informer->words_watch);
	}
	if (!informer->lost_event) {
		log_event(LOG_WARN, "watch event cannot be read, listing again after this watch", "kind",
			informer->resource->kind, "type", type, "error", why->message, NULL);
	}
	informer->lost_event = true;
	return 0;
}

static int on_line(void *ctx, const char *line, size_t len)
{
	struct kube_informer *informer = ctx;
	auto_error why = ERROR_INIT;
	auto_json *message = json_parse_read(line, len, informer->hooks.form.unread, &why);
	const char *type = json_path_string(message, "type", "");
	json_t *object = json_object_get(message, "object");
	const struct event *event = find_event(type, object);

	informer_progress(informer);
	if (strcmp(type, "ERROR") == 0) {
		return kube_status_error(&informer->event_error, informer->words_watch,
			(int)json_path_int(object, "code", 0), object, NULL);
	}
	informer->failures = 0;
	if (event == NULL) {
		return lose_event(informer, type, &why);
	}
	if (informer->arriving != NULL) {
		event->arrive(informer, object);
		return informer->closing ? -1 : 0;
	}
	keep_resource_version(informer, object);
	if (event->take != NULL) {
		event->take(informer, object);
	}
	if (informer->error.kind != ERROR_NONE) {
		informer_set_state(informer, informer->synced, informer->missing, NULL);
	}
	return informer->closing ? -1 : 0;
}

static void on_watch_done(void *ctx, json_t *result, const struct error *err)
{
	struct kube_informer *informer = ctx;
	auto_error event_error = ERROR_INIT;

	(void)result;
	informer->call = NULL;
	error_move(&event_error, &informer->event_error);
	if (event_error.kind != ERROR_NONE) {
		informer->done(informer, &event_error, true);
	} else {
		informer->done(informer, err, false);
	}
}

static int random_timeout_s(const struct informer_timing *timing)
{
	uint32_t random = 0;

	/* Only spreads the reconnects of many clients: without randomness they just come together.
	 */
	uv_random(NULL, NULL, &random, sizeof(random), 0, NULL);
	return timing->min_timeout_s + (int)(random % (uint32_t)(timing->min_timeout_s + 1));
}

static void start(struct kube_informer *informer, const char *query, const char *from)
{
	auto_strbuf path = STRBUF_INIT;
	int timeout_s = random_timeout_s(&informer->timing);

	strbuf_addf(&path, "%s?watch=true&allowWatchBookmarks=true&timeoutSeconds=%d%s", informer->path, timeout_s,
		query);
	if (from != NULL) {
		strbuf_add_query(&path, "resourceVersion", from);
	}
	if (informer->field_selector != NULL) {
		strbuf_add_query(&path, "fieldSelector", informer->field_selector);
	}
	informer->reported = false;
	informer->watch_start_ms = clock_monotonic_ms();
	informer->call = kube_call_start(informer->client,
		&(struct kube_call_spec){
			.method = "GET",
			.path = path.buf,
			.what = informer->words_watch,
			.on_line = on_line,
			.idle_timeout_ms = timeout_s * INT64_C(1000) + informer->timing.margin_ms,
			.done = on_watch_done,
			.ctx = informer,
		});
}

void informer_watch_start(struct kube_informer *informer, informer_done_fn *done)
{
	informer->done = done;
	start(informer, "", informer->resource_version);
}

void informer_watch_start_streaming(struct kube_informer *informer, informer_done_fn *done)
{
	informer->done = done;
	informer_stream_begin(informer);
	/* Without a resourceVersion: from a consistent read, as the list in pages. */
	start(informer, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan", NULL);
}
