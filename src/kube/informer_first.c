/*
 * An informer's first list: what the API server has in its cache, taken object by object as it comes.
 *
 * A list of what etcd holds has the API server decode each object again: of ten thousand of our own it is busy for half a
 * minute, and from its cache for two seconds. What its watches tell comes from the same cache, so that this list is behind
 * by no more than the watch that follows. A later list may not be older than what we know, and is read from etcd.
 */
#include <string.h>

#include "base/json.h"
#include "base/json_cut.h"
#include "informer_parts.h"

/* A server that says nothing for so long does not come to the end. */
#define SILENCE_MS 30000

/* An object that cannot be read is a list that lacks one: it is none. */
static int on_item(void *ctx, const char *text, size_t len)
{
	struct kube_informer *informer = ctx;
	auto_error why = ERROR_INIT;
	auto_json *object = json_parse_read(text, len, informer->hooks.form.unread, &why);

	informer_progress(informer);
	if (!json_is_object(object) || kube_object_name(object)[0] == '\0') {
		return error_set(&informer->event_error, ERROR_INTERNAL, "cannot %s: an object cannot be read",
			informer->words_list);
	}
	informer_arrive(informer, object);
	return informer->closing ? -1 : 0;
}

/* The resourceVersion to watch from; NULL when there is none: from "" or "0" a watch would silently start anywhere. */
static const char *version_of(const struct kube_informer *informer, const json_t *list, struct error *err)
{
	const char *resource_version = json_path_string(list, "metadata.resourceVersion", "");

	if (resource_version[0] != '\0' && strcmp(resource_version, "0") != 0) {
		return resource_version;
	}
	error_set(err, ERROR_INTERNAL, "cannot %s: the server's list has no resourceVersion", informer->words_list);
	return NULL;
}

static void on_list_done(void *ctx, json_t *list, const struct error *err)
{
	struct kube_informer *informer = ctx;
	const char *resource_version = NULL;
	auto_error why = ERROR_INIT;

	informer->call = NULL;
	error_move(&why, &informer->event_error);
	if (why.kind == ERROR_NONE && err != NULL) {
		error_copy(&why, err);
	}
	if (why.kind == ERROR_NONE && !informer->closing) {
		resource_version = version_of(informer, list, &why);
	}
	if (resource_version == NULL) {
		informer->done(informer, &why, false);
	} else if (informer_filled(informer, resource_version)) {
		informer->done(informer, NULL, false);
	}
}

void informer_first_start(struct kube_informer *informer, informer_done_fn *done)
{
	auto_strbuf path = STRBUF_INIT;

	informer->done = done;
	informer_begin_list(informer);
	strbuf_addstr(&path, informer->path);
	strbuf_add_query(&path, "resourceVersion", "0");
	if (informer->field_selector != NULL) {
		strbuf_add_query(&path, "fieldSelector", informer->field_selector);
	}
	informer->call = kube_call_start(informer->client, &(struct kube_call_spec){
								   .method = "GET",
								   .path = path.buf,
								   .what = informer->words_list,
								   .on_line = on_item,
								   .is_list = true,
								   .idle_timeout_ms = SILENCE_MS,
								   .done = on_list_done,
								   .ctx = informer,
							   });
}
