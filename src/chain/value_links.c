/* Neighbouring hops that tell different things of one pod: when that is certain, and what to do. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/text.h"
#include "checks.h"

/*
 * Of one load however wild, n samples lie apart from m other values by chance in 2 of (n + m over n) cases: of 16
 * and 32, in one of 10^12. That counts draws that know nothing of each other. A load that beats in time with the
 * scrapes is drawn at one point of its beat only, so some probes must have been in the moment of a scrape, before and
 * after it. Fewer would be said sooner, and be wrong some day in a large cluster.
 */
#define SAMPLES_CERTAIN 16
#define LOOKS_CERTAIN 32
#define NEAR_CERTAIN 4

bool values_are_certain(const struct mismatch *memory, bool of_moments)
{
	return memory->samples >= SAMPLES_CERTAIN && memory->looks >= LOOKS_CERTAIN &&
	       (!of_moments || (memory->near[0] >= NEAR_CERTAIN && memory->near[1] >= NEAR_CERTAIN));
}

/* As long as the HPA controller may take for one sync of a large cluster; it usually comes by every 15 s. */
#define HPA_SYNC_MS 300000

bool values_are_stale(const struct mismatch *memory, int64_t now_ms)
{
	return values_are_certain(memory, false) && now_ms - memory->since_ms >= HPA_SYNC_MS;
}

/* What two hops say that certainly disagree. */
struct disagreement {
	const char *pod; /* about whom; NULL = about all */
	char *value;     /* "3", "3 to 5", "37 %" */
	char *series;
};

static void disagreement_release(struct disagreement *found)
{
	free_indirect(&found->value);
	free_indirect(&found->series);
}
#define auto_disagreement ATTR_CLEANUP(disagreement_release) struct disagreement

static char *range_text(const int64_t range[2], const char *unit)
{
	auto_free char *from = quantity_plain_milli(range[0]);
	auto_free char *to = quantity_plain_milli(range[1]);

	return range[0] == range[1] ? xasprintf("%s%s", from, unit) : xasprintf("%s to %s%s", from, to, unit);
}

static struct disagreement describe(const char *pod, const struct mismatch *memory,
	const struct workload_signal *signal)
{
	const char *unit = engine_metric_is_percent(signal->signal->metric) ? " %" : "";

	return (struct disagreement){pod, range_text(memory->values, unit), range_text(memory->series, unit)};
}

/* The first by name, so that what is said does not move. */
const struct pod_mismatch *values_find_certain(const struct pod_mismatch *pods, size_t count, bool of_moments)
{
	const struct pod_mismatch *first = NULL;

	for (size_t i = 0; i < count; i++) {
		if (values_are_certain(&pods[i].mismatch, of_moments) &&
			(first == NULL || strcmp(pods[i].pod, first->pod) < 0)) {
			first = &pods[i];
		}
	}
	return first;
}

/* A job besides ours that has series of this pod, of several the first by name; NULL when none is known. */
static const char *other_scraper(const struct facts *facts, const struct workload_signal *signal, const char *pod)
{
	const struct signal_seen *seen = evidence_signal(facts, signal);
	const struct scrapers *scrapers = shape_find(&shape_scrapers, &seen->scrapers, pod);
	const char *ours = facts->request != NULL ? facts->request->service : NULL;
	const char *other = NULL;

	for (size_t i = 0; scrapers != NULL && i < scrapers->jobs.count; i++) {
		const char *name = scrapers->jobs.items[i];

		if (!text_equal(name, ours) && (other == NULL || strcmp(name, other) < 0)) {
			other = name;
		}
	}
	return other;
}

