/* Reading a pod's candidate pages, one after the other. */
#include "page_search.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/page.h"
#include "engine/presets.h"
#include "kube/resource.h"
#include "reading.h"

#define CONNECT_TIMEOUT_MS 3000
#define REQUEST_TIMEOUT_MS 5000
#define SEARCH_MAX_MS 15000 /* no further page is begun after this, without the time in line */
#define REPORTED_MAX 3      /* tries that a message tells of */

struct page_search {
	struct page_fetches *fetches;
	struct page_fetch *fetch; /* under way */
	json_t *request;
	char *pod;
	char *authority; /* "scheme://address" */
	char *image;
	json_t *last;
	json_t *wanted; /* series */
	int64_t spent_ms;
	size_t next;  /* candidate */
	char *url;    /* being read */
	json_t *page; /* the best one so far; NULL = none */
	char *beyond; /* what is said of the first page that exceeds a limit; NULL = none did */
	struct strbuf tries;
	size_t reported; /* in `tries` */
	bool cancelled;
	void (*done)(void *ctx, json_t *document_take);
	void *ctx;
};

static void read_next(struct page_search *search);

static void finish(struct page_search *search)
{
	json_t *page = search->page;

	if (search->beyond != NULL) {
		json_decref(page);
		page = json_pack("{s:o, s:s, s:s}", "error", reading_text(search->beyond), "cause", "PageTooLarge",
			"pod", search->pod);
	} else if (page == NULL) {
		page = json_pack("{s:o, s:s}", "error", reading_text(search->tries.buf), "pod", search->pod);
	}
	search->done(search->ctx, page);
	json_decref(search->request);
	json_decref(search->last);
	json_decref(search->wanted);
	free_indirect(&search->pod);
	free_indirect(&search->authority);
	free_indirect(&search->image);
	free_indirect(&search->url);
	free_indirect(&search->beyond);
	strbuf_release(&search->tries);
	free_indirect(&search);
}

static void get(struct page_search *search, const char *url, size_t max_body, http_done_fn *done)
{
	search->fetch = page_fetch_start(search->fetches, &(struct page_fetch_order){.url = url,
								  .timeout_ms = REQUEST_TIMEOUT_MS,
								  .connect_timeout_ms = CONNECT_TIMEOUT_MS,
								  .max_body = max_body,
								  .spent_ms = &search->spent_ms,
								  .done = done,
								  .ctx = search});
}

/* What the pod says of its version is remembered for as long as it runs the same. */
static bool remembers_version(struct page_search *search)
{
	const char *image = json_path_string(search->last, "image", NULL);
	const char *engine = json_path_string(search->last, "engine", "");

	if (image == NULL || strcmp(image, search->image) != 0 ||
		strcmp(engine, json_path_string(search->page, "engine", "")) != 0) {
		return false;
	}
	json_object_set_new(search->page, "image", json_string(image));
	if (json_object_get(search->last, "version") != NULL) {
		json_object_set(search->page, "version", json_object_get(search->last, "version"));
	}
	return true;
}

/* Whose version is asked: what a page is taken for may be wrong, what a user says is not. */
static const struct engine *engine_of(const struct page_search *search)
{
	return engine_by_type(
		json_path_string(search->request, "engine", json_path_string(search->page, "engine", "")));
}

static void on_version(void *ctx, const struct http_response *response)
{
	struct page_search *search = ctx;
	const struct engine *engine = engine_of(search);
	auto_json *answer = NULL;
	const char *version;

	search->fetch = NULL;
	/* An engine that answers otherwise tells none; one that does not answer is asked again. */
	if (response->error == NULL || response->too_large) {
		json_object_set_new(search->page, "image", json_string(search->image));
	}
	if (response->error == NULL && response->status == 200) {
		answer = json_parse(response->body, response->body_len, NULL);
		version = json_path_string(answer, engine->version_member, NULL);
		if (version != NULL) {
			json_object_set_new(search->page, "version", reading_text(version));
		}
	}
	finish(search);
}

static void settle(struct page_search *search)
{
	const struct engine *engine = engine_of(search);
	auto_free char *url = NULL;

	if (engine == NULL || engine->version_path == NULL || remembers_version(search)) {
		finish(search);
		return;
	}
	url = xasprintf("%s:%lld%s", search->authority, (long long)json_path_int(search->page, "port", 0),
		engine->version_path);
	get(search, url, engine->version_max > 0 ? engine->version_max : ENGINE_VERSION_MAX, on_version);
}

static void report_try(struct page_search *search, const char *text)
{
	if (search->reported++ < REPORTED_MAX) {
		strbuf_addf(&search->tries, "%s%s", search->reported > 1 ? "; " : "", text);
	}
}

static void report_refusal(struct page_search *search, const struct http_response *response)
{
	auto_free char *text = NULL;

	if (response->error != NULL) {
		text = xasprintf("pod '%s' does not serve '%s': %s", search->pod, search->url,
			response->error->message);
	} else {
		text = xasprintf("pod '%s' answers HTTP %d at '%s'%s", search->pod, response->status, search->url,
			response->status >= 300 && response->status < 400 ? ", a redirect, which is not followed" : "");
	}
	report_try(search, text);
}

