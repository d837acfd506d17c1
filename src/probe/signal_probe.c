/* One signal along the links that are its own: samples, then its metric. */
#include "signal_probe.h"

#include <string.h>

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
#define MISSING_AGAIN_MS 1500
#define SURE_MS 2000 /* Prometheus answers us for a moment after the adapter has lost it */
#define UNCONFIRMED_AGAIN_MS (PROMETHEUS_REFRESH_MS + SURE_MS + 500) /* an answer as old as it may be is sure then */

/* How far apart samples are. One that is recorded is as old as its rule's interval, whatever that of
 * the scrape is. */
static json_int_t interval_ms(const struct signal_probe *probe)
{
	json_int_t interval = json_path_int(probe->request, "intervalMs", RECORD_INTERVAL_MS);

	if (!json_path_bool(probe->signal, "page", false) && interval < RECORD_INTERVAL_MS) {
		interval = RECORD_INTERVAL_MS;
	}
	return interval;
}

static json_int_t fresh_ms(const struct signal_probe *probe)
{
	return interval_ms(probe) * FRESH_INTERVALS;
}

static void ask(struct signal_probe *probe, char *target_take, json_t *(*index)(const json_t *),
	prometheus_done_fn *done)
{
	const struct prometheus_question question = {.base = json_path_string(probe->request, "prometheus", ""),
		.target = target_take,
		.index = index};

	prometheus_ask(probe->context->prometheus, &question, probe->healthy, done, probe);
	free_indirect(&target_take);
}

static void signal_probe_end(struct signal_probe *probe)
{
	probe->query = NULL;
	probe->done(probe->ctx);
}

static void request_again(struct signal_probe *probe, int64_t again_ms)
{
	if (again_ms > 0 && (probe->again_ms == 0 || again_ms < probe->again_ms)) {
		probe->again_ms = again_ms;
	}
}

/* A value of a hop, and what its neighbour says, of the time of this sample: compared, where the memory of the probe
 * before goes on. New reference, NULL when the two match. */
static json_t *compare(struct signal_probe *probe, const json_t *before, int64_t value, int64_t at_ms,
	const struct range *neighbour, const json_t *sample)
{
	int64_t seen_ms = json_path_int(json_object_get(probe->evidence, "series"), "at", 0);
	json_t *memory = comparison_step(before, &(struct comparison){.value = value,
							 .look_at_ms = at_ms,
							 .sample = *neighbour,
							 .sample_time = json_path_int(sample, "time", 0),
							 .sample_at_ms = seen_ms - json_path_int(sample, "age", 0),
							 .interval_ms = interval_ms(probe)});

	if (memory != NULL) {
		request_again(probe, comparison_again_ms(memory, interval_ms(probe), clock_wall_ms()));
	}
	return memory;
}

/* A value of this pod and its sample. Evidence's `apart` holds the mismatches. */
static void compare_pod(struct signal_probe *probe, const char *hop, const char *pod, const json_t *value,
	int64_t at_ms)
{
	const json_t *sample = json_object_get(json_path(probe->evidence, "series.samples"), pod);
	json_int_t milli = json_path_int(sample, "milli", -1);
	json_t *memory;

	if (!json_is_integer(value) || milli < 0 || json_path_int(sample, "age", 0) >= fresh_ms(probe)) {
		return;
	}
	memory = compare(probe, json_object_get(json_object_get(probe->mismatch, hop), pod), json_integer_value(value),
		at_ms, &(struct range){milli, milli}, sample);
	if (memory != NULL) {
		json_object_set_new(json_child(json_child(probe->evidence, "apart"), hop), pod, memory);
	}
}

static const json_t *newest_sample(const struct signal_probe *probe)
{
	const json_t *newest = NULL;
	const char *pod;
	json_t *sample;

	json_object_foreach(json_path(probe->evidence, "series.samples"), pod, sample) {
		if (newest == NULL || json_path_int(sample, "time", 0) > json_path_int(newest, "time", 0)) {
			newest = sample;
		}
	}
	return newest;
}

/* The HPA's average and the values that are served. Which pods it counts is its own to say: whichever they are, their
 * average lies between the least and the most. */
