/* An informer's list: page by page into the cache, then what was not in it is gone. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/json_cut.h"
#include "base/memory.h"
#include "informer_parts.h"

#define PAGE_SIZE 100
/* Between two parts of a page the loop goes on; a timer of no time at all would fire before it does. Lists of several kinds
 * come in at the same time, so that a turn has a part of each. */
#define PART_NS INT64_C(2000000)
#define PART_PAUSE_MS 1
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

static void end_page(struct kube_informer *informer, const json_t *page)
{
	const char *token = json_path_string(page, "metadata.continue", "");
	const char *resource_version = json_path_string(page, "metadata.resourceVersion", "");

	if (token[0] != '\0') {
		start_page(informer, token);
	} else if (resource_version[0] == '\0') {
		auto_error none = ERROR_INIT;

		/* Watching from "" would silently start anywhere. */
		error_set(&none, ERROR_INTERNAL, "cannot %s: the server's list has no resourceVersion",
			informer->words_list);
		list_failed(informer, &none, false);
	} else {
		list_done(informer, resource_version);
	}
}

static void on_part(uv_timer_t *timer);

static void page_broken(struct kube_informer *informer, const struct error *why)
{
	auto_error err = ERROR_INIT;

	error_set(&err, ERROR_INTERNAL, "cannot %s: the answer is not JSON: %s", informer->words_list, why->message);
	list_failed(informer, &err, false);
}

/* A whole page at once would hold the loop for too long. */
static void take_part(struct kube_informer *informer)
{
	struct json_items page;
	auto_error why = ERROR_INIT;
	int64_t start = clock_worked_ns();
	json_t *item;

	do {
		item = json_items_next(&informer->page, &why);
		if (item != NULL) {
			informer_arrive(informer, item);
			json_decref(item);
		}
	} while (item != NULL && clock_worked_ns() - start < PART_NS);
	if (item != NULL) {
		uv_timer_start(&informer->timer, on_part, PART_PAUSE_MS, 0);
		return;
	}
	page = informer->page;
	informer->page = (struct json_items){.text = NULL};
	if (why.kind != ERROR_NONE) {
		page_broken(informer, &why);
	} else {
		end_page(informer, page.others);
	}
	json_items_release(&page);
}

static void on_part(uv_timer_t *timer)
{
	take_part(timer->data);
}

static void on_page_text(void *ctx, char *text_take, size_t len)
{
	struct kube_informer *informer = ctx;
	const char *const *unread = informer->hooks.form.unread;

	json_items_release(&informer->page);
	if (unread != NULL) {
		struct strbuf rest = STRBUF_INIT;

		json_cut(text_take, len, unread, &rest);
		free(text_take);
		len = rest.len;
		text_take = strbuf_take(&rest);
	}
	json_items_begin(&informer->page, text_take, len, "items");
}

static void on_page(struct kube_informer *informer, const struct error *err, bool later_page)
{
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
	take_part(informer);
}

static void on_first_page(void *ctx, json_t *result, const struct error *err)
{
	(void)result;
	on_page(ctx, err, false);
}

static void on_later_page(void *ctx, json_t *result, const struct error *err)
{
	(void)result;
	on_page(ctx, err, true);
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
							  .on_text = on_page_text,
							  .done = token != NULL ? on_later_page : on_first_page,
							  .ctx = informer,
						  });
}

void informer_list_start(struct kube_informer *informer, informer_done_fn *done)
{
	informer->done = done;
	start_page(informer, NULL);
}
