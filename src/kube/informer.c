/* An informer's life: what follows on a list, on a stream and on a watch. */
#include "kube/informer.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "informer_parts.h"

/* So many streaming lists in a row have failed before their end: the server has none. */
#define STREAM_FAILURES 2
/* So often the server's cache is tried for the first list, before etcd is asked. */
#define FIRST_FAILURES 2

/* ---- waiting and the end ---- */

static void fill(struct kube_informer *informer);
static void start_list(struct kube_informer *informer);
static void start_watch(struct kube_informer *informer);

static void on_timer(uv_timer_t *timer)
{
	struct kube_informer *informer = timer->data;

	static void (*const starts[])(struct kube_informer *) = {
		[INFORMER_FILL] = fill,
		[INFORMER_LIST] = start_list,
		[INFORMER_WATCH] = start_watch,
	};

	starts[informer->next](informer);
}

static void wait_then(struct kube_informer *informer, enum informer_step next, int64_t delay_ms)
{
	if (informer->closing) {
		return;
	}
	informer->next = next;
	uv_timer_start(&informer->timer, on_timer, (uint64_t)delay_ms, 0);
}

static void back_off_then(struct kube_informer *informer, enum informer_step next, int64_t retry_after_ms)
{
	wait_then(informer, next, backoff_next(&informer->backoff, clock_monotonic_ms(), retry_after_ms));
}

static void on_pace_closed(uv_handle_t *handle)
{
	struct kube_informer *informer = handle->data;
	void (*closed)(void *ctx) = informer->closed;
	void *ctx = informer->closed_ctx;

	informer_reports_release(informer);
	if (informer->front != NULL) {
		informer->front->free(informer->group);
	}
	kube_cache_free(informer->cache);
	kube_cache_free(informer->arriving);
	json_items_release(&informer->page);
	error_release(&informer->error);
	error_release(&informer->event_error);
	free(informer->path);
	free(informer->field_selector);
	free(informer->words_list);
	free(informer->words_watch);
	free(informer->resource_version);
	free(informer);
	if (closed != NULL) {
		closed(ctx);
	}
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct kube_informer *informer = handle->data;

	uv_close((uv_handle_t *)&informer->pace, on_pace_closed);
}

/* After each list and each watch: true when the informer is on its way out. */
static bool ended(struct kube_informer *informer)
{
	uv_timer_stop(&informer->timer);
	if (!informer->closing) {
		return false;
	}
	uv_close((uv_handle_t *)&informer->timer, on_timer_closed);
	return true;
}

/* ---- the list: the first one as it comes, later ones in pages ---- */

static void list_failed(struct kube_informer *informer, const struct error *err)
{
	auto_error copy = ERROR_INIT;

	if (err->kind == ERROR_NOT_FOUND) {
		informer_clear(informer);
		informer_progress(informer);
		backoff_reset(&informer->backoff);
		wait_then(informer, INFORMER_LIST, informer->timing.missing_ms);
		informer_set_state(informer, true, true, NULL);
		return;
	}
	error_copy(&copy, err);
	back_off_then(informer, INFORMER_LIST, err->retry_after_ms);
	informer_set_state(informer, informer->synced, informer->missing, &copy);
}

static void on_listed(struct kube_informer *informer, const struct error *err, bool in_stream)
{
	(void)in_stream;
	if (ended(informer)) {
		return;
	}
	if (err != NULL) {
		list_failed(informer, err);
	} else {
		start_watch(informer);
	}
}

static void on_first_listed(struct kube_informer *informer, const struct error *err, bool in_stream)
{
	if (err != NULL) {
		informer->first_failures++;
		informer_forget_list(informer);
	}
	on_listed(informer, err, in_stream);
}

static void start_list(struct kube_informer *informer)
{
	if (informer->resource_version == NULL && informer->first_failures < FIRST_FAILURES) {
		informer_first_start(informer, on_first_listed);
	} else {
		informer_list_start(informer, on_listed);
	}
}

/* ---- the streaming list ---- */

/* Whether the failure is of the streaming list itself: it was refused, or was not what a server with streaming lists
 * sends. */
static bool is_of_stream(const struct error *err, bool in_stream)
{
	return err == NULL || err->kind == ERROR_INVALID || err->kind == ERROR_CANCELLED ||
	       (in_stream && err->kind != ERROR_EXPIRED);
}

