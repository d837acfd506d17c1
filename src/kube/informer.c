/* An informer's life, its cache, and what its owner is told. */
#include "kube/informer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "informer_parts.h"

/* A wait that the server asks for is told from here on: a few seconds are how it spreads its load, and pass unseen. */
#define REPORTED_WAIT_MS 10000

/* ---- what is told to the owner ---- */

void informer_progress(struct kube_informer *informer)
{
	informer->progress_ms = clock_monotonic_ms();
}

void informer_set_state(struct kube_informer *informer, bool synced, bool missing, struct error *err)
{
	struct error none = ERROR_INIT;
	const char *old = informer->error.message != NULL ? informer->error.message : "";
	const char *new = err != NULL && err->message != NULL ? err->message : "";
	bool differs = informer->synced != synced || informer->missing != missing || strcmp(old, new) != 0;

	informer->synced = synced;
	informer->missing = missing;
	error_move(&informer->error, err != NULL ? err : &none);
	if (differs && informer->hooks.state != NULL && !informer->closing) {
		informer->hooks.state(informer->hooks.ctx, informer);
	}
}

void informer_report_sent_away(struct kube_informer *informer, const struct error *err)
{
	auto_error copy = ERROR_INIT;

	if (err->retry_after_ms < REPORTED_WAIT_MS) {
		return;
	}
	error_copy(&copy, err);
	informer_set_state(informer, informer->synced, informer->missing, &copy);
}

static void report_changed(struct kube_informer *informer, enum kube_event_type type, const json_t *object)
{
	if (informer->hooks.changed != NULL && !informer->closing) {
		informer->hooks.changed(informer->hooks.ctx, informer, type, object);
	}
}

/* The items of a list lack what the list says once for all; watch events do not. */
static void complete(const struct kube_resource *resource, json_t *object)
{
	auto_free char *api_version = NULL;

	if (json_object_get(object, "kind") != NULL) {
		return;
	}
	api_version = kube_api_version(resource);
	json_object_set_new(object, "kind", json_string(resource->kind));
	json_object_set_new(object, "apiVersion", json_string(api_version));
}

void informer_take(struct kube_informer *informer, json_t *object)
{
	bool had = kube_cache_has(informer->cache, kube_object_namespace(object), kube_object_name(object));

	complete(informer->resource, object);
	if (kube_cache_put(informer->cache, object)) {
		report_changed(informer, had ? KUBE_MODIFIED : KUBE_ADDED, object);
	}
}

void informer_take_arrived(struct kube_informer *informer, struct kube_cache *arrived, const char *key)
{
	auto_free char *copy = xstrdup(key); /* which is of the cache that gives its object away */
	bool had = kube_cache_has_key(informer->cache, copy);

	if (kube_cache_put_from(informer->cache, arrived, copy)) {
		auto_json *object = kube_cache_get_key(informer->cache, copy);

		report_changed(informer, had ? KUBE_MODIFIED : KUBE_ADDED, object);
	}
}

void informer_drop(struct kube_informer *informer, json_t *object)
{
	complete(informer->resource, object);
	if (kube_cache_remove(informer->cache, kube_object_namespace(object), kube_object_name(object))) {
		report_changed(informer, KUBE_DELETED, object);
	}
}

/* Removes by key, for objects a list no longer shows; the cache still knows their last state. */
static void drop_key(struct kube_informer *informer, const char *key)
{
	const char *slash = strchr(key, '/');
	auto_free char *ns = slash != NULL ? xstrndup(key, (size_t)(slash - key)) : NULL;
	const char *name = slash != NULL ? slash + 1 : key;
	auto_json *last = kube_cache_get_key(informer->cache, key);

	kube_cache_remove(informer->cache, ns, name);
	report_changed(informer, KUBE_DELETED, last);
}

