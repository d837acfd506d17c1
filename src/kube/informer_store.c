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

/* Takes the reference to what was before. */
static void report_changed(struct kube_informer *informer, const void *before_take, const void *now)
{
	if (informer->hooks.changed != NULL && !informer->closing) {
		informer->hooks.changed(informer->hooks.ctx, informer, before_take, now);
	}
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
	}
}

static void drop(struct kube_informer *informer, const char *ns, const char *name)
{
	const void *before = kube_cache_take(informer->cache, ns, name);

	if (before != NULL) {
		report_changed(informer, before, NULL);
	}
}

void informer_drop(struct kube_informer *informer, json_t *object)
{
	drop(informer, kube_object_namespace(object), kube_object_name(object));
}

void informer_arrive(struct kube_informer *informer, json_t *object)
{
	const void *before;

	kube_cache_put(informer->arriving, object, informer->cache, &before);
	if (before != NULL) {
		informer->hooks.form.unref(before);
	}
}

void informer_leave(struct kube_informer *informer, json_t *object)
{
	const void *before =
		kube_cache_take(informer->arriving, kube_object_namespace(object), kube_object_name(object));

	if (before != NULL) {
		informer->hooks.form.unref(before);
	}
}

static void take_arrived(struct kube_informer *informer, const struct kube_cache *arrived)
{
	size_t count;
	auto_free const void **all = kube_cache_list(arrived, NULL, &count);

	for (size_t i = 0; i < count && !informer->closing; i++) {
		const void *before;

		if (kube_cache_put_decoded(informer->cache, all[i], &before)) {
			report_changed(informer, before, all[i]);
		}
	}
}

/* `arrived` NULL = all goes. */
static void drop_absent(struct kube_informer *informer, const struct kube_cache *arrived)
{
	size_t count;
	auto_free const void **all = kube_cache_list(informer->cache, NULL, &count);

	for (size_t i = 0; i < count; i++) {
		struct kube_names names = informer->hooks.form.names(all[i]);

		if (arrived == NULL || kube_cache_get(arrived, names.ns, names.name) == NULL) {
			drop(informer, names.ns, names.name);
		}
	}
}

void informer_clear(struct kube_informer *informer)
{
	drop_absent(informer, NULL);
}

void informer_begin_list(struct kube_informer *informer)
{
	kube_cache_free(informer->arriving);
	informer->arriving = kube_cache_new(&informer->hooks.form);
}

void informer_forget_list(struct kube_informer *informer)
{
	kube_cache_free(informer->arriving);
	informer->arriving = NULL;
}

bool informer_filled(struct kube_informer *informer, const char *resource_version)
{
	struct kube_cache *arrived = informer->arriving;

	informer->arriving = NULL;
	take_arrived(informer, arrived);
	if (!informer->closing) {
		free(informer->resource_version);
		informer->resource_version = xstrdup(resource_version);
		informer->filled_ms = clock_monotonic_ms();
		informer->lost_event = false;
		drop_absent(informer, arrived);
		informer_set_state(informer, true, false, NULL);
	}
	kube_cache_free(arrived);
	return !informer->closing;
}
