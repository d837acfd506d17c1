/*
 * An informer's streaming list: a watch that begins with all objects and says when that was all.
 *
 * What arrives is kept aside and taken at once, at the bookmark that ends it; a stream that breaks
 * before leaves no trace, and pages are asked for instead.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
 */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "informer_parts.h"

#define INITIAL_EVENTS_END "k8s.io/initial-events-end"

/* A server that does not know the parameter may just never send the end. */
static void on_silence(uv_timer_t *timer)
{
	struct kube_informer *informer = timer->data;

	kube_call_cancel(informer->call);
}

void informer_stream_begin(struct kube_informer *informer)
{
	uint64_t silence_ms = (uint64_t)informer->timing.silence_ms;

	informer->arriving = kube_cache_new(&informer->hooks.form);
	uv_timer_start(&informer->timer, on_silence, silence_ms, silence_ms);
}

void informer_stream_put(struct kube_informer *informer, json_t *object)
{
	uv_timer_again(&informer->timer);
	kube_cache_put(informer->arriving, object);
}

void informer_stream_remove(struct kube_informer *informer, json_t *object)
{
	uv_timer_again(&informer->timer);
	kube_cache_remove(informer->arriving, kube_object_namespace(object), kube_object_name(object));
}

static void take_arrived(struct kube_informer *informer, struct kube_cache *arrived)
{
	size_t count = kube_cache_count(arrived);
	auto_free const char **keys = kube_cache_keys(arrived);

	for (size_t i = 0; i < count && !informer->closing; i++) {
		map_put(&informer->seen, keys[i], informer);
		informer_take_arrived(informer, arrived, keys[i]);
	}
}

void informer_stream_bookmark(struct kube_informer *informer, json_t *object)
{
	const char *end = kube_object_annotation(object, INITIAL_EVENTS_END);
	const char *resource_version = kube_object_resource_version(object);
	struct kube_cache *arrived = informer->arriving;

	if (end == NULL || strcmp(end, "true") != 0 || resource_version[0] == '\0') {
		return;
	}
	uv_timer_stop(&informer->timer);
	informer->arriving = NULL;
	informer->reported = true;
	informer->stream_failures = 0;
	take_arrived(informer, arrived);
	kube_cache_free(arrived);
	if (!informer->closing) {
		informer_filled(informer, resource_version);
	}
}

void informer_stream_drop(struct kube_informer *informer)
{
	kube_cache_free(informer->arriving);
	informer->arriving = NULL;
}
