/* One look at an autoscaler's chain: pods, page, scrape, then each signal by itself. */
#include "round.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/resource.h"
#include "page_reads.h"
#include "page_search.h"
#include "pod_start.h"
#include "question.h"
#include "reading.h"
#include "scale_query.h"
#include "signal_walk.h"

#define DOUBT_AGAIN_MS 1500

static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};

struct round {
	struct round_peers peers;
	json_t *wish;
	json_t *last;
	json_t *evidence;
	json_t *list;    /* PodList; NULL = not answered yet */
	json_t *counted; /* the pods that do: reading.h */
	bool healthy;
	bool cancelled;
	struct kube_call *call;
	struct scale_query *scale;
	struct page_search *search;
	struct page_reads *reads;
	struct signal_walk *walks;
	size_t walks_count;
	size_t walking;   /* of them, still under way */
	int64_t again_ms; /* how soon another look is wanted; 0 = at its time */
	void (*listed)(void *ctx);
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

json_t *round_of_before(const json_t *before, const json_t *document)
{
	json_t *copy;

	if (json_path(document, "error") == NULL || before == NULL || json_path(before, "error") != NULL) {
		return NULL;
	}
	copy = json_copy((json_t *)before);
	json_object_del(copy, "values");
	return copy;
}

void round_record(json_t *evidence, const char *name, json_t *document, int64_t at_ms)
{
	json_object_set_new(document, "at", json_integer(at_ms));
	json_object_set_new(evidence, name, document);
}

void round_fail(json_t *document, const struct prometheus_answer *answer)
{
	if (answer->error != NULL) {
		json_object_set_new(document, "error", reading_text(answer->error));
	}
	if (answer->cause != NULL) {
		json_object_set_new(document, "cause", json_string(answer->cause));
	}
}

/* The error of the first of these pods by name, or of a target that is no pod's; NULL when none has any. */
static json_t *error_of(const json_t *errors, const json_t *blamed)
{
	auto_json *names = json_sorted_keys(errors);
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name) {
		const char *pod = json_string_value(name);

		if (blamed == NULL || pod[0] == '\0' || json_object_get(blamed, pod) != NULL) {
			return json_object_get(errors, pod);
		}
	}
	return NULL;
}

void round_blame(json_t *document, const char *pool, const json_t *blamed, const struct prometheus_answer *answer)
{
	json_t *error = error_of(json_object_get(answer->index, pool), blamed);

	if (answer->error != NULL) {
		auto_free char *text = xasprintf("its words cannot be read (%s)", answer->error);

		json_object_set_new(document, "lastError", reading_text(text));
	} else if (error != NULL) {
		json_object_set(document, "lastError", error);
	}
}

static void round_end(struct round *round)
{
	if (round->again_ms > 0) {
		json_object_set_new(round->evidence, "againMs", json_integer(round->again_ms));
	}
	round->done(round->ctx, round->evidence);
	json_decref(round->wish);
	json_decref(round->last);
	json_decref(round->list);
	json_decref(round->counted);
	free_indirect(&round->walks);
	free_indirect(&round);
}

/* The pods' labels: told, or found on the target. */
static const char *selector_of(const struct round *round)
{
	return json_path_string(round->wish, "selector", json_path_string(round->evidence, "target.selector", ""));
}

static void ask(struct round *round, char *target_take, json_t *(*index)(const json_t *), prometheus_done_fn *done,
	void *ctx)
{
	const struct prometheus_question question = {.base = json_path_string(round->wish, "prometheus", ""),
		.target = target_take,
		.index = index,
		.steady = index == question_scrapes_index};

	prometheus_ask(round->peers.prometheus, &question, round->healthy, done, ctx);
	free_indirect(&target_take);
}

/* 4. Each signal by itself. */

static bool shares_element(const json_t *one, const json_t *other)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)one, i, item) {
		if (json_holds(other, item)) {
			return true;
		}
	}
	return false;
}

/* Whether what lies before the signal's own links showed something. */
static bool can_walk(const struct round *round, const json_t *signal)
{
	if (json_path_string(round->wish, "prometheus", NULL) == NULL || round->cancelled) {
		return false;
	}
	if (!json_path_bool(signal, "page", false)) {
		return true;
	}
	return json_path(round->evidence, "prometheus") != NULL &&
	       json_path(round->evidence, "prometheus.error") == NULL &&
	       shares_element(json_object_get(signal, "series"), json_path(round->evidence, "page.series"));
}

