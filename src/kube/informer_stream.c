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
#include "base/log.h"
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
	take_arrived(informer, arrived);
	kube_cache_free(arrived);
	if (!informer->closing) {
		informer_filled(informer, resource_version);
	}
}

/* Whether the failure is of the streaming list itself, and would be the same the next time. Such are
 * the refusal of an API server that has it switched off (422), of one whose etcd cannot tell its
 * progress (500 in the stream), and of one that never tells the end. */
static bool is_for_good(const struct error *err, bool answered)
{
	if (err == NULL || err->kind == ERROR_INVALID || err->kind == ERROR_CANCELLED) {
		return true;
	}
	return answered && err->kind != ERROR_EXPIRED;
}

void informer_stream_failed(struct kube_informer *informer, const struct error *err, bool answered)
{
	kube_cache_free(informer->arriving);
	informer->arriving = NULL;
	if (is_for_good(err, answered)) {
		log_event(LOG_DEBUG, "no streaming list to be had, asking for pages", "kind", informer->resource->kind,
			"error", err != NULL ? err->message : "", NULL);
		informer->pages_only = true;
	}
	/* A server that is away or busy is not asked otherwise at once. */
	if (err != NULL && err->kind == ERROR_UNAVAILABLE && !answered) {
		informer_back_off_then(informer, INFORMER_PAGES, err->retry_after_ms);
		informer_report_sent_away(informer, err);
	} else {
		informer_start_list(informer, NULL);
	}
}