/* From one stream alone it cannot be told whether the next one fails too. A server that is stopped ends its streams in
 * order, and so does one that never tells the end of the list; one whose etcd cannot tell its progress says 500 in the
 * stream, and so may any. A refusal of the request, by a server that has streams switched off (422), is for good. */
static bool is_for_good(const struct kube_informer *informer, const struct error *err)
{
	return informer->stream_failures >= STREAM_FAILURES || (err != NULL && err->kind == ERROR_INVALID);
}

static void stream_failed(struct kube_informer *informer, const struct error *err, bool in_stream)
{
	informer_forget_list(informer);
	if (is_of_stream(err, in_stream)) {
		informer->stream_failures++;
		informer->lists_only = is_for_good(informer, err);
		log_event(LOG_DEBUG, "no streaming list to be had, asking for a list", "kind", informer->resource->kind,
			"error", err != NULL ? err->message : "", NULL);
	}
	/* A server that is away or busy is not asked otherwise at once. */
	if (err != NULL && err->kind == ERROR_UNAVAILABLE && !in_stream) {
		back_off_then(informer, INFORMER_LIST, err->retry_after_ms);
		informer_report_sent_away(informer, err);
	} else {
		start_list(informer);
	}
}

/* ---- the watch ---- */

/* What a failed watch leads to; a kind that is not here is waited out and watched again from the
 * same place. */
static bool needs_list(enum error_kind kind)
{
	return kind == ERROR_EXPIRED || kind == ERROR_NOT_FOUND || kind == ERROR_INVALID || kind == ERROR_INTERNAL;
}

static void watch_failed(struct kube_informer *informer, const struct error *err)
{
	enum informer_step next = needs_list(err->kind) || informer->lost_event ? INFORMER_FILL : INFORMER_WATCH;
	bool refused = err->kind == ERROR_FORBIDDEN || err->kind == ERROR_UNAUTHORIZED;
	auto_error copy = ERROR_INIT;

	informer->failures++;
	error_copy(&copy, err);
	back_off_then(informer, next, err->retry_after_ms);
	/* Connections break and resourceVersions expire; only what a second try does not cure is a
	 * state. */
	if (refused || informer->failures > 1) {
		informer_set_state(informer, informer->synced, informer->missing, &copy);
	} else {
		informer_report_sent_away(informer, err);
	}
}

static void watch_ended(struct kube_informer *informer)
{
	int64_t now = clock_monotonic_ms();

	if (!informer->reported && now - informer->watch_start_ms < informer->timing.short_ms) {
		auto_error err = ERROR_INIT;

		error_set(&err, ERROR_UNAVAILABLE, "cannot %s: the server ends the watch at once without an event",
			informer->words_watch);
		watch_failed(informer, &err);
		return;
	}
	informer_progress(informer);
	informer->failures = 0;
	if (informer->error.kind != ERROR_NONE) {
		informer_set_state(informer, informer->synced, informer->missing, NULL);
	}
	if (informer->closing) {
		return;
	}
	if (informer->lost_event || now - informer->filled_ms >= informer->timing.relist_ms) {
		fill(informer);
	} else {
		start_watch(informer);
	}
}

static void on_watched(struct kube_informer *informer, const struct error *err, bool in_stream)
{
	if (ended(informer)) {
		return;
	}
	if (informer->arriving != NULL) {
		stream_failed(informer, err, in_stream);
	} else if (err != NULL) {
		watch_failed(informer, err);
	} else {
		watch_ended(informer);
	}
}

static void start_watch(struct kube_informer *informer)
{
	informer_watch_start(informer, on_watched);
}

/* Starts whatever brings the whole list soonest. */
static void fill(struct kube_informer *informer)
{
	if (informer->lists_only) {
		start_list(informer);
	} else {
		informer_watch_start_streaming(informer, on_watched);
	}
}

/* ---- life ---- */

