/*
 * An informer's streaming list: a watch that begins with all objects and says when that was all.
 *
 * What arrives is kept aside and taken at once, at the bookmark that ends it; a stream that breaks
 * before leaves no trace, and pages are asked for instead.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#streaming-lists
 */
#include <string.h>

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

	informer_begin_list(informer);
	uv_timer_start(&informer->timer, on_silence, silence_ms, silence_ms);
}

void informer_stream_put(struct kube_informer *informer, json_t *object)
{
	uv_timer_again(&informer->timer);
	informer_arrive(informer, object);
}

void informer_stream_remove(struct kube_informer *informer, json_t *object)
{
	uv_timer_again(&informer->timer);
	informer_leave(informer, object);
}

void informer_stream_bookmark(struct kube_informer *informer, json_t *object)
{
	const char *end = kube_object_annotation(object, INITIAL_EVENTS_END);
	const char *resource_version = kube_object_resource_version(object);

	if (end == NULL || strcmp(end, "true") != 0 || resource_version[0] == '\0') {
		return;
	}
	uv_timer_stop(&informer->timer);
	informer->reported = true;
	informer->stream_failures = 0;
	informer_filled(informer, resource_version);
}
