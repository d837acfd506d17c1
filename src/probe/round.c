/* One look at an autoscaler's chain: pods, page, scrape, then each signal by itself. */
#include "round.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "comparison.h"
#include "kube/resource.h"
#include "metric_query.h"
#include "page_reads.h"
#include "page_search.h"
#include "pod_start.h"
#include "question.h"
#include "reading.h"
#include "scale_query.h"

#define FRESH_INTERVALS 3
#define RECORD_INTERVAL_MS 15000
#define SERIES_GRACE_MS 30000 /* beyond FRESH_INTERVALS: discovery and the first scrape */
#define METRIC_GRACE_MS 90000 /* beyond FRESH_INTERVALS: and the adapter's relist */
#define DOUBT_AGAIN_MS 1500

static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};

/* A signal on its way along the links that are its own. */
struct walk {
	struct round *round;
	const json_t *signal;  /* of the wish */
	json_t *evidence;      /* borrowed from the round's */
	const json_t *last_apart; /* of the round before; NULL = it knew of nothing, or asked otherwise */
	struct metric_query *query;
};

struct round {
	struct round_peers peers;
	json_t *wish;
	json_t *last;
	json_t *evidence;
	json_t *list;  /* PodList; NULL = not answered yet */
	json_t *ready; /* pods: reading.h */
	bool healthy;
	bool cancelled;
	struct kube_call *call;
	struct scale_query *scale;
	struct page_search *search;
	struct page_reads *reads;
	struct walk *walks;
	size_t walks_count;
	size_t walking;
	int64_t again_ms; /* when values that are apart want another look; 0 = they do not */
	void (*listed)(void *ctx);
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

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

void round_blame(json_t *document, const char *pool, const struct prometheus_answer *answer)
{
	json_t *error = json_object_get(answer->index, pool);

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
	json_decref(round->ready);
	free_indirect(&round->walks);
	free_indirect(&round);
}

/* How far apart samples are. One that is recorded is as old as its rule's interval, whatever that of
 * the scrape is. */
static json_int_t interval_ms(const struct walk *walk)
{
	json_int_t interval = json_path_int(walk->round->wish, "intervalMs", RECORD_INTERVAL_MS);

	if (!json_path_bool(walk->signal, "page", false) && interval < RECORD_INTERVAL_MS) {
		interval = RECORD_INTERVAL_MS;
	}
	return interval;
}

static json_int_t fresh_ms(const struct walk *walk)
{
	return interval_ms(walk) * FRESH_INTERVALS;
}

/* The pods' labels: told, or found on the target. */
static const char *selector_of(const struct round *round)
{
	return json_path_string(round->wish, "selector", json_path_string(round->evidence, "target.selector", ""));
}

static void ask(struct round *round, char *target_take, json_t *(*index)(const json_t *), prometheus_done_fn *done,
	void *ctx)
{
	const struct prometheus_question question = {
		.base = json_path_string(round->wish, "prometheus", ""), .target = target_take, .index = index,
		.steady = index == question_scrapes_index};

	prometheus_ask(round->peers.prometheus, &question, round->healthy, done, ctx);
	free_indirect(&target_take);
}

/* 4. Each signal by itself: its samples in Prometheus, then its metric. */

/* The object under this key, made when it is not there; borrowed. */
static json_t *child_object(json_t *parent, const char *key)
{
	if (json_object_get(parent, key) == NULL) {
		json_object_set_new(parent, key, json_object());
	}
	return json_object_get(parent, key);
}

static void walk_end(struct walk *walk)
{
	struct round *round = walk->round;

	walk->query = NULL;
	if (--round->walking == 0) {
		round_end(round);
	}
}

/* A value of this pod and its sample, compared: the memory of the round before goes on. Evidence's `apart`
 * holds what is apart. */
static void compare(struct walk *walk, const char *hop, const char *pod, const json_t *value, int64_t at_ms)
{
	struct round *round = walk->round;
	const json_t *series = json_object_get(walk->evidence, "series");
	const json_t *sample = json_object_get(json_object_get(series, "samples"), pod);
	const json_t *milli = json_object_get(sample, "milli");
	const json_t *before = json_object_get(json_object_get(walk->last_apart, hop), pod);
	json_t *memory;

	if (!json_is_integer(value) || milli == NULL || json_path_int(sample, "age", 0) >= fresh_ms(walk)) {
		return;
	}
	memory = comparison_step(before, &(struct comparison){.value = json_integer_value(value),
						 .look_at_ms = at_ms,
						 .sample = json_integer_value(milli),
						 .sample_time = json_path_int(sample, "time", 0),
						 .sample_at_ms = json_path_int(series, "at", 0) -
								 json_path_int(sample, "age", 0),
						 .interval_ms = interval_ms(walk)});
	if (memory != NULL) {
		int64_t again_ms = comparison_again_ms(memory, interval_ms(walk), clock_wall_ms());

		if (again_ms > 0 && (round->again_ms == 0 || again_ms < round->again_ms)) {
			round->again_ms = again_ms;
		}
		json_object_set_new(child_object(child_object(walk->evidence, "apart"), hop), pod, memory);
	}
}

static void on_metric(void *ctx, json_t *document_take)
{
	struct walk *walk = ctx;
	int64_t now_ms = clock_wall_ms();
	const char *pod;
	json_t *value;

	round_record(walk->evidence, "metric", document_take, now_ms);
	json_object_foreach(json_object_get(document_take, "values"), pod, value) {
		compare(walk, "metric", pod, value, now_ms);
	}
	walk_end(walk);
}

static void ask_metric(struct walk *walk)
{
	struct round *round = walk->round;

	walk->query = metric_query_start(&(struct metric_order){.client = round->peers.client,
		.ns = json_path_string(round->wish, "namespace", ""),
		.selector = selector_of(round),
		.metric = json_path_string(walk->signal, "metric", ""),
		.ready = round->ready,
		.grace_ms = fresh_ms(walk) + METRIC_GRACE_MS,
		.done = on_metric,
		.ctx = walk});
}

/* Who gives Prometheus samples of the pods: asked only while a page's values are not those that it has. */
static void on_scrapers(void *ctx, const struct prometheus_answer *answer)
{
	struct walk *walk = ctx;
	const char *ns = json_path_string(walk->round->wish, "namespace", "");
	json_t *scrapers = json_object();
	const char *pod;
	json_t *memory;

	json_object_foreach(json_path(walk->evidence, "apart.page"), pod, memory) {
		json_t *jobs = json_object_get(json_object_get(answer->index, ns), pod);

		if (jobs != NULL) {
			json_object_set(scrapers, pod, jobs);
		}
	}
	json_object_set_new(walk->evidence, "scrapers", scrapers);
	if (walk->round->cancelled) {
		walk_end(walk);
	} else {
		ask_metric(walk);
	}
}

/* With what the pages said, or, of GPUs, with what would be recorded now. */
static void compare_samples(struct walk *walk)
{
	const json_t *evidence = walk->round->evidence;
	const char *metric = json_path_string(walk->signal, "metric", "");
	const char *pod;
	json_t *values;

	json_object_foreach(json_path(evidence, "page.values"), pod, values) {
		compare(walk, "page", pod, json_object_get(values, metric), json_path_int(evidence, "page.at", 0));
	}
	json_object_foreach(json_path(walk->evidence, "series.samples"), pod, values) {
		compare(walk, "record", pod, json_object_get(values, "source"),
			json_path_int(walk->evidence, "series.at", 0));
	}
}

static void on_samples(void *ctx, const struct prometheus_answer *answer)
{
	struct walk *walk = ctx;
	struct round *round = walk->round;
	const char *ns = json_path_string(round->wish, "namespace", "");
	const struct reading_grace grace = {answer->at_ms, fresh_ms(walk) + SERIES_GRACE_MS};
	json_t *document;
	json_int_t found;

	if (answer->error != NULL) {
		document = json_object();
		round_fail(document, answer);
		round_record(walk->evidence, "series", document, answer->at_ms);
		walk_end(walk);
		return;
	}
	document = reading_series(json_object_get(answer->index, ns), round->ready, fresh_ms(walk), &grace);
	found = json_path_int(document, "pods", 0);
	round_record(walk->evidence, "series", document, answer->at_ms);
	compare_samples(walk);
	if (found == 0 || round->cancelled) {
		walk_end(walk);
	} else if (comparison_suspects(json_path(walk->evidence, "apart.page"))) {
		ask(round, question_scrapers(json_object_get(walk->signal, "series")), question_scrapers_index, on_scrapers,
			walk);
	} else {
		ask_metric(walk);
	}
}

static bool shares_element(const json_t *one, const json_t *other)
{
	size_t i;
	size_t j;
	json_t *a;
	json_t *b;

	json_array_foreach((json_t *)one, i, a) {
		json_array_foreach((json_t *)other, j, b) {
			if (json_equal(a, b)) {
				return true;
			}
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

static const json_t *last_apart(const struct round *round, const json_t *signal)
{
	const json_t *signals = json_object_get(round->last, "signals");

	return json_equal(json_object_get(round->last, "asked"), round->wish)
		       ? json_object_get(json_object_get(signals, json_path_string(signal, "metric", "")), "apart")
		       : NULL;
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
			round->walks[round->walks_count++] =
				(struct walk){.round = round, .signal = signal, .evidence = own,
					.last_apart = last_apart(round, signal)};
		}
	}
	round->walking = round->walks_count;
	for (i = 0; i < round->walks_count; i++) {
		struct walk *walk = &round->walks[i];

		ask(round,
			question_samples(json_object_get(walk->signal, "series"),
				json_path_string(walk->signal, "metric", "")),
			question_samples_index, on_samples, walk);
	}
	if (round->walks_count == 0) {
		round_end(round);
	}
}

/* 3. The scrape of our metrics Service. */

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct round *round = ctx;

	round_blame(json_object_get(round->evidence, "prometheus"), json_path_string(round->wish, "pool", ""), answer);
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

/* 2. One ready pod's page, then the values on some others'. */

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

	if (json_path(document, "error") == NULL || before == NULL || json_path(before, "error") != NULL ||
		json_path_bool(before, "doubted", false) ||
		!json_equal(json_object_get(round->last, "asked"), round->wish)) {
		return NULL;
	}
	page = json_copy((json_t *)before);
	json_object_set_new(page, "doubted", json_true());
	/* They are not of this round. */
	json_object_del(page, "values");
	round->again_ms = DOUBT_AGAIN_MS;
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
	round->reads = page_reads_start(&(struct page_reads_order){.http = round->peers.http,
		.wish = round->wish,
		.pods = round->list,
		.ready = round->ready,
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
	pods_document = reading_pods(result, json_object_get(round->wish, "target"), round->ready, &first);
	start = pod_start_quickest(result, round->ready, json_path(round->last, "pods.start"));
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
		round->search = page_search_start(&(struct page_search_order){.http = round->peers.http,
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
		.ready = json_object(),
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
		if (round->walks[i].query != NULL) {
			metric_query_cancel(round->walks[i].query);
		}
	}
}