/* It may be the engine's, so that it is reported rather than the tries elsewhere. */
static void report_beyond_limit(struct page_search *search, char *text_take)
{
	if (search->beyond == NULL) {
		search->beyond = text_take;
	} else {
		free_indirect(&text_take);
	}
}

/* A pod may serve other pages too, of a sidecar or of its language's runtime. */
static bool is_the_page(const struct page_search *search, const json_t *page)
{
	const char *wanted = json_path_string(search->request, "engine", NULL);
	const char *found = json_path_string(page, "engine", NULL);

	if (wanted == NULL) {
		return found != NULL;
	}
	return json_array_size(json_object_get(page, "series")) > 0 || (found != NULL && strcmp(found, wanted) == 0);
}

/* The document of a page; NULL when it exceeds a limit. */
static json_t *read_page(struct page_search *search, const char *body, const json_t *candidate)
{
	auto_error refused = ERROR_INIT;
	auto_page *page = page_of_engines(body, &refused);
	json_t *document;

	if (page == NULL) {
		report_beyond_limit(search,
			xasprintf("the page of pod '%s' at '%s' %s", search->pod, search->url, refused.message));
		return NULL;
	}
	document = reading_page(page, search->url, search->pod, search->wanted);
	json_object_set(document, "port", json_object_get(candidate, "port"));
	json_object_set(document, "path", json_object_get(candidate, "path"));
	json_object_set_new(document, "values",
		json_pack("{s:o}", search->pod,
			reading_page_values(page, json_object_get(search->request, "signals"))));
	return document;
}

static void on_page(void *ctx, const struct http_response *response)
{
	struct page_search *search = ctx;
	const json_t *candidate = json_array_get(json_object_get(search->request, "pages"), search->next++);
	json_t *page = NULL;

	search->fetch = NULL;
	if (response->status == 200 && response->too_large) {
		report_beyond_limit(search,
			xasprintf(
				"the page of pod '%s' at '%s' is larger than %u KiB, the most that is read: let the engine "
				"report fewer series, or set spec.engine.port and path if its page is another",
				search->pod, search->url, PAGE_MAX_BYTES / 1024));
	} else if (response->error != NULL || response->status != 200) {
		report_refusal(search, response);
	} else {
		page = read_page(search, response->body, candidate);
	}
	if (page != NULL && is_the_page(search, page)) {
		free_indirect(&search->beyond);
		json_decref(search->page);
		search->page = page;
		settle(search);
		return;
	}
	if (search->page == NULL) {
		search->page = page;
	} else {
		json_decref(page);
	}
	read_next(search);
}

static void read_next(struct page_search *search)
{
	const json_t *pages = json_object_get(search->request, "pages");
	const json_t *candidate = json_array_get(pages, search->next);
	bool late = search->spent_ms > SEARCH_MAX_MS;

	if (candidate == NULL || late || search->cancelled) {
		size_t unreported = search->reported > REPORTED_MAX ? search->reported - REPORTED_MAX : 0;

		unreported += json_array_size(pages) - search->next;
		if (unreported > 0) {
			strbuf_addf(&search->tries, "; and %zu more", unreported);
		}
		strbuf_addstr(&search->tries, ": set spec.engine.port and path to its metrics page");
		finish(search);
		return;
	}
	free_indirect(&search->url);
	search->url = xasprintf("%s:%lld%s", search->authority, (long long)json_path_int(candidate, "port", 0),
		json_path_string(candidate, "path", "/metrics"));
	get(search, search->url, PAGE_MAX_BYTES, on_page);
}

/* The series of all signals that come from the page; new reference. */
static json_t *wanted_series(const json_t *request)
{
	json_t *wanted = json_array();
	size_t i;
	json_t *signal;

	json_array_foreach(json_object_get(request, "signals"), i, signal) {
		if (json_path_bool(signal, "page", false)) {
			json_array_extend(wanted, json_object_get(signal, "series"));
		}
	}
	return wanted;
}

struct page_search *page_search_start(const struct page_search_order *order)
{
	struct page_search *search = xcalloc(1, sizeof(*search));

	*search = (struct page_search){.fetches = order->fetches,
		.request = json_incref(order->request),
		.pod = xstrdup(kube_object_name(order->pod)),
		.authority = reading_pod_authority(order->pod, json_path_string(order->request, "scheme", "http")),
		.image = reading_pod_image(order->pod),
		.last = json_incref((json_t *)order->last),
		.wanted = wanted_series(order->request),
		.tries = STRBUF_INIT,
		.done = order->done,
		.ctx = order->ctx};
	read_next(search);
	return search;
}

void page_search_cancel(struct page_search *search)
{
	search->cancelled = true;
	page_fetch_cancel(search->fetch);
}
