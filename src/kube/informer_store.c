/* An informer's cache. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/memory.h"
#include "informer_parts.h"

uint32_t kube_namespace_mark(const char *ns)
{
	return (uint32_t)hash_text(HASH_START, ns);
}

void informer_progress(struct kube_informer *informer)
{
	informer->progress_ms = clock_monotonic_ms();
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
		informer_report(informer, before,
			kube_cache_get(informer->cache, kube_object_namespace(object), kube_object_name(object)));
		give_back(informer, before);
	}
}

void informer_drop(struct kube_informer *informer, json_t *object)
{
	const void *before = kube_cache_take(informer->cache, kube_object_namespace(object), kube_object_name(object));

	if (before != NULL) {
		informer_report(informer, before, NULL);
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

/* What has arrived is the cache's at once, and only what differs is reported. */
static void take_list(struct kube_informer *informer)
{
	struct kube_cache *old = informer->arriving;
	size_t count;
	auto_free struct kube_difference *all = kube_cache_differences(informer->cache, old, &count);

	informer->arriving = NULL;
	kube_cache_swap(informer->cache, old);
	informer_report_list(informer, all, count);
	kube_cache_free(old);
}

void informer_clear(struct kube_informer *informer)
{
	informer->filled = false;
	informer_begin_list(informer);
	take_list(informer);
}

bool informer_filled(struct kube_informer *informer, const char *resource_version)
{
	free(informer->resource_version);
	informer->resource_version = xstrdup(resource_version);
	informer->filled_ms = clock_monotonic_ms();
	informer->lost_event = false;
	informer->filled = true;
	take_list(informer);
	return !informer->closing;
}
