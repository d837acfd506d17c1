/* One signal along the links that are its own: samples, then its metric. */
#include "signal_probe.h"

#include "base/clock.h"
#include "base/memory.h"
#include "comparison.h"
#include "hop.h"
#include "metric_trust.h"
#include "page_samples.h"
#include "question.h"
#include "reading.h"

#define FRESH_INTERVALS 3
#define RECORD_INTERVAL_MS 15000
#define SERIES_GRACE_MS 30000 /* beyond FRESH_INTERVALS: discovery and the first scrape */
#define METRIC_GRACE_MS 90000 /* beyond FRESH_INTERVALS: and the adapter's relist */
#define DIRECT_GRACE_MS 5000  /* until each replica knows of a pod, and has read its page */
#define MISSING_AGAIN_MS 1500
#define SURE_MS 2000 /* Prometheus answers us for a moment after the adapter has lost it */
#define UNCONFIRMED_AGAIN_MS (PROMETHEUS_REFRESH_MS + SURE_MS + 500) /* an answer as old as it may be is sure then */

/* How far apart samples are. One that is recorded is as old as its rule's interval, whatever that of
 * the scrape is. */
static int64_t interval_ms(const struct signal_probe *probe)
{
	int64_t interval = probe->request->interval_ms > 0 ? probe->request->interval_ms : RECORD_INTERVAL_MS;

	return !probe->signal->page && interval < RECORD_INTERVAL_MS ? RECORD_INTERVAL_MS : interval;
}

static int64_t fresh_ms(const struct signal_probe *probe)
{
	return interval_ms(probe) * FRESH_INTERVALS;
}

static void ask(struct signal_probe *probe, const char *target, const char *part, const struct answer_type *type,
	prometheus_done_fn *done)
{
	const struct prometheus_question question = {.base = probe->request->prometheus,
		.target = target,
		.part = part,
		.type = type,
		.rare = probe->signal->tag != NULL};

	prometheus_ask(probe->context->prometheus, &question, probe->healthy, done, probe);
}

