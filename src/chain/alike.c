/* Whether two probes saw the same, as far as a check or a lint reads it. */
#include <string.h>

#include "base/text.h"
#include "checks.h"
#include "lint.h"

/* Of most numbers only this is read. */
static bool both_some(int64_t one, int64_t other)
{
	return (one > 0) == (other > 0);
}

static bool failures_alike(const struct failure *one, const struct failure *other)
{
	return one->cause == other->cause && text_equal(one->text, other->text);
}

/* Whether both were seen, or neither, and both failed alike. */
static bool parts_alike(int64_t one_ms, const struct failure *one, int64_t other_ms, const struct failure *other)
{
	return (one_ms != 0) == (other_ms != 0) && failures_alike(one, other);
}
#define PARTS_ALIKE(one, other) parts_alike((one)->seen_ms, &(one)->failure, (other)->seen_ms, &(other)->failure)

static bool targets_alike(const struct target_seen *one, const struct target_seen *other)
{
	return PARTS_ALIKE(one, other) && one->replicas == other->replicas && one->current == other->current &&
	       text_equal(one->selector, other->selector);
}

static bool unready_alike(const struct pods_seen *one, const struct pods_seen *other)
{
	for (size_t i = 0; one->unready.count == other->unready.count && i < one->unready.count; i++) {
		const struct unready_pod *a = &one->unready.items[i];
		const struct unready_pod *b = shape_find(&shape_unready_pod, &other->unready, a->name);

		if (b == NULL || a->since_ms != b->since_ms) {
			return false;
		}
	}
	return one->unready.count == other->unready.count;
}

static bool ports_alike(const struct pods_seen *one, const struct pods_seen *other)
{
	for (size_t i = 0; one->ports.count == other->ports.count && i < one->ports.count; i++) {
		if (!shape_equal(&shape_container_port, &one->ports.items[i], &other->ports.items[i])) {
			return false;
		}
	}
	return one->ports.count == other->ports.count;
}

static bool pods_alike(const struct pods_seen *one, const struct pods_seen *other)
{
	return PARTS_ALIKE(one, other) && both_some(one->total, other->total) &&
	       (one->ready == 0) == (other->ready == 0) && unready_alike(one, other) &&
	       texts_equal(&one->foreign, &other->foreign) && ports_alike(one, other) &&
	       one->start.seconds == other->start.seconds;
}

static bool latencies_alike(const struct page_latency *one, const struct page_latency *other)
{
	if (!latency_is_known(one) || !latency_is_known(other)) {
		return latency_is_known(one) == latency_is_known(other);
	}
	return one->over_ms == other->over_ms && one->upto_ms == other->upto_ms;
}

static bool limits_alike(const struct page_seen *one, const struct page_seen *other)
{
	for (size_t i = 0; one->limits.count == other->limits.count && i < one->limits.count; i++) {
		const struct signal_limit *a = &one->limits.items[i];
		const struct signal_limit *b = shape_find(&shape_signal_limit, &other->limits, a->signal);

		if (b == NULL || a->most != b->most) {
			return false;
		}
	}
	return one->limits.count == other->limits.count;
}

static bool pages_alike(const struct page_seen *one, const struct page_seen *other)
{
	return PARTS_ALIKE(one, other) && one->port == other->port && text_equal(one->path, other->path) &&
	       text_equal(one->engine, other->engine) && text_equal(one->router, other->router) &&
	       text_equal(one->version, other->version) && texts_equal(&one->series, &other->series) &&
	       latencies_alike(&one->latency, &other->latency) && limits_alike(one, other);
}

/* While a target is up, why another is down is not read. */
static bool scrapes_alike(const struct scrape_seen *one, const struct scrape_seen *other)
{
	if (!PARTS_ALIKE(one, other) || !both_some(one->up, other->up)) {
		return false;
	}
	return one->up > 0 || (both_some(one->down, other->down) && text_equal(one->last_error, other->last_error));
}

static bool series_alike(const struct series_seen *one, const struct series_seen *other)
{
	return PARTS_ALIKE(one, other) && both_some(one->pods, other->pods) &&
	       texts_equal(&one->missing, &other->missing) && (one->samples.count > 0) == (other->samples.count > 0) &&
	       any_gpu_is_shared(one) == any_gpu_is_shared(other);
}

static bool metrics_alike(const struct metric_seen *one, const struct metric_seen *other)
{
	return PARTS_ALIKE(one, other) && both_some(one->pods, other->pods) &&
	       texts_equal(&one->missing, &other->missing);
}

