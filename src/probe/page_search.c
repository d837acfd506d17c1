/* Reading a pod's candidate pages, one after the other. */
#include "page_search.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "engine/page.h"
#include "engine/presets.h"
#include "pods/pod_counts.h"
#include "page_tries.h"
#include "reading.h"

#define CONNECT_TIMEOUT_MS 3000
#define REQUEST_TIMEOUT_MS 5000
#define LIMIT_MAX 1000000
#define SEARCH_MAX_MS 15000 /* no further page is begun after this, without the time in line */

struct page_search {
	struct page_fetches *fetches;
	struct page_fetch *fetch; /* under way */
	const struct probe_request *request;
	char *pod;
	char *authority;     /* "scheme://address" */
	const char *refused; /* why nothing is read there; NULL = it may be */
	char *image;
	const struct page_seen *last; /* NULL = none */
	struct texts wanted;          /* series */
	int64_t spent_ms;
	size_t next;             /* candidate */
	char *url;               /* being read */
	bool found;              /* a page */
	struct page_seen page;   /* the best one so far */
	char *beyond;            /* what is said of the first page that exceeds a limit; NULL = none did */
	struct page_tries tries; /* in vain */
	bool cancelled;
	void (*done)(void *ctx, struct page_seen *seen_take);
	void *ctx;
};

static void read_next(struct page_search *search);

static const char *path_of(const struct page_place *place)
{
	return place->path != NULL ? place->path : "/metrics";
}

static void finish(struct page_search *search)
{
	bool failed = search->beyond != NULL || !search->found;

	if (failed) {
		auto_free char *tries = page_tries_text(&search->tries, search->request->pages.count - search->next);
		const char *text = search->beyond != NULL ? search->beyond : tries;

		shape_release(&shape_page_seen, &search->page);
		search->page.pod = xstrdup(search->pod);
		failure_set(&search->page.failure, search->beyond != NULL ? CAUSE_PAGE_TOO_LARGE : CAUSE_NONE,
			reading_text(text));
	}
	search->done(search->ctx, &search->page);
	texts_release(&search->wanted);
	free_indirect(&search->pod);
	free_indirect(&search->authority);
	free_indirect(&search->image);
	free_indirect(&search->url);
	free_indirect(&search->beyond);
	page_tries_release(&search->tries);
	free_indirect(&search);
}

static void get(struct page_search *search, const char *url, size_t max_body, http_done_fn *done)
{
	search->fetch = page_fetch_start(search->fetches, &(struct page_fetch_order){.url = url,
								  .refused = search->refused,
								  .timeout_ms = REQUEST_TIMEOUT_MS,
								  .connect_timeout_ms = CONNECT_TIMEOUT_MS,
								  .max_body = max_body,
								  .spent_ms = &search->spent_ms,
								  .done = done,
								  .ctx = search});
}

static void add_limit(struct page_seen *page, const char *signal, int64_t most)
{
	struct signal_limit *limit = shape_add(&shape_signal_limit, &page->limits);

	limit->signal = xstrdup(signal);
	limit->most = most;
}

/* The limits that the engine tells where it tells its version. */
static void read_limits(const struct engine *engine, const json_t *answer, struct page_seen *page)
{
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		const char *member = engine->signals[i].limit_member;
		int64_t most = member != NULL ? json_path_int(answer, member, 0) : 0;

		if (most >= 1 && most <= LIMIT_MAX) {
			add_limit(page, engine->signals[i].name, most);
		}
	}
}

/* As they were read then. */
static void remember_limits(const struct engine *engine, const struct page_seen *last, struct page_seen *page)
{
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		const struct engine_signal *signal = &engine->signals[i];
		const struct signal_limit *limit = shape_find(&shape_signal_limit, &last->limits, signal->name);

		if (signal->limit_member != NULL && limit != NULL) {
			add_limit(page, signal->name, limit->most);
		}
	}
}

/* What the pod says of its version is remembered for as long as it runs the same. */
static bool remembers_version(struct page_search *search, const struct engine *engine)
{
	const struct page_seen *last = search->last;

	if (last == NULL || last->image == NULL || strcmp(last->image, search->image) != 0 ||
		!text_equal(last->engine, search->page.engine)) {
		return false;
	}
	search->page.image = xstrdup(last->image);
	search->page.version = xstrdup(last->version);
	remember_limits(engine, last, &search->page);
	return true;
}

/* Whose version is asked: what a page is taken for may be wrong, what a user says is not. */
static const struct engine *engine_of(const struct page_search *search)
{
	const char *type = search->request->engine != NULL ? search->request->engine : search->page.engine;

	return type != NULL ? engine_by_type(type) : NULL;
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
		search->page.image = xstrdup(search->image);
	}
	if (response->error == NULL && response->status == 200) {
		answer = json_parse(response->body, response->body_len, NULL);
		version = json_path_string(answer, engine->version_member, NULL);
		search->page.version = version != NULL ? reading_text(version) : NULL;
		read_limits(engine, answer, &search->page);
	}
	finish(search);
}