static void ask_scrapers(struct signal_probe *probe, prometheus_done_fn *done)
{
	auto_free char *target = question_scrapers(probe->signal, false);
	auto_free char *part = question_scrapers(probe->signal, true);

	ask(probe, target, part, &answer_scrapers, done);
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

/* Comparisons of neighbouring hops. */

/* A value of a hop, and what its neighbour says, of the time of this sample: compared, where the memory of the probe
 * before goes on. False when the two match. */
static bool compare(struct signal_probe *probe, struct mismatch *memory, int64_t value, int64_t at_ms,
	const struct range *neighbour, const struct sample *sample)
{
	comparison_step(memory,
		&(struct comparison){.value = value,
			.look_at_ms = at_ms,
			.sample = *neighbour,
			.sample_time = sample != NULL ? sample->time_ms : 0,
			.sample_at_ms = probe->seen->series.seen_ms - (sample != NULL ? sample->age_ms : 0),
			.interval_ms = interval_ms(probe)});
	if (memory->looks == 0) {
		return false;
	}
	request_again(probe, comparison_again_ms(memory, interval_ms(probe), clock_wall_ms()));
	return true;
}

/* A value of this pod and its sample; pods come in order. */
static void compare_pod(struct signal_probe *probe, const struct hop *hop, const char *pod, int64_t value,
	int64_t at_ms)
{
	const struct sample *sample = hop_sample(&probe->seen->series, pod);
	struct mismatch memory;

	if (value < 0 || sample == NULL || sample->milli < 0 || sample->age_ms >= fresh_ms(probe)) {
		return;
	}
	memory = hop_remembers(hop, pod);
	if (compare(probe, &memory, value, at_ms, &(struct range){sample->milli, sample->milli}, sample)) {
		hop_add(hop, pod, &memory);
	}
}

/* What mismatched in the probe before; NULL when it asked otherwise. */
static const struct mismatches *mismatches_before(const struct signal_probe *probe)
{
	return probe->same_question && probe->before != NULL ? &probe->before->mismatches : NULL;
}

/* With what the pages said, or, of GPUs, with what would be recorded now. */
static void compare_samples(struct signal_probe *probe)
{
	const struct mismatches *before = mismatches_before(probe);
	struct mismatches *now = &probe->seen->mismatches;
	const struct series_seen *series = &probe->seen->series;
	const struct page_seen *page = probe->page;
	const struct hop pages = HOP(before, now, page);
	const struct hop records = HOP(before, now, record);

	for (size_t i = 0; page != NULL && i < page->values.count; i++) {
		const struct page_values *pod = &page->values.items[i];
		const struct metric_value *value = shape_find(&shape_metric_value, &pod->values, probe->signal->metric);

		compare_pod(probe, &pages, pod->pod, value != NULL ? value->milli : MILLI_NONE, page->seen_ms);
	}
	for (size_t i = 0; i < series->samples.count; i++) {
		compare_pod(probe, &records, series->samples.items[i].pod, series->samples.items[i].source,
			series->seen_ms);
	}
}

static const struct sample *newest_sample(const struct signal_probe *probe)
{
	const struct series_seen *series = &probe->seen->series;
	const struct sample *newest = NULL;

	for (size_t i = 0; i < series->samples.count; i++) {
		if (newest == NULL || series->samples.items[i].time_ms > newest->time_ms) {
			newest = &series->samples.items[i];
		}
	}
	return newest;
}

static struct hpa_says hpa_of(const struct signal_probe *probe)
{
	const struct probe_context *context = probe->context;

	return context->hpa(context->hpa_ctx, probe->request->ns, probe->request->name, probe->signal->metric);
}

/* The HPA's average and the values that are served. Which pods it counts is its own to say: whichever they are, their
 * average lies between the least and the most. */
static void compare_hpa(struct signal_probe *probe, int64_t at_ms)
{
	const struct metric_seen *served = &probe->seen->value;
	const struct mismatches *before = mismatches_before(probe);
	struct range range = RANGE_EMPTY;
	struct mismatch memory = {.looks = 0};
	struct hpa_says hpa = hpa_of(probe);

	for (size_t i = 0; i < served->values.count; i++) {
		range_add(&range, served->values.items[i].milli);
	}
	if (range_is_empty(&range) || hpa.average_milli == MILLI_NONE) {
		return;
	}
	memory = before != NULL ? before->hpa : memory;
	if (compare(probe, &memory, hpa.average_milli, at_ms, &range, newest_sample(probe))) {
		probe->seen->mismatches.hpa = memory;
	}
}

/* Pods that miss something. */

/* A pod that went since it was listed has no value either: one is missing only when the probe before, a moment ago,
 * missed it too; until then it is unconfirmed. `before` may be NULL. */
static void confirm_missing(struct signal_probe *probe, struct texts *missing, struct texts *unconfirmed,
	const struct texts *before, const struct texts *unconfirmed_before)
{
	struct texts found = *missing;

	*missing = (struct texts){NULL, 0};
	for (size_t i = 0; i < found.count; i++) {
		bool again = before != NULL &&
		             (texts_hold(before, found.items[i]) || texts_hold(unconfirmed_before, found.items[i]));

		texts_add(again ? missing : unconfirmed, found.items[i]);
	}
	texts_release(&found);
	if (unconfirmed->count > 0) {
		request_again(probe, MISSING_AGAIN_MS);
	}
}

/* 2. The metric. */

/* Whether a Prometheus that is gone, or has lost all it had, could be why; or a replica of ours that is about to go, and
 * that the API server still sends to. */
static bool may_pass(const struct signal_probe *probe, const struct failure *failure)
{
	return failure->cause == CAUSE_FAILED || failure->cause == CAUSE_NOT_LISTED ||
	       (probe->request->direct && failure->cause == CAUSE_UNAVAILABLE);
}

/* When something fails that the adapter asks, the metrics API is the first to tell: what we know of Prometheus may be
 * of a moment before, longer if the adapter let us wait. So a failure after a good answer is unconfirmed, and that
 * answer stands until Prometheus, asked after the failure, is seen to work; without its values, which are not of this
 * probe. Since when it is so; 0 = it is to be believed. */
static int64_t unconfirmed_since(const struct signal_probe *probe, const struct metric_seen *seen, int64_t now_ms)
{
	const struct metric_seen *before = probe->before != NULL ? &probe->before->value : NULL;
	int64_t since_ms = before != NULL && before->unconfirmed_ms > 0 ? before->unconfirmed_ms : now_ms;
	int64_t known_ms = probe->request->direct ? now_ms : probe->seen->series.seen_ms;

	if (before == NULL || before->seen_ms == 0 || before->failure.text != NULL || !probe->same_question ||
		!may_pass(probe, &seen->failure) || known_ms - since_ms >= SURE_MS) {
		return 0;
	}
	return since_ms;
}

static void on_metric(void *ctx, struct metric_seen *seen_take)
{
	struct signal_probe *probe = ctx;
	struct metric_seen *metric = &probe->seen->value;
	const struct metric_seen *last = probe->before != NULL ? &probe->before->value : NULL;
	const struct mismatches *before = mismatches_before(probe);
	const struct hop hop = HOP(before, &probe->seen->mismatches, metric);
	int64_t now_ms = clock_wall_ms();
	int64_t since_ms = unconfirmed_since(probe, seen_take, now_ms);

	if (since_ms > 0) {
		shape_release(&shape_metric_seen, seen_take);
		shape_copy(&shape_metric_seen, metric, last);
		shape_empty(&shape_pod_value, &metric->values);
		metric->unconfirmed_ms = since_ms;
		request_again(probe, UNCONFIRMED_AGAIN_MS);
		signal_probe_end(probe);
		return;
	}
	*metric = *seen_take;
	metric->seen_ms = now_ms;
	confirm_missing(probe, &metric->missing, &metric->unconfirmed, last != NULL ? &last->missing : NULL,
		last != NULL ? &last->unconfirmed : NULL);
	for (size_t i = 0; i < metric->values.count; i++) {
		compare_pod(probe, &hop, metric->values.items[i].pod, metric->values.items[i].milli, now_ms);
	}
	compare_hpa(probe, now_ms);
	signal_probe_end(probe);
}

static void ask_metrics_api(struct signal_probe *probe)
{
	probe->query = metric_query_start(&(struct metric_order){.reads = probe->context->reads,
		.ns = probe->request->ns,
		.selector = probe->selector,
		.metric = probe->signal->metric,
		.counted = probe->counted,
		.direct = probe->request->direct,
		.grace_ms = probe->request->direct ? DIRECT_GRACE_MS : fresh_ms(probe) + METRIC_GRACE_MS,
		.done = on_metric,
		.ctx = probe});
}

/* What the HPA has read, by what it says now or said at the probe before. */
static void take_from_hpa(struct signal_probe *probe, int64_t seen_ms)
{
	struct metric_seen *metric = &probe->seen->value;
	const struct metric_seen *last = probe->same_question && probe->before != NULL ? &probe->before->value : NULL;

	metric->by_hpa = true;
	metric->seen_ms = last != NULL && last->by_hpa ? last->seen_ms : seen_ms;
	metric->pods = (int64_t)probe->counted->count;
}

static void find_metric(struct signal_probe *probe)
{
	const struct metric_trust trust = {.request = probe->request,
		.same_question = probe->same_question,
		.healthy = probe->healthy,
		.before = probe->before,
		.now = probe->seen,
		.counted = probe->counted,
		.hpa = hpa_of(probe),
		.silence = probe->silence,
		.fresh_ms = fresh_ms(probe),
		.now_ms = clock_wall_ms()};
	const enum metric_source source = metric_source(&trust);

	probe->awaited = source == METRIC_AWAITED;
	if (source == METRIC_ASK) {
		ask_metrics_api(probe);
		return;
	}
	if (source == METRIC_STANDS) {
		shape_copy(&shape_metric_seen, &probe->seen->value, &probe->before->value);
	} else if (source == METRIC_BY_HPA) {
		take_from_hpa(probe, trust.now_ms);
	} else if (source == METRIC_REPORTED) {
		take_from_hpa(probe, metric_reported_ms(probe->request, trust.now_ms));
	}
	signal_probe_end(probe);
}

/* 1. The samples. */

/* Who gives Prometheus samples of the pods: asked only while a page's values are not those that it has. */
static void on_scrapers(void *ctx, const struct prometheus_answer *answer)
{
	struct signal_probe *probe = ctx;
	const struct mismatches *mismatches = &probe->seen->mismatches;

	for (size_t i = 0; i < mismatches->page.count; i++) {
		const char *pod = mismatches->page.items[i].pod;
		size_t count;
		const struct scraper_row *rows = table_find(answer->table, probe->request->ns, pod, &count);
		struct scrapers *scrapers = rows != NULL ? shape_add(&shape_scrapers, &probe->seen->scrapers) : NULL;

		if (scrapers != NULL) {
			scrapers->pod = xstrdup(pod);
		}
		for (size_t r = 0; r < count; r++) {
			texts_add(&scrapers->jobs, rows[r].job);
		}
	}
	if (probe->cancelled) {
		signal_probe_end(probe);
	} else {
		find_metric(probe);
	}
}

static bool page_mismatches(const struct signal_probe *probe)
{
	const struct mismatches *mismatches = &probe->seen->mismatches;

	for (size_t i = 0; i < mismatches->page.count; i++) {
		if (comparison_is_mismatch(&mismatches->page.items[i].mismatch)) {
			return true;
		}
	}
	return false;
}

static void on_samples(void *ctx, const struct prometheus_answer *answer)
{
	struct signal_probe *probe = ctx;
	const struct reading_grace grace = {answer->at_ms, fresh_ms(probe) + SERIES_GRACE_MS};
	const struct series_seen *last = probe->before != NULL ? &probe->before->series : NULL;
	struct series_seen *series = &probe->seen->series;

	series->seen_ms = answer->at_ms;
	if (answer->error != NULL) {
		probe_fail(&series->failure, answer);
		signal_probe_end(probe);
		return;
	}
	reading_series(answer->table, probe->request->ns, probe->counted, fresh_ms(probe), &grace, series);
	confirm_missing(probe, &series->missing, &series->unconfirmed, last != NULL ? &last->missing : NULL,
		last != NULL ? &last->unconfirmed : NULL);
	compare_samples(probe);
	if (series->pods == 0 || probe->cancelled) {
		signal_probe_end(probe);
	} else if (page_mismatches(probe)) {
		ask_scrapers(probe, on_scrapers);
	} else {
		find_metric(probe);
	}
}

void signal_probe_start(struct signal_probe *probe)
{
	const struct signal_request *signal = probe->signal;
	const char *trusted = probe->request->trusted;
	const struct samples_question *question;

	probe->same_question = probe->last != NULL && probe->last->asked == probe->request;
	probe->before = evidence_find_signal(probe->last, signal->metric);
	if (probe->request->direct) {
		if (signal->page && probe->page != NULL) {
			page_samples(probe->page, signal->metric, probe->counted, &probe->seen->series);
		}
		find_metric(probe);
		return;
	}
	question = samples_question(probe->context->questions, signal, trusted);
	ask(probe, question->target, question->part, &answer_samples, on_samples);
}

void signal_probe_cancel(struct signal_probe *probe)
{
	probe->cancelled = true;
	if (probe->query != NULL) {
		metric_query_cancel(probe->query);
	}
}