bool values_mismatch_page(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct mismatches *all = &evidence_signal(facts, signal)->mismatches;
	const struct pod_mismatch *first = values_find_certain(all->page.items, all->page.count, true);
	auto_disagreement found = {NULL, NULL, NULL};
	const char *other;

	if (first == NULL) {
		return false;
	}
	found = describe(first->pod, &first->mismatch, signal);
	other = other_scraper(facts, signal, first->pod);
	if (other != NULL) {
		SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
			"Prometheus '%s' has %s of '%s' for pod '%s', whose page says %s: job '%s' gives it samples under this "
			"pod's name too; remove the ServiceMonitor or PodMonitor behind that job, whose last samples count for five "
			"minutes more, or keep this pod out of it",
			prometheus_name(facts), found.series, signal->signal->series[0], found.pod, found.value, other);
	} else {
		SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
			"Prometheus '%s' has %s of '%s' for pod '%s', whose page says %s: see in its targets whether ServiceMonitor "
			"'%s' leads to this pod, and remove what changes samples on the way, as metricRelabelings do",
			prometheus_name(facts), found.series, signal->signal->series[0], found.pod, found.value,
			facts->monitor);
	}
	return true;
}

bool values_mismatch_record(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct mismatches *all = &evidence_signal(facts, signal)->mismatches;
	const struct pod_mismatch *first = values_find_certain(all->record.items, all->record.count, true);
	auto_disagreement found = {NULL, NULL, NULL};

	if (first == NULL) {
		return false;
	}
	found = describe(first->pod, &first->mismatch, signal);
	SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
		"'%s' is %s for pod '%s', but PrometheusRule '%s' would record %s: another rule records the same name; rename or "
		"remove it",
		signal->signal->series[0], found.series, found.pod,
		facts->gpu != NULL && facts->gpu->rule.name != NULL ? facts->gpu->rule.name : "", found.value);
	return true;
}

bool values_mismatch_metric(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const char *url = facts->adapter_survey != NULL ? facts->adapter_survey->url : NULL;
	const struct mismatches *all = &evidence_signal(facts, signal)->mismatches;
	const struct pod_mismatch *first = values_find_certain(all->metric.items, all->metric.count, false);
	auto_disagreement found = {NULL, NULL, NULL};

	/* Of two replicas the adapter may ask the one and we the other, for long: each has its own moments. */
	if (first == NULL || (facts->prometheus != NULL && facts->prometheus->replicas > 1)) {
		return false;
	}
	found = describe(first->pod, &first->mismatch, signal);
	SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
		"the metrics API serves %s of '%s' for pod '%s', but Prometheus has %s: another Prometheus or another rule "
		"answers; set --prometheus-url of Deployment '%s/%s', now '%s', to the Prometheus that scrapes the pods, and "
		"remove what else makes '%s' from ConfigMap '%s/%s'",
		found.value, signal->signal->metric, found.pod, found.series, facts->adapter_names.ns,
		facts->adapter_names.deployment, url != NULL ? url : "", signal->signal->metric,
		facts->adapter_names.ns, facts->adapter_names.configmap);
	return true;
}

bool values_mismatch_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct mismatches *all = &evidence_signal(facts, signal)->mismatches;
	const struct pod_mismatch *first = values_find_certain(all->metric.items, all->metric.count, false);
	const struct metrics_service *service = &facts->settings->metrics_service;
	auto_disagreement found = {NULL, NULL, NULL};

	if (first == NULL) {
		return false;
	}
	found = describe(first->pod, &first->mismatch, signal);
	SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
		"the metrics API serves %s of '%s' for pod '%s', whose page says %s: see whether something else than the operator "
		"answers behind Service '%s/%s'",
		found.value, signal->signal->metric, found.pod, found.series, service->ns, service->name);
	return true;
}

bool values_mismatch_hpa(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct mismatch *memory = &evidence_signal(facts, signal)->mismatches.hpa;
	auto_disagreement found = {NULL, NULL, NULL};
	auto_free char *since = NULL;

	if (facts->hpa == NULL || !values_are_stale(memory, facts->now_ms)) {
		return false;
	}
	found = describe(NULL, memory, signal);
	since = clock_rfc3339(memory->since_ms);
	SAY(verdict, VERDICT_FALSE, "HPANotSynced",
		"HorizontalPodAutoscaler '%s/%s' has not read '%s' since %s: its status says %s, while the metrics API serves "
		"%s; " HPA_CONTROLLER_REMEDY,
		facts->hpa->view.meta.ns, facts->hpa->view.meta.name, signal->signal->metric, since, found.value,
		found.series);
	return true;
}