static void compare_hpa(struct signal_probe *probe, const json_t *served, int64_t at_ms)
{
	const struct probe_context *context = probe->context;
	struct range range = {INT64_MAX, INT64_MIN};
	auto_json *average = NULL;
	const char *pod;
	json_t *value;
	json_t *memory;

	json_object_foreach((json_t *)served, pod, value) {
		int64_t milli = json_integer_value(value);

		if (json_is_integer(value)) {
			range.low = milli < range.low ? milli : range.low;
			range.high = milli > range.high ? milli : range.high;
		}
	}
	if (range.low > range.high) {
		return;
	}
	average = context->hpa_average(context->hpa_ctx, json_path_string(probe->request, "namespace", ""),
		json_path_string(probe->request, "name", ""), json_path_string(probe->signal, "metric", ""));
	if (average == NULL) {
		return;
	}
	memory = compare(probe, json_object_get(probe->mismatch, "hpa"), json_integer_value(average), at_ms, &range,
		newest_sample(probe));
	if (memory != NULL) {
		json_object_set_new(json_child(probe->evidence, "apart"), "hpa", memory);
	}
}

/* Whether the probe before missed the pod in this part already. */
static bool was_missed(const struct signal_probe *probe, const char *part, const json_t *pod)
{
	const json_t *before = json_object_get(probe->before, part);

	return json_holds(json_object_get(before, "missing"), pod) ||
	       json_holds(json_object_get(before, "suspects"), pod);
}

/* A pod that went since it was listed has no value either: one is missing only when the probe before, a moment ago,
 * missed it too; until then it is unconfirmed. */
static void record_missing(struct signal_probe *probe, const char *part, json_t *document_take, int64_t at_ms)
{
	const json_t *found = json_object_get(document_take, "missing");
	json_t *missing = json_array();
	json_t *unconfirmed = json_array();
	size_t i;
	json_t *pod;

	json_array_foreach((json_t *)found, i, pod) {
		json_array_append(was_missed(probe, part, pod) ? missing : unconfirmed, pod);
	}
	if (json_array_size(unconfirmed) > 0) {
		json_object_set(document_take, "missing", missing);
		json_object_set(document_take, "suspects", unconfirmed);
		request_again(probe, MISSING_AGAIN_MS);
	}
	json_decref(missing);
	json_decref(unconfirmed);
	probe_record(probe->evidence, part, document_take, at_ms);
}

/* Whether a Prometheus that is gone, or has lost all it had, could be why. */
static bool blames_prometheus(const json_t *document)
{
	const char *cause = json_path_string(document, "cause", "");

	return strcmp(cause, "Failed") == 0 || strcmp(cause, "NotListed") == 0;
}

/* When something fails that the adapter asks, the metrics API is the first to tell: what we know of Prometheus may be
 * of a moment before, longer if the adapter let us wait. So a failure after a good answer is unconfirmed, and that
 * answer stands until Prometheus, asked after the failure, is seen to work. NULL = it is to be believed. */
static json_t *metric_of_before(const struct signal_probe *probe, const json_t *document, int64_t now_ms)
{
	const json_t *before = json_object_get(probe->before, "metric");
	int64_t since_ms = json_path_int(before, "doubtedAt", now_ms);
	int64_t seen_ms = json_path_int(json_object_get(probe->evidence, "series"), "at", 0);
	json_t *metric;

	if (seen_ms - since_ms >= SURE_MS || !probe->same_question || !blames_prometheus(document)) {
		return NULL;
	}
	metric = probe_unconfirmed(before, document);
	if (metric != NULL) {
		json_object_set_new(metric, "doubtedAt", json_integer(since_ms));
	}
	return metric;
}

static void on_metric(void *ctx, json_t *document_take)
{
	struct signal_probe *probe = ctx;
	int64_t now_ms = clock_wall_ms();
	json_t *before = metric_of_before(probe, document_take, now_ms);
	const char *pod;
	json_t *value;

	if (before != NULL) {
		json_decref(document_take);
		json_object_set_new(probe->evidence, "metric", before);
		request_again(probe, UNCONFIRMED_AGAIN_MS);
		signal_probe_end(probe);
		return;
	}
	record_missing(probe, "metric", document_take, now_ms);
	json_object_foreach(json_object_get(document_take, "values"), pod, value) {
		compare_pod(probe, "metric", pod, value, now_ms);
	}
	compare_hpa(probe, json_path(probe->evidence, "metric.values"), now_ms);
	signal_probe_end(probe);
}