static void on_walked(void *ctx)
{
	struct round *round = ctx;

	if (--round->walking > 0) {
		return;
	}
	for (size_t i = 0; i < round->walks_count; i++) {
		int64_t again_ms = round->walks[i].again_ms;

		if (again_ms > 0 && (round->again_ms == 0 || again_ms < round->again_ms)) {
			round->again_ms = again_ms;
		}
	}
	round_end(round);
}

static void walk_signals(struct round *round)
{
	const json_t *signals = json_object_get(round->wish, "signals");
	json_t *evidence = json_object();
	size_t i;
	json_t *signal;

	json_object_set_new(round->evidence, "signals", evidence);
	round->walks = xcalloc(json_array_size(signals) + 1, sizeof(*round->walks));
	json_array_foreach((json_t *)signals, i, signal) {
		if (can_walk(round, signal)) {
			json_t *own = json_object();

			json_object_set_new(evidence, json_path_string(signal, "metric", ""), own);
			round->walks[round->walks_count++] = (struct signal_walk){.peers = &round->peers,
				.wish = round->wish,
				.last = round->last,
				.round = round->evidence,
				.counted = round->counted,
				.selector = selector_of(round),
				.signal = signal,
				.evidence = own,
				.healthy = round->healthy,
				.done = on_walked,
				.ctx = round};
		}
	}
	round->walking = round->walks_count;
	for (i = 0; i < round->walks_count; i++) {
		signal_walk_start(&round->walks[i]);
	}
	if (round->walks_count == 0) {
		round_end(round);
	}
}

/* 3. The scrape of our metrics Service. */

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct round *round = ctx;

	/* A pod that leaves refuses its last scrape: that is no failure. */
	round_blame(json_object_get(round->evidence, "prometheus"), json_path_string(round->wish, "pool", ""),
		round->counted, answer);
	walk_signals(round);
}

static void on_scrapes(void *ctx, const struct prometheus_answer *answer)
{
	struct round *round = ctx;
	const char *url = json_path_string(round->wish, "prometheus", "");
	const char *ns = json_path_string(round->wish, "namespace", "");
	const json_t *jobs = json_object_get(answer->index, ns);
	const json_t *scrapes = json_object_get(jobs, json_path_string(round->wish, "service", ""));
	const char *pool = json_path_string(round->wish, "pool", NULL);

	if (answer->error != NULL) {
		json_t *document = json_pack("{s:s}", "url", url);

		round_fail(document, answer);
		round_record(round->evidence, "prometheus", document, answer->at_ms);
		walk_signals(round);
		return;
	}
	round_record(round->evidence, "prometheus",
		json_pack("{s:s, s:I, s:I}", "url", url, "up", json_path_int(scrapes, "up", 0), "down",
			json_path_int(scrapes, "down", 0)),
		answer->at_ms);
	if (json_path_int(scrapes, "down", 0) > 0 && pool != NULL && !round->cancelled) {
		ask(round, question_pool(pool), question_pool_index, on_pool, round);
	} else {
		walk_signals(round);
	}
}

/* 2. One pod's page, a ready one's if there is any, then the values on some others'. */

static void on_read(void *ctx)
{
	struct round *round = ctx;

	round->reads = NULL;
	if (json_path_string(round->wish, "prometheus", NULL) != NULL && !round->cancelled) {
		ask(round, question_scrapes(), question_scrapes_index, on_scrapes, round);
	} else {
		walk_signals(round);
	}
}

/* A pod that is about to go refuses us before we are told that it goes: the first failed read after a good one
 * is doubted, and the good one stands until the next read, soon. NULL = it is to be believed. */
static json_t *page_of_before(struct round *round, const json_t *document)
{
	const json_t *before = json_object_get(round->last, "page");
	json_t *page;

	if (json_path_bool(before, "doubted", false) ||
		!json_equal(json_object_get(round->last, "asked"), round->wish)) {
		return NULL;
	}
	page = round_of_before(before, document);
	if (page != NULL) {
		json_object_set_new(page, "doubted", json_true());
		round->again_ms = DOUBT_AGAIN_MS;
	}
	return page;
}

