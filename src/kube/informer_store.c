/* An informer's cache and state, and what its owner is told of them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "informer_parts.h"

/* A wait that the server asks for is told from here on: a few seconds are how it spreads its load, and pass unseen. */
#define REPORTED_WAIT_MS 10000

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
