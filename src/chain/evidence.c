/* Reading the probes' evidence for a verdict: is it there, of today's question, and no failure? */
#include <string.h>

#include "base/strbuf.h"
#include "base/text.h"
#include "chain/hpa_says.h"
#include "checks.h"

static const struct evidence nothing_seen = {
	.pods = {.ready = -1, .start = {.seconds = -1}},
	.page = {.latency = {.upto_ms = -1}},
};
static const struct signal_seen no_signal_seen;
static const struct probe_request nothing_asked;

void say(struct verdict *verdict, enum verdict_status status, const char *reason, char *message)
{
	free_indirect(&verdict->message);
	verdict->status = status;
	verdict->reason = reason;
	verdict->message = message;
}

void say_probing(struct verdict *verdict)
{
	SAY(verdict, VERDICT_UNKNOWN, REASON_PROBING, "waiting for the first look at it");
}

const struct evidence *evidence_seen(const struct facts *facts)
{
	return facts->evidence != NULL ? facts->evidence : &nothing_seen;
}

const struct signal_seen *evidence_signal(const struct facts *facts, const struct workload_signal *signal)
{
	const struct signal_seen *seen =
		signal != NULL ? evidence_find_signal(facts->evidence, signal->signal->metric) : NULL;

	return seen != NULL ? seen : &no_signal_seen;
}

/* Whether the page was found where it would be looked for now; one that was found nowhere, whether
 * the same places were tried. */
static bool page_is_candidate(const struct page_seen *page, const struct probe_request *then,
	const struct probe_request *now)
{
	const struct page_place found = {.port = page->port, .path = page->path};

	if (page->failure.text != NULL) {
		return page_places_equal(&then->pages, &now->pages);
	}
	for (size_t i = 0; i < now->pages.count; i++) {
		if (page_place_equal(&now->pages.items[i], &found)) {
			return true;
		}
	}
	return false;
}

/* Whether this series was looked for on the page. */
static bool was_looked_for(const struct probe_request *then, const char *series)
{
	for (size_t i = 0; i < then->signals.count; i++) {
		const struct signal_request *signal = &then->signals.items[i];

		if (signal->page && texts_hold(&signal->series, series)) {
			return true;
		}
	}
	return false;
}

static bool page_was_searched(const struct probe_request *then, const struct probe_request *now)
{
	for (size_t i = 0; i < now->signals.count; i++) {
		const struct signal_request *signal = &now->signals.items[i];

		for (size_t s = 0; signal->page && s < signal->series.count; s++) {
			if (!was_looked_for(then, signal->series.items[s])) {
				return false;
			}
		}
	}
	return true;
}

bool evidence_answers(const struct facts *facts, enum evidence_part part)
{
	const struct evidence *evidence = evidence_seen(facts);
	const struct probe_request *then = evidence->asked;
	const struct probe_request *now = facts->request != NULL ? facts->request : &nothing_asked;

	if (then == NULL || then == now) {
		return true;
	}
	switch (part) {
	case PART_TARGET:
		return target_ref_equal(&then->target, &now->target);
	case PART_PODS:
		return text_equal(then->selector, now->selector) && target_ref_equal(&then->target, &now->target);
	case PART_PAGE:
		return text_equal(then->selector, now->selector) && text_equal(then->scheme, now->scheme) &&
		       page_is_candidate(&evidence->page, then, now) && page_was_searched(then, now);
	case PART_SCRAPE:
		return text_equal(then->prometheus, now->prometheus) && text_equal(then->service, now->service);
	case PART_SIGNALS:
		return text_equal(then->selector, now->selector) && text_equal(then->prometheus, now->prometheus) &&
		       then->direct == now->direct;
	}
	return false;
}

static bool signal_was_asked(const struct facts *facts, const char *metric)
{
	const struct probe_request *asked = evidence_seen(facts)->asked;
	const struct signal_request *now = facts->request != NULL ? probe_request_signal(facts->request, metric) : NULL;
	const struct signal_request *then = asked != NULL ? probe_request_signal(asked, metric) : NULL;

	return asked == NULL || now == NULL || (then != NULL && signal_request_equal(then, now));
}

const char *evidence_cause(const struct failure *failure, const struct cause_reason *reasons, const char *otherwise)
{
	for (; reasons->cause != CAUSE_NONE; reasons++) {
		if (reasons->cause == failure->cause) {
			return reasons->reason;
		}
	}
	return otherwise;
}

/* The reason by the causes of a question to Prometheus, and of a page. */
static const char *failure_reason(const struct failure *failure, const char *otherwise)
{
	static const struct cause_reason reasons[] = {
		{CAUSE_UNAUTHORIZED, "PrometheusUnauthorized"},
		{CAUSE_TLS, "PrometheusTLSFailed"},
		{CAUSE_NOT_PROMETHEUS, "NotPrometheus"},
		{CAUSE_PAGE_TOO_LARGE, "PageTooLarge"},
		{CAUSE_NONE, NULL},
	};

	return evidence_cause(failure, reasons, otherwise);
}