static void ask_metric(struct signal_probe *probe)
{
	probe->query = metric_query_start(&(struct metric_order){.client = probe->context->client,
		.ns = json_path_string(probe->request, "namespace", ""),
		.selector = probe->selector,
		.metric = json_path_string(probe->signal, "metric", ""),
		.counted = probe->counted,
		.grace_ms = fresh_ms(probe) + METRIC_GRACE_MS,
		.done = on_metric,
		.ctx = probe});
}

/* Who gives Prometheus samples of the pods: asked only while a page's values are not those that it has. */
static void on_scrapers(void *ctx, const struct prometheus_answer *answer)
{
	struct signal_probe *probe = ctx;
	const char *ns = json_path_string(probe->request, "namespace", "");
	json_t *scrapers = json_object();
	const char *pod;
	json_t *memory;

	json_object_foreach(json_path(probe->evidence, "apart.page"), pod, memory) {
		json_t *jobs = json_object_get(json_object_get(answer->index, ns), pod);

		if (jobs != NULL) {
			json_object_set(scrapers, pod, jobs);
		}
	}
	json_object_set_new(probe->evidence, "scrapers", scrapers);
	if (probe->cancelled) {
		signal_probe_end(probe);
	} else {
		ask_metric(probe);
	}
}

/* With what the pages said, or, of GPUs, with what would be recorded now. */
static void compare_samples(struct signal_probe *probe)
{
	const json_t *evidence = probe->chain;
	const char *metric = json_path_string(probe->signal, "metric", "");
	const char *pod;
	json_t *values;

	json_object_foreach(json_path(evidence, "page.values"), pod, values) {
		compare_pod(probe, "page", pod, json_object_get(values, metric), json_path_int(evidence, "page.at", 0));
	}
	json_object_foreach(json_path(probe->evidence, "series.samples"), pod, values) {
		compare_pod(probe, "record", pod, json_object_get(values, "source"),
			json_path_int(probe->evidence, "series.at", 0));
	}
}

static void on_samples(void *ctx, const struct prometheus_answer *answer)
{
	struct signal_probe *probe = ctx;
	const char *ns = json_path_string(probe->request, "namespace", "");
	const struct reading_grace grace = {answer->at_ms, fresh_ms(probe) + SERIES_GRACE_MS};
	json_t *document;
	json_int_t found;

	if (answer->error != NULL) {
		document = json_object();
		probe_fail(document, answer);
		probe_record(probe->evidence, "series", document, answer->at_ms);
		signal_probe_end(probe);
		return;
	}
	document = reading_series(json_object_get(answer->index, ns), probe->counted, fresh_ms(probe), &grace);
	found = json_path_int(document, "pods", 0);
	record_missing(probe, "series", document, answer->at_ms);
	compare_samples(probe);
	if (found == 0 || probe->cancelled) {
		signal_probe_end(probe);
	} else if (comparison_mismatch(json_path(probe->evidence, "apart.page"))) {
		ask(probe, question_scrapers(json_object_get(probe->signal, "series")), question_scrapers_index,
			on_scrapers);
	} else {
		ask_metric(probe);
	}
}

void signal_probe_start(struct signal_probe *probe)
{
	const char *metric = json_path_string(probe->signal, "metric", "");

	probe->same_question = json_equal(json_object_get(probe->last, "asked"), probe->request);
	probe->before = json_object_get(json_object_get(probe->last, "signals"), metric);
	probe->mismatch = probe->same_question ? json_object_get(probe->before, "apart") : NULL;
	ask(probe,
		question_samples(json_object_get(probe->signal, "series"), metric,
			json_path_string(probe->request, "trusted", NULL)),
		question_samples_index, on_samples);
}

void signal_probe_cancel(struct signal_probe *probe)
{
	probe->cancelled = true;
	if (probe->query != NULL) {
		metric_query_cancel(probe->query);
	}
}