static bool memories_alike(const struct mismatch *one, const struct mismatch *other)
{
	return memcmp(one->values, other->values, sizeof(one->values)) == 0 &&
	       memcmp(one->series, other->series, sizeof(one->series)) == 0;
}

/* Who scrapes the pod that is spoken of. */
static bool scrapers_alike(const struct signal_seen *one, const struct signal_seen *other, const char *pod)
{
	const struct scrapers *a = shape_find(&shape_scrapers, &one->scrapers, pod);
	const struct scrapers *b = shape_find(&shape_scrapers, &other->scrapers, pod);

	return a == NULL || b == NULL ? a == b : texts_equal(&a->jobs, &b->jobs);
}

/* Both NULL, or of one pod and alike. */
static bool certain_alike(const struct pod_mismatch *one, const struct pod_mismatch *other)
{
	if (one == NULL || other == NULL) {
		return one == other;
	}
	return strcmp(one->pod, other->pod) == 0 && memories_alike(&one->mismatch, &other->mismatch);
}
#define CERTAIN(signal, hop, of_moments)                                                                               \
	values_find_certain((signal)->mismatches.hop.items, (signal)->mismatches.hop.count, of_moments)

/* Of the HPA's average, each at the time when it was seen. */
static bool hpas_alike(const struct signal_seen *one, const struct signal_seen *other)
{
	const struct mismatch *a = &one->mismatches.hpa;
	const struct mismatch *b = &other->mismatches.hpa;
	bool stale = values_are_stale(a, one->value.seen_ms);

	if (stale != values_are_stale(b, other->value.seen_ms)) {
		return false;
	}
	return !stale || (a->since_ms == b->since_ms && memories_alike(a, b));
}

static bool mismatches_alike(const struct signal_seen *one, const struct signal_seen *other)
{
	const struct pod_mismatch *page = CERTAIN(one, page, true);

	return certain_alike(page, CERTAIN(other, page, true)) &&
	       (page == NULL || scrapers_alike(one, other, page->pod)) &&
	       certain_alike(CERTAIN(one, record, true), CERTAIN(other, record, true)) &&
	       certain_alike(CERTAIN(one, metric, false), CERTAIN(other, metric, false)) && hpas_alike(one, other);
}

/* Whether no pod is ready and the pages tell of no load. */
static bool is_at_rest(const struct evidence *evidence, const char *metric)
{
	return evidence->pods.ready == 0 && page_is_idle(&evidence->page, metric);
}

static bool signals_alike(const struct evidence *before, const struct evidence *now)
{
	for (size_t i = 0; before->signals.count == now->signals.count && i < before->signals.count; i++) {
		const struct signal_seen *one = &before->signals.items[i];
		const struct signal_seen *other = evidence_find_signal(now, one->metric);

		if (other == NULL || !series_alike(&one->series, &other->series) ||
			!metrics_alike(&one->value, &other->value) || !mismatches_alike(one, other) ||
			is_at_rest(before, one->metric) != is_at_rest(now, one->metric)) {
			return false;
		}
	}
	return before->signals.count == now->signals.count;
}

bool links_evidence_alike(const struct evidence *before, const struct evidence *now)
{
	if (before == NULL || now == NULL) {
		return before == now;
	}
	return probe_request_equal(before->asked, now->asked) && targets_alike(&before->target, &now->target) &&
	       pods_alike(&before->pods, &now->pods) && pages_alike(&before->page, &now->page) &&
	       scrapes_alike(&before->scrape, &now->scrape) && signals_alike(before, now);
}

static bool exporters_alike(const struct exporter_seen *one, const struct exporter_seen *other)
{
	return PARTS_ALIKE(one, other) && both_some(one->up, other->up) && both_some(one->down, other->down) &&
	       both_some(one->series, other->series) && both_some(one->with_pod, other->with_pod) &&
	       text_equal(one->last_error, other->last_error);
}

static bool rules_alike(const struct rule_seen *one, const struct rule_seen *other)
{
	return PARTS_ALIKE(one, other) && one->loaded == other->loaded && one->health == other->health &&
	       text_equal(one->last_error, other->last_error) && texts_equal(&one->rivals, &other->rivals);
}

bool links_gpu_alike(const struct shared_evidence *before, const struct shared_evidence *now)
{
	if (before == NULL || now == NULL) {
		return before == now;
	}
	return exporters_alike(&before->exporter, &now->exporter) && exporters_alike(&before->own, &now->own) &&
	       rules_alike(&before->rule, &now->rule);
}
