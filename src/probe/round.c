/* One look at an autoscaler's chain: pods, page, scrape, then each signal by itself. */
#include "round.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/resource.h"
#include "metric_query.h"
#include "page_search.h"
#include "question.h"
#include "reading.h"
#include "scale_query.h"

#define FRESH_INTERVALS 3
#define RECORD_INTERVAL_MS 15000
#define SERIES_GRACE_MS 30000 /* beyond FRESH_INTERVALS: discovery and the first scrape */
#define METRIC_GRACE_MS 90000 /* beyond FRESH_INTERVALS: and the adapter's relist */

static const struct kube_resource pods = {"", "v1", "pods", "Pod", true};

/* A signal on its way along the links that are its own. */
struct walk {
	struct round *round;
	const json_t *signal;  /* of the wish */
	json_t *evidence;      /* borrowed from the round's */
	struct metric_query *query;
};

struct round {
	struct round_peers peers;
	json_t *wish;
	json_t *last;
	json_t *evidence;
	json_t *ready; /* pods: reading.h */
	bool healthy;
	bool cancelled;
	struct kube_call *call;
	struct scale_query *scale;
	struct page_search *search;
	struct walk *walks;
	size_t walks_count;
	size_t walking;
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

void round_record(json_t *evidence, const char *name, json_t *document, int64_t at_ms)
{
	json_object_set_new(document, "at", json_integer(at_ms));
	json_object_set_new(evidence, name, document);
}

static void round_end(struct round *round)
{
	round->done(round->ctx, round->evidence);
	json_decref(round->wish);
	json_decref(round->last);
	json_decref(round->ready);
	free_indirect(&round->walks);
	free_indirect(&round);
}

/* Until when a sample is fresh. One that is recorded is as old as its rule's interval, whatever that of
 * the scrape is. */
static json_int_t fresh_ms(const struct walk *walk)
{
	json_int_t interval = json_path_int(walk->round->wish, "intervalMs", RECORD_INTERVAL_MS);

	if (!json_path_bool(walk->signal, "page", false) && interval < RECORD_INTERVAL_MS) {
		interval = RECORD_INTERVAL_MS;
	}
	return interval * FRESH_INTERVALS;
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

static void walk_end(struct walk *walk)
{
	struct round *round = walk->round;

	walk->query = NULL;
	if (--round->walking == 0) {
		round_end(round);
	}
}

static void on_metric(void *ctx, json_t *document_take)
{
	struct walk *walk = ctx;

	round_record(walk->evidence, "metric", document_take, clock_wall_ms());
	walk_end(walk);
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
		round_record(walk->evidence, "series", json_pack("{s:o}", "error", reading_text(answer->error)),
			answer->at_ms);
		walk_end(walk);
		return;
	}
	document = reading_series(json_object_get(answer->index, ns), round->ready, fresh_ms(walk), &grace);
	found = json_path_int(document, "pods", 0);
	round_record(walk->evidence, "series", document, answer->at_ms);
	if (found == 0 || round->cancelled) {
		walk_end(walk);
		return;
	}
	walk->query = metric_query_start(&(struct metric_order){.client = round->peers.client,
		.ns = ns,
		.selector = selector_of(round),
		.metric = json_path_string(walk->signal, "metric", ""),
		.ready = round->ready,
		.grace_ms = fresh_ms(walk) + METRIC_GRACE_MS,
		.done = on_metric,
		.ctx = walk});
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
				(struct walk){.round = round, .signal = signal, .evidence = own};
		}
	}
	round->walking = round->walks_count;
	for (i = 0; i < round->walks_count; i++) {
		struct walk *walk = &round->walks[i];

		ask(round, question_samples(json_object_get(walk->signal, "series")), question_samples_index, on_samples,
			walk);
	}
	if (round->walks_count == 0) {
		round_end(round);
	}
}

/* 3. The scrape of our metrics Service. */

static void on_pool(void *ctx, const struct prometheus_answer *answer)
{
	struct round *round = ctx;

	json_t *prometheus = json_object_get(round->evidence, "prometheus");

	if (answer->error != NULL) {
		json_object_set_new(prometheus, "lastError", reading_text(answer->error));
	} else if (json_string_value(answer->index) != NULL) {
		json_object_set(prometheus, "lastError", (json_t *)answer->index);
	}
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
		round_record(round->evidence, "prometheus",
			json_pack("{s:o, s:s}", "error", reading_text(answer->error), "url", url), answer->at_ms);
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

/* 2. One ready pod's page. */

static void on_page(void *ctx, json_t *document_take)
{
	struct round *round = ctx;

	round->search = NULL;
	round_record(round->evidence, "page", document_take, clock_wall_ms());
	if (json_path(document_take, "error") == NULL && json_path_string(round->wish, "prometheus", NULL) != NULL &&
		!round->cancelled) {
		ask(round, question_scrapes(), question_scrapes_index, on_scrapes, round);
	} else {
		walk_signals(round);
	}
}

/* 1. The target's pods. */

static void on_pods(void *ctx, json_t *result, const struct error *err)
{
	struct round *round = ctx;
	const json_t *first = NULL;

	round->call = NULL;
	if (err != NULL) {
		auto_free char *text = xasprintf("cannot list the target's pods: %s%s", err->message,
			err->kind == ERROR_FORBIDDEN ? "; give the operator this right, by the chart's roles" : "");

		round_record(round->evidence, "pods", json_pack("{s:o}", "error", reading_text(text)), clock_wall_ms());
		round_end(round);
		return;
	}
	round_record(round->evidence, "pods",
		reading_pods(result, json_object_get(round->wish, "target"), round->ready, &first), clock_wall_ms());
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
	for (size_t i = 0; i < round->walks_count; i++) {
		if (round->walks[i].query != NULL) {
			metric_query_cancel(round->walks[i].query);
		}
	}
}
