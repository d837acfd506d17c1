/* An informer's list: page by page into the cache, then what was not in it is gone. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "informer_parts.h"

#define PAGE_SIZE 500
#define MAX_LIST_BODY (64 * 1024 * 1024)

static void start_page(struct kube_informer *informer, const char *token);

static void list_failed(struct kube_informer *informer, const struct error *err, bool later_page)
{
	informer_forget_list(informer);
	informer->whole = err->kind == ERROR_EXPIRED && later_page;
	if (informer->whole) {
		/* The server compacted the snapshot the pages came from: paging is too slow here,
		 * take all at once. */
		start_page(informer, NULL);
	} else {
		informer->done(informer, err, false);
	}
}

static void list_done(struct kube_informer *informer, const char *resource_version)
{
	informer->whole = false;
	if (informer_filled(informer, resource_version)) {
		informer->done(informer, NULL, false);
	}
}

static void on_first_page(void *ctx, json_t *result, const struct error *err);
static void on_later_page(void *ctx, json_t *result, const struct error *err);

static void on_page(struct kube_informer *informer, json_t *result, const struct error *err, bool later_page)
{
	const char *token = json_path_string(result, "metadata.continue", "");
	const char *resource_version = json_path_string(result, "metadata.resourceVersion", "");
	size_t i;
	json_t *item;

	informer->call = NULL;
	if (informer->closing) {
		informer->done(informer, err, false);
		return;
	}
	if (err != NULL) {
		list_failed(informer, err, later_page);
		return;
	}
	informer_progress(informer);
	json_array_foreach(json_object_get(result, "items"), i, item) {
		informer_arrive(informer, item);
	}
	if (token[0] != '\0') {
		start_page(informer, token);
	} else if (resource_version[0] == '\0') {
		auto_error none = ERROR_INIT;

		/* Watching from "" would silently start anywhere. */
		error_set(&none, ERROR_INTERNAL, "cannot %s: the server's list has no resourceVersion",
			informer->words_list);
		list_failed(informer, &none, later_page);
	} else {
		list_done(informer, resource_version);
	}
}

static void on_first_page(void *ctx, json_t *result, const struct error *err)
{
	on_page(ctx, result, err, false);
}

static void on_later_page(void *ctx, json_t *result, const struct error *err)
{
	on_page(ctx, result, err, true);
}

/* Without resourceVersion, so that the server answers from a consistent read and time never runs
 * backwards. */
static void start_page(struct kube_informer *informer, const char *token)
{
	auto_strbuf path = STRBUF_INIT;

	if (token == NULL) {
		informer_begin_list(informer);
	}
	strbuf_addstr(&path, informer->path);
	if (!informer->whole) {
		strbuf_addf(&path, "?limit=%d", PAGE_SIZE);
	}
	if (informer->field_selector != NULL) {
		strbuf_add_query(&path, "fieldSelector", informer->field_selector);
	}
	if (token != NULL) {
		strbuf_add_query(&path, "continue", token);
	}
	informer->call =
		kube_call_start(informer->client, &(struct kube_call_spec){
							  .method = "GET",
							  .path = path.buf,
							  .what = informer->words_list,
							  .max_body = MAX_LIST_BODY,
							  .done = token != NULL ? on_later_page : on_first_page,
							  .ctx = informer,
						  });
}

void informer_list_start(struct kube_informer *informer, informer_done_fn *done)
{
	informer->done = done;
	start_page(informer, NULL);
}