static void settle(struct page_search *search)
{
	const struct engine *engine = engine_of(search);
	auto_free char *url = NULL;

	if (engine == NULL || engine->version_path == NULL || remembers_version(search, engine)) {
		finish(search);
		return;
	}
	url = xasprintf("%s:%lld%s", search->authority, (long long)search->page.port, engine->version_path);
	get(search, url, engine->version_max > 0 ? engine->version_max : ENGINE_VERSION_MAX, on_version);
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
static bool is_the_page(const struct page_search *search, const struct page_seen *page)
{
	const char *wanted = search->request->engine;

	if (page->router != NULL) {
		return false;
	}
	if (wanted == NULL) {
		return page->engine != NULL;
	}
	return page->series.count > 0 || text_equal(page->engine, wanted);
}

/* What is seen of a page, with its values; false when it exceeds a limit. */
static bool read_page(struct page_search *search, const char *body, const struct page_place *place,
	struct page_seen *seen)
{
	auto_error refused = ERROR_INIT;
	auto_page *page = reading_page_for(body, search->request, &refused);
	struct page_values *values;

	if (page == NULL) {
		report_beyond_limit(search,
			xasprintf("the page of pod '%s' at '%s' %s", search->pod, search->url, refused.message));
		return false;
	}
	reading_page(page, &search->wanted, seen);
	seen->url = xstrdup(search->url);
	seen->pod = xstrdup(search->pod);
	seen->port = place->port;
	seen->path = xstrdup(path_of(place));
	values = shape_add(&shape_page_values, &seen->values);
	values->pod = xstrdup(search->pod);
	reading_page_values(page, search->request, values);
	return true;
}

/* Takes the page if it is better than what was found before; whether it is the one that is searched. */
static bool take_page(struct page_search *search, struct page_seen *page)
{
	bool it = is_the_page(search, page);

	if (it || !search->found || (page->router != NULL && search->page.router == NULL)) {
		shape_release(&shape_page_seen, &search->page);
		search->page = *page;
		search->found = true;
	} else {
		shape_release(&shape_page_seen, page);
	}
	return it;
}

static void on_page(void *ctx, const struct http_response *response)
{
	struct page_search *search = ctx;
	const struct page_place *place = &search->request->pages.items[search->next++];
	struct page_seen page;

	search->fetch = NULL;
	shape_clear(&shape_page_seen, &page);
	if (response->status == 200 && response->too_large) {
		report_beyond_limit(search,
			xasprintf(
				"the page of pod '%s' at '%s' is larger than %u KiB, the most that is read: let the engine "
				"report fewer series, or set spec.engine.port and path if its page is another",
				search->pod, search->url, PAGE_MAX_BYTES / 1024));
	} else if (page_try_is_in_vain(response)) {
		page_tries_add(&search->tries, search->pod, search->url, response);
	} else if (read_page(search, response->body, place, &page) && take_page(search, &page)) {
		free_indirect(&search->beyond);
		settle(search);
		return;
	}
	read_next(search);
}

static void read_next(struct page_search *search)
{
	size_t count = search->request->pages.count;
	bool late = search->spent_ms > SEARCH_MAX_MS;
	const struct page_place *place;

	if (search->next >= count || late || search->cancelled) {
		finish(search);
		return;
	}
	place = &search->request->pages.items[search->next];
	free_indirect(&search->url);
	search->url = xasprintf("%s:%lld%s", search->authority, (long long)place->port, path_of(place));
	get(search, search->url, PAGE_MAX_BYTES, on_page);
}

/* The series of all signals that come from the page. */
static struct texts wanted_series(const struct probe_request *request)
{
	struct texts wanted = {NULL, 0};

	for (size_t i = 0; i < request->signals.count; i++) {
		const struct signal_request *signal = &request->signals.items[i];

		for (size_t k = 0; signal->page && k < signal->series.count; k++) {
			texts_add(&wanted, signal->series.items[k]);
		}
	}
	return wanted;
}

struct page_search *page_search_start(const struct page_search_order *order)
{
	struct page_search *search = xcalloc(1, sizeof(*search));
	const struct probe_request *request = order->request;
	const struct digest *image = &order->pod->image;

	*search = (struct page_search){.fetches = order->fetches,
		.request = request,
		.pod = xstrdup(order->pod->view.meta.name),
		.authority = pod_authority(order->pod, request->scheme != NULL ? request->scheme : "http"),
		.refused = page_fetches_refuse(order->fetches, order->pod),
		.image = xasprintf("%016" PRIx64 "%016" PRIx64, image->high, image->low),
		.last = order->last,
		.wanted = wanted_series(request),
		.done = order->done,
		.ctx = order->ctx};
	shape_clear(&shape_page_seen, &search->page);
	read_next(search);
	return search;
}

void page_search_cancel(struct page_search *search)
{
	search->cancelled = true;
	page_fetch_cancel(search->fetch);
}
