/* One signal along the links that are its own: samples, then its metric. */
#include "signal_walk.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "comparison.h"
#include "question.h"
#include "reading.h"

#define FRESH_INTERVALS 3
#define RECORD_INTERVAL_MS 15000
#define SERIES_GRACE_MS 30000 /* beyond FRESH_INTERVALS: discovery and the first scrape */
#define METRIC_GRACE_MS 90000 /* beyond FRESH_INTERVALS: and the adapter's relist */
#define SUSPECT_AGAIN_MS 1500

/* How far apart samples are. One that is recorded is as old as its rule's interval, whatever that of
 * the scrape is. */
static json_int_t interval_ms(const struct signal_walk *walk)
{
	json_int_t interval = json_path_int(walk->wish, "intervalMs", RECORD_INTERVAL_MS);

	if (!json_path_bool(walk->signal, "page", false) && interval < RECORD_INTERVAL_MS) {
		interval = RECORD_INTERVAL_MS;
	}
	return interval;
}

static json_int_t fresh_ms(const struct signal_walk *walk)
{
	return interval_ms(walk) * FRESH_INTERVALS;
}

static void ask(struct signal_walk *walk, char *target_take, json_t *(*index)(const json_t *), prometheus_done_fn *done)
{
	const struct prometheus_question question = {
		.base = json_path_string(walk->wish, "prometheus", ""), .target = target_take, .index = index};

	prometheus_ask(walk->peers->prometheus, &question, walk->healthy, done, walk);
	free_indirect(&target_take);
}

static void walk_end(struct signal_walk *walk)
{
	walk->query = NULL;
	walk->done(walk->ctx);
}

static void wish_again(struct signal_walk *walk, int64_t again_ms)
{
	if (again_ms > 0 && (walk->again_ms == 0 || again_ms < walk->again_ms)) {
		walk->again_ms = again_ms;
	}
}

/* A value of this pod and its sample, compared: the memory of the round before goes on. Evidence's `apart`
 * holds what is apart. */
static void compare(struct signal_walk *walk, const char *hop, const char *pod, const json_t *value, int64_t at_ms)
{
	const json_t *series = json_object_get(walk->evidence, "series");
	const json_t *sample = json_object_get(json_object_get(series, "samples"), pod);
	const json_t *milli = json_object_get(sample, "milli");
	const json_t *before = json_object_get(json_object_get(walk->apart, hop), pod);
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

		wish_again(walk, again_ms);
		json_object_set_new(json_child(json_child(walk->evidence, "apart"), hop), pod, memory);
	}
}

/* Whether the look before missed the pod in this part already. */
static bool was_missed(const struct signal_walk *walk, const char *part, const json_t *pod)
{
	const json_t *before = json_object_get(walk->before, part);

	return json_holds(json_object_get(before, "missing"), pod) || json_holds(json_object_get(before, "suspects"), pod);
}

/* A pod that went since it was listed has no value either: one is missing only when the look before, a moment ago,
 * missed it too; until then it is suspected. */
static void record_doubting(struct signal_walk *walk, const char *part, json_t *document_take, int64_t at_ms)
{
	const json_t *found = json_object_get(document_take, "missing");
	json_t *missing = json_array();
	json_t *suspects = json_array();
	size_t i;
	json_t *pod;

	json_array_foreach((json_t *)found, i, pod) {
		json_array_append(was_missed(walk, part, pod) ? missing : suspects, pod);
	}
	if (json_array_size(suspects) > 0) {
		json_object_set(document_take, "missing", missing);
		json_object_set(document_take, "suspects", suspects);
		wish_again(walk, SUSPECT_AGAIN_MS);
	}
	json_decref(missing);
	json_decref(suspects);
	round_record(walk->evidence, part, document_take, at_ms);
}

static void on_metric(void *ctx, json_t *document_take)
{
	struct signal_walk *walk = ctx;
	int64_t now_ms = clock_wall_ms();
	const char *pod;
	json_t *value;

	record_doubting(walk, "metric", document_take, now_ms);
	json_object_foreach(json_object_get(document_take, "values"), pod, value) {
		compare(walk, "metric", pod, value, now_ms);
	}
	walk_end(walk);
}

static void ask_metric(struct signal_walk *walk)
{
	walk->query = metric_query_start(&(struct metric_order){.client = walk->peers->client,
		.ns = json_path_string(walk->wish, "namespace", ""),
		.selector = walk->selector,
		.metric = json_path_string(walk->signal, "metric", ""),
		.ready = walk->ready,
		.grace_ms = fresh_ms(walk) + METRIC_GRACE_MS,
		.done = on_metric,
		.ctx = walk});
}

/* Who gives Prometheus samples of the pods: asked only while a page's values are not those that it has. */
static void on_scrapers(void *ctx, const struct prometheus_answer *answer)
{
	struct signal_walk *walk = ctx;
	const char *ns = json_path_string(walk->wish, "namespace", "");
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
	if (walk->cancelled) {
		walk_end(walk);
	} else {
		ask_metric(walk);
	}
}

/* With what the pages said, or, of GPUs, with what would be recorded now. */
static void compare_samples(struct signal_walk *walk)
{
	const json_t *evidence = walk->round;
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
	struct signal_walk *walk = ctx;
	const char *ns = json_path_string(walk->wish, "namespace", "");
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
	document = reading_series(json_object_get(answer->index, ns), walk->ready, fresh_ms(walk), &grace);
	found = json_path_int(document, "pods", 0);
	record_doubting(walk, "series", document, answer->at_ms);
	compare_samples(walk);
	if (found == 0 || walk->cancelled) {
		walk_end(walk);
	} else if (comparison_suspects(json_path(walk->evidence, "apart.page"))) {
		ask(walk, question_scrapers(json_object_get(walk->signal, "series")), question_scrapers_index, on_scrapers);
	} else {
		ask_metric(walk);
	}
}

void signal_walk_start(struct signal_walk *walk)
{
	const char *metric = json_path_string(walk->signal, "metric", "");
	bool same_question = json_equal(json_object_get(walk->last, "asked"), walk->wish);

	walk->before = json_object_get(json_object_get(walk->last, "signals"), metric);
	walk->apart = same_question ? json_object_get(walk->before, "apart") : NULL;
	ask(walk, question_samples(json_object_get(walk->signal, "series"), metric), question_samples_index, on_samples);
}

void signal_walk_cancel(struct signal_walk *walk)
{
	walk->cancelled = true;
	if (walk->query != NULL) {
		metric_query_cancel(walk->query);
	}
}