struct kube_informer *kube_informer_new(struct kube_client *client, const struct kube_resource *resource,
	const char *ns, const char *field_selector, const struct kube_informer_hooks *hooks)
{
	struct kube_informer *informer = xcalloc(1, sizeof(*informer));
	uint64_t seed = 0;

	uv_random(NULL, NULL, &seed, sizeof(seed), 0, NULL);
	*informer = (struct kube_informer){
		.client = client,
		.resource = resource,
		.mark = kube_namespace_mark(ns),
		.path = kube_resource_path(resource, ns, NULL),
		.field_selector = xstrdup(field_selector),
		.words_list = xasprintf("list %s objects", resource->kind),
		.words_watch = xasprintf("watch %s objects", resource->kind),
		.hooks = *hooks,
		.timing = {.missing_ms = 10000,
			.short_ms = 1000,
			.margin_ms = 30000,
			.min_timeout_s = 300,
			.silence_ms = 30000,
			.relist_ms = INT64_C(10) * 3600 * 1000},
		.cache = kube_cache_new(&hooks->form),
		.event_error = ERROR_INIT,
		.error = ERROR_INIT,
		.progress_ms = clock_monotonic_ms(),
	};
	backoff_init(&informer->backoff, seed);
	informer->timing.backoff_ms = informer->backoff.base_ms;
	uv_timer_init(kube_client_loop(client), &informer->timer);
	informer->timer.data = informer;
	uv_timer_init(kube_client_loop(client), &informer->pace);
	informer->pace.data = informer;
	return informer;
}

void informer_set_timing(struct kube_informer *informer, const struct informer_timing *timing)
{
	informer->timing = *timing;
	informer->backoff.base_ms = timing->backoff_ms;
}

void kube_informer_start(struct kube_informer *informer)
{
	if (informer->front != NULL) {
		informer->front->start(informer->group);
	} else {
		fill(informer);
	}
}

void kube_informer_retry(struct kube_informer *informer)
{
	if (informer->front != NULL) {
		informer->front->retry(informer->group);
	} else if (kube_informer_refused(informer) && !informer->closing) {
		backoff_reset(&informer->backoff);
		if (informer->call == NULL) {
			wait_then(informer, informer->next, 0);
		}
		informer_set_state(informer, informer->synced, informer->missing, NULL);
	}
}

static void on_group_closed(void *ctx)
{
	struct kube_informer *informer = ctx;

	uv_close((uv_handle_t *)&informer->timer, on_timer_closed);
}

void kube_informer_close(struct kube_informer *informer, void (*closed)(void *ctx), void *ctx)
{
	informer->closing = true;
	informer->closed = closed;
	informer->closed_ctx = ctx;
	uv_timer_stop(&informer->timer);
	uv_timer_stop(&informer->pace);
	if (informer->front != NULL) {
		informer->front->close(informer->group, on_group_closed, informer);
	} else if (informer->call != NULL) {
		kube_call_cancel(informer->call);
	} else {
		uv_close((uv_handle_t *)&informer->timer, on_timer_closed);
	}
}

const struct kube_resource *kube_informer_resource(const struct kube_informer *informer)
{
	return informer->resource;
}

const struct kube_cache *kube_informer_cache(const struct kube_informer *informer)
{
	return informer->cache;
}

bool kube_informer_synced(const struct kube_informer *informer)
{
	return informer->synced;
}

bool kube_informer_missing(const struct kube_informer *informer)
{
	return informer->missing;
}

const struct error *kube_informer_error(const struct kube_informer *informer)
{
	return informer->error.kind == ERROR_NONE ? NULL : &informer->error;
}

bool kube_informer_refused(const struct kube_informer *informer)
{
	if (informer->front != NULL) {
		return informer->front->refused(informer->group);
	}
	return informer->error.kind == ERROR_FORBIDDEN || informer->error.kind == ERROR_UNAUTHORIZED;
}

const char *kube_informer_resource_version(const struct kube_informer *informer, uint32_t mark)
{
	const struct kube_informer *of =
		informer->front != NULL ? informer->front->of(informer->group, mark) : informer;
	/* What waits to be reported is not in the cache of all yet. */
	bool shown = of != NULL && (of == informer || of->reports.count == 0);

	return shown && of->resource_version != NULL ? of->resource_version : "";
}

int64_t kube_informer_progress_ms(const struct kube_informer *informer)
{
	return informer->front != NULL ? informer->front->progress_ms(informer->group) : informer->progress_ms;
}
