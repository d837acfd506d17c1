/* An informer's cache and state, and what its owner is told of them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
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

static void report_changed(struct kube_informer *informer, const void *before, const void *now)
{
	if (informer->hooks.changed != NULL && !informer->closing) {
		informer->hooks.changed(informer->hooks.ctx, informer, before, now);
	}
}

static void give_back(struct kube_informer *informer, const void *before_take)
{
	if (before_take != NULL) {
		informer->hooks.form.unref(before_take);
	}
}

void informer_take(struct kube_informer *informer, json_t *object)
{
	const void *before;

	if (kube_cache_put(informer->cache, object, NULL, &before)) {
		report_changed(informer, before,
			kube_cache_get(informer->cache, kube_object_namespace(object), kube_object_name(object)));
		give_back(informer, before);
	}
}

void informer_drop(struct kube_informer *informer, json_t *object)
{
	const void *before = kube_cache_take(informer->cache, kube_object_namespace(object), kube_object_name(object));

	if (before != NULL) {
		report_changed(informer, before, NULL);
		give_back(informer, before);
	}
}

void informer_begin_list(struct kube_informer *informer)
{
	kube_cache_free(informer->arriving);
	informer->arriving = kube_cache_new(&informer->hooks.form);
}

void informer_arrive(struct kube_informer *informer, json_t *object)
{
	const void *before;

	kube_cache_put(informer->arriving, object, informer->cache, &before);
	give_back(informer, before);
}

void informer_leave(struct kube_informer *informer, json_t *object)
{
	give_back(informer,
		kube_cache_take(informer->arriving, kube_object_namespace(object), kube_object_name(object)));
}

void informer_forget_list(struct kube_informer *informer)
{
	kube_cache_free(informer->arriving);
	informer->arriving = NULL;
}

/* What has arrived is the cache's at once, and only what differs is told. */
static void take_list(struct kube_informer *informer)
{
	struct kube_cache *old = informer->arriving;
	size_t count;
	auto_free struct kube_difference *all = kube_cache_differences(informer->cache, old, &count);

	informer->arriving = NULL;
	kube_cache_swap(informer->cache, old);
	for (size_t i = 0; i < count && !informer->closing; i++) {
		report_changed(informer, all[i].before, all[i].now);
	}
	kube_cache_free(old);
}

void informer_clear(struct kube_informer *informer)
{
	informer_begin_list(informer);
	take_list(informer);
}

bool informer_filled(struct kube_informer *informer, const char *resource_version)
{
	take_list(informer);
	if (!informer->closing) {
		free(informer->resource_version);
		informer->resource_version = xstrdup(resource_version);
		informer->filled_ms = clock_monotonic_ms();
		informer->lost_event = false;
		informer_set_state(informer, true, false, NULL);
	}
	return !informer->closing;
}