bool evidence_reads(int64_t seen_ms, const struct failure *failure, const char *failed_reason, struct verdict *verdict)
{
	if (seen_ms == 0) {
		say_probing(verdict);
		return false;
	}
	if (failure->text != NULL) {
		SAY(verdict, VERDICT_FALSE, failure_reason(failure, failed_reason), "%s", failure->text);
		return false;
	}
	return true;
}

const struct target_seen *evidence_read_target(const struct facts *facts, const char *failed_reason,
	struct verdict *verdict)
{
	const struct target_seen *target = &evidence_seen(facts)->target;
	int64_t seen_ms = evidence_answers(facts, PART_TARGET) ? target->seen_ms : 0;

	return evidence_reads(seen_ms, &target->failure, failed_reason, verdict) ? target : NULL;
}

const struct pods_seen *evidence_read_pods(const struct facts *facts, struct verdict *verdict)
{
	const struct pods_seen *pods = &evidence_seen(facts)->pods;
	int64_t seen_ms = evidence_answers(facts, PART_PODS) ? pods->seen_ms : 0;

	return evidence_reads(seen_ms, &pods->failure, "PodsNotReadable", verdict) ? pods : NULL;
}

const struct page_seen *evidence_read_page(const struct facts *facts, struct verdict *verdict)
{
	const struct page_seen *page = &evidence_seen(facts)->page;
	int64_t seen_ms = evidence_answers(facts, PART_PAGE) ? page->seen_ms : 0;

	return evidence_reads(seen_ms, &page->failure, "PageNotServed", verdict) ? page : NULL;
}

const struct scrape_seen *evidence_read_scrape(const struct facts *facts, struct verdict *verdict)
{
	const struct scrape_seen *scrape = &evidence_seen(facts)->scrape;
	int64_t seen_ms = evidence_answers(facts, PART_SCRAPE) ? scrape->seen_ms : 0;

	return evidence_reads(seen_ms, &scrape->failure, "PrometheusNotReachable", verdict) ? scrape : NULL;
}

static const struct signal_seen *answering_signal(const struct facts *facts, const struct workload_signal *signal)
{
	bool answers = signal != NULL && evidence_answers(facts, PART_SIGNALS) &&
	               signal_was_asked(facts, signal->signal->metric);

	return answers ? evidence_signal(facts, signal) : &no_signal_seen;
}

const struct series_seen *evidence_read_series(const struct facts *facts, const struct workload_signal *signal,
	struct verdict *verdict)
{
	const struct series_seen *series = &answering_signal(facts, signal)->series;

	return evidence_reads(series->seen_ms, &series->failure, "PrometheusNotReachable", verdict) ? series : NULL;
}

const struct metric_seen *evidence_read_metric(const struct facts *facts, const struct workload_signal *signal,
	const char *failed_reason, struct verdict *verdict)
{
	const struct metric_seen *metric = &answering_signal(facts, signal)->value;

	return evidence_reads(metric->seen_ms, &metric->failure, failed_reason, verdict) ? metric : NULL;
}

char *evidence_last_error(const char *last_error)
{
	return text_quote(last_error != NULL ? last_error : "no reason given");
}

char *evidence_names(const struct texts *pods)
{
	auto_strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < pods->count; i++) {
		strbuf_addf(&text, "%s'%s'", i == 0 ? "" : i + 1 < pods->count ? ", " : " and ", pods->items[i]);
	}
	return pods->count > 0 ? strbuf_take(&text) : NULL;
}

bool worked_before(const struct facts *facts, const char *type)
{
	return strcmp(view_condition_status(&facts->object->status.conditions, type), "True") == 0;
}

bool evidence_gap_passes(const struct facts *facts, const char *type, const struct texts *missing)
{
	const struct view_condition *before = view_condition(&facts->object->status.conditions, type);

	return (missing == NULL || missing->count == 0) && worked_before(facts, type) &&
	       before->observed_generation == facts->object->view.meta.generation;
}

bool hpa_reads(const struct facts *facts, const struct workload_signal *signal)
{
	const struct hpa_says says = hpa_says(facts->hpa, signal->signal->metric);

	return hpa_says_value(&says);
}

bool values_arrive(const struct facts *facts, const struct workload_signal *signal)
{
	const struct signal_seen *seen = evidence_signal(facts, signal);
	const struct series_seen *series = &seen->series;
	const struct metric_seen *metric = &seen->value;

	return signal != NULL && evidence_answers(facts, PART_SIGNALS) && series->failure.text == NULL &&
	       series->pods > 0 && series->missing.count == 0 && series->unconfirmed.count == 0 &&
	       metric->failure.text == NULL && metric->unconfirmed_ms == 0 && metric->pods == series->pods &&
	       metric->missing.count == 0 && hpa_reads(facts, signal);
}

const char *prometheus_name(const struct facts *facts)
{
	const char *url = facts->settings->prometheus_url;
	const char *asked = facts->adapter_survey != NULL ? facts->adapter_survey->prometheus : NULL;

	if (facts->selected_by != NULL) {
		return facts->selected_by;
	}
	return url != NULL ? url : asked != NULL ? asked : "";
}