void informer_drop_unseen(struct kube_informer *informer)
{
	size_t count = kube_cache_count(informer->cache), gone_count = 0;
	auto_free const char **keys = kube_cache_keys(informer->cache);
	auto_free char **gone = xcalloc(count + 1, sizeof(*gone));

	/* The keys belong to the cache, which the loop below changes. */
	for (size_t i = 0; i < count; i++) {
		if (!map_has(&informer->seen, keys[i])) {
			gone[gone_count++] = xstrdup(keys[i]);
		}
	}
	for (size_t i = 0; i < gone_count; i++) {
		drop_key(informer, gone[i]);
		free(gone[i]);
	}
}

void informer_fill(struct kube_informer *informer)
{
	if (informer->pages_only) {
		informer_start_list(informer, NULL);
	} else {
		informer_start_stream(informer);
	}
}

bool informer_filled(struct kube_informer *informer, const char *resource_version)
{
	free(informer->resource_version);
	informer->resource_version = xstrdup(resource_version);
	informer->filled_ms = clock_monotonic_ms();
	informer->lost_event = false;
	informer_drop_unseen(informer);
	map_clear(&informer->seen);
	informer_set_state(informer, true, false, NULL);
	return !informer->closing;
}

/* ---- waiting and the end ---- */

static void start_pages(struct kube_informer *informer)
{
	informer_start_list(informer, NULL);
}

static void on_timer(uv_timer_t *timer)
{
	struct kube_informer *informer = timer->data;

	static void (*const starts[])(struct kube_informer *) = {
		[INFORMER_FILL] = informer_fill,
		[INFORMER_PAGES] = start_pages,
		[INFORMER_WATCH] = informer_start_watch,
	};

	starts[informer->next](informer);
}

void informer_wait_then(struct kube_informer *informer, enum informer_step next, int64_t delay_ms)
{
	if (informer->closing) {
		return;
	}
	informer->next = next;
	uv_timer_start(&informer->timer, on_timer, (uint64_t)delay_ms, 0);
}

void informer_back_off_then(struct kube_informer *informer, enum informer_step next, int64_t retry_after_ms)
{
	informer_wait_then(informer, next, backoff_next(&informer->backoff, clock_monotonic_ms(), retry_after_ms));
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct kube_informer *informer = handle->data;
	void (*closed)(void *ctx) = informer->closed;
	void *ctx = informer->closed_ctx;

	kube_cache_free(informer->cache);
	kube_cache_free(informer->arriving);
	map_release(&informer->seen);
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

bool informer_ended(struct kube_informer *informer)
{
	informer->call = NULL;
	uv_timer_stop(&informer->timer);
	if (!informer->closing) {
		return false;
	}
	uv_close((uv_handle_t *)&informer->timer, on_timer_closed);
	return true;
}

void informer_add_query(struct strbuf *path, const char *name, const char *value)
{
	strbuf_addf(path, "%c%s=", strchr(path->buf, '?') != NULL ? '&' : '?', name);
	strbuf_add_urlencoded(path, value);
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
	map_init(&informer->seen, NULL);
	uv_timer_init(kube_client_loop(client), &informer->timer);
	informer->timer.data = informer;
	return informer;
}

void informer_set_timing(struct kube_informer *informer, const struct informer_timing *timing)
{
	informer->timing = *timing;
	informer->backoff.base_ms = timing->backoff_ms;
}

void kube_informer_start(struct kube_informer *informer)
{
	informer_fill(informer);
}

void kube_informer_close(struct kube_informer *informer, void (*closed)(void *ctx), void *ctx)
{
	informer->closing = true;
	informer->closed = closed;
	informer->closed_ctx = ctx;
	uv_timer_stop(&informer->timer);
	if (informer->call != NULL) {
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

const char *kube_informer_resource_version(const struct kube_informer *informer)
{
	return informer->resource_version != NULL ? informer->resource_version : "";
}

int64_t kube_informer_progress_ms(const struct kube_informer *informer)
{
	return informer->progress_ms;
}