static void on_page(void *ctx, json_t *document_take)
{
	struct round *round = ctx;
	json_t *before = page_of_before(round, document_take);

	round->search = NULL;
	if (before != NULL) {
		json_decref(document_take);
		json_object_set_new(round->evidence, "page", before);
		on_read(round);
		return;
	}
	round_record(round->evidence, "page", document_take, clock_wall_ms());
	if (json_path(document_take, "error") != NULL || round->cancelled) {
		walk_signals(round);
		return;
	}
	round->reads = page_reads_start(&(struct page_reads_order){.fetches = round->peers.fetches,
		.wish = round->wish,
		.pods = round->list,
		.counted = round->counted,
		.page = document_take,
		.done = on_read,
		.ctx = round});
	if (round->reads == NULL) {
		on_read(round);
	}
}

/* 1. The target's pods. */

static void on_pods(void *ctx, json_t *result, const struct error *err)
{
	struct round *round = ctx;
	const json_t *first = NULL;
	json_t *pods_document;
	json_t *start;

	round->call = NULL;
	round->listed(round->ctx);
	if (err != NULL) {
		auto_free char *text = xasprintf("cannot list the target's pods: %s%s", err->message,
			err->kind == ERROR_FORBIDDEN ? "; give the operator this right, by the chart's roles" : "");

		round_record(round->evidence, "pods", json_pack("{s:o}", "error", reading_text(text)), clock_wall_ms());
		round_end(round);
		return;
	}
	pods_document = reading_pods(result, json_object_get(round->wish, "target"), round->counted, &first);
	start = pod_start_quickest(result, round->counted, json_path(round->last, "pods.start"));
	if (start != NULL) {
		json_object_set_new(pods_document, "start", start);
	}
	round_record(round->evidence, "pods", pods_document, clock_wall_ms());
	round->list = json_incref(result);
	if (first == NULL || round->cancelled) {
		round_end(round);
	} else if (json_array_size(json_object_get(round->wish, "pages")) == 0) {
		walk_signals(round);
	} else {
		round->search = page_search_start(&(struct page_search_order){.fetches = round->peers.fetches,
			.wish = round->wish,
			.pod = first,
			.last = json_object_get(round->last, "page"),
			.done = on_page,
			.ctx = round});
	}
}

static void ask_pods(struct round *round)
{
	auto_free char *path = kube_resource_path(&pods, json_path_string(round->wish, "namespace", ""), NULL);
	auto_strbuf query = STRBUF_INIT;

	strbuf_addf(&query, "%s?labelSelector=", path);
	strbuf_add_urlencoded(&query, selector_of(round));
	round->call = kube_request(round->peers.client, "GET", query.buf, NULL, NULL, on_pods, round);
}

/* 0. The target itself, when it is of a kind that is not watched. */

static void on_scale(void *ctx, json_t *document_take)
{
	struct round *round = ctx;

	round->scale = NULL;
	round_record(round->evidence, "target", document_take, clock_wall_ms());
	if (json_path(document_take, "error") == NULL && !round->cancelled) {
		ask_pods(round);
	} else {
		round_end(round);
	}
}

struct round *round_start(const struct round_order *order)
{
	struct round *round = xcalloc(1, sizeof(*round));

	*round = (struct round){.peers = *order->peers,
		.wish = json_incref(order->wish),
		.last = json_incref((json_t *)order->last),
		.evidence = json_pack("{s:O}", "asked", order->wish),
		.counted = json_object(),
		.healthy = order->healthy,
		.listed = order->listed,
		.done = order->done,
		.ctx = order->ctx};
	if (json_path_string(order->wish, "selector", NULL) != NULL) {
		ask_pods(round);
	} else {
		round->scale = scale_query_start(round->peers.client, json_path_string(order->wish, "namespace", ""),
			json_object_get(order->wish, "target"), on_scale, round);
	}
	return round;
}

void round_cancel(struct round *round)
{
	round->cancelled = true;
	if (round->call != NULL) {
		kube_call_cancel(round->call);
	}
	if (round->scale != NULL) {
		scale_query_cancel(round->scale);
	}
	if (round->search != NULL) {
		page_search_cancel(round->search);
	}
	if (round->reads != NULL) {
		page_reads_cancel(round->reads);
	}
	for (size_t i = 0; i < round->walks_count; i++) {
		signal_walk_cancel(&round->walks[i]);
	}
}
