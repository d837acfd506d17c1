/* Neighbouring hops that tell different things of one pod: when that is certain, and what to do. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/strbuf.h"
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

bool values_are_certain(const json_t *memory, bool of_moments)
{
	const json_t *near = json_object_get(memory, "near");

	return json_path_int(memory, "samples", 0) >= SAMPLES_CERTAIN &&
	       json_path_int(memory, "looks", 0) >= LOOKS_CERTAIN &&
	       (!of_moments || (json_integer_value(json_array_get(near, 0)) >= NEAR_CERTAIN &&
				       json_integer_value(json_array_get(near, 1)) >= NEAR_CERTAIN));
}

/* As long as the HPA controller may take for one sync of a large cluster; it usually comes by every 15 s. */
#define HPA_SYNC_MS 300000

bool values_are_stale(const json_t *memory, int64_t now_ms)
{
	return values_are_certain(memory, false) && now_ms - json_path_int(memory, "since", now_ms) >= HPA_SYNC_MS;
}

/* Two hops that certainly disagree. */
struct mismatch {
	const char *pod; /* about whom; NULL = about all */
	char *value;     /* "3", "3 to 5", "37 %" */
	char *series;
};

static void mismatch_release(struct mismatch *mismatch)
{
	free_indirect(&mismatch->value);
	free_indirect(&mismatch->series);
}
#define auto_mismatch ATTR_CLEANUP(mismatch_release) struct mismatch

static char *range_text(const json_t *range, const char *unit)
{
	int64_t low = json_integer_value(json_array_get(range, 0));
	int64_t high = json_integer_value(json_array_get(range, 1));
	auto_free char *from = quantity_plain_milli(low);
	auto_free char *to = quantity_plain_milli(high);

	return low == high ? xasprintf("%s%s", from, unit) : xasprintf("%s to %s%s", from, to, unit);
}

static void describe(struct mismatch *mismatch, const json_t *memory, const struct workload_signal *signal)
{
	const char *unit = engine_metric_is_percent(signal->signal->metric) ? " %" : "";

	mismatch->value = range_text(json_object_get(memory, "values"), unit);
	mismatch->series = range_text(json_object_get(memory, "series"), unit);
}

/* The first pod by name, so that what is said does not move. */
static bool find_mismatch(const struct facts *facts, const struct workload_signal *signal, const char *hop,
	bool of_moments, struct mismatch *mismatch)
{
	const json_t *mismatches = json_object_get(json_object_get(evidence_signal(facts, signal), "apart"), hop);
	const json_t *found = NULL;
	const char *pod;
	json_t *memory;

	json_object_foreach((json_t *)mismatches, pod, memory) {
		if (values_are_certain(memory, of_moments) &&
			(mismatch->pod == NULL || strcmp(pod, mismatch->pod) < 0)) {
			mismatch->pod = pod;
			found = memory;
		}
	}
	if (found == NULL) {
		return false;
	}
	describe(mismatch, found, signal);
	return true;
}

/* A job besides ours that has series of this pod, of several the first by name; NULL when none is known. */
static const char *other_scraper(const struct facts *facts, const struct workload_signal *signal, const char *pod)
{
	const json_t *jobs = json_object_get(json_object_get(evidence_signal(facts, signal), "scrapers"), pod);
	const char *ours = json_path_string(facts->request, "service", "");
	const char *other = NULL;
	size_t i;
	json_t *job;

	json_array_foreach((json_t *)jobs, i, job) {
		const char *name = json_string_value(job);

		if (strcmp(name, ours) != 0 && (other == NULL || strcmp(name, other) < 0)) {
			other = name;
		}
	}
	return other;
}

bool values_mismatch_page(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	auto_mismatch mismatch = {NULL, NULL, NULL};
	const char *other;

	if (!find_mismatch(facts, signal, "page", true, &mismatch)) {
		return false;
	}
	other = other_scraper(facts, signal, mismatch.pod);
	if (other != NULL) {
		SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
			"Prometheus '%s' has %s of '%s' for pod '%s', whose page says %s: job '%s' gives it samples under this "
			"pod's name too; remove the ServiceMonitor or PodMonitor behind that job, whose last samples count for five "
			"minutes more, or keep this pod out of it",
			facts->selected_by, mismatch.series, signal->signal->series[0], mismatch.pod, mismatch.value,
			other);
	} else {
		SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
			"Prometheus '%s' has %s of '%s' for pod '%s', whose page says %s: see in its targets whether ServiceMonitor "
			"'%s' leads to this pod, and remove what changes samples on the way, as metricRelabelings do",
			facts->selected_by, mismatch.series, signal->signal->series[0], mismatch.pod, mismatch.value,
			facts->monitor);
	}
	return true;
}

bool values_mismatch_record(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	auto_mismatch mismatch = {NULL, NULL, NULL};

	if (!find_mismatch(facts, signal, "record", true, &mismatch)) {
		return false;
	}
	SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
		"'%s' is %s for pod '%s', but PrometheusRule '%s' would record %s: another rule records the same name; rename or "
		"remove it",
		signal->signal->series[0], mismatch.series, mismatch.pod, json_path_string(facts->gpu, "rule.name", ""),
		mismatch.value);
	return true;
}

bool values_mismatch_metric(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct settings *s = facts->settings;
	const char *url = json_path_string(facts->adapter_survey, "url", "");
	auto_mismatch mismatch = {NULL, NULL, NULL};

	/* Of two replicas the adapter may ask the one and we the other, for long: each has its own moments. */
	if (json_path_int(facts->prometheus, "spec.replicas", 1) > 1 ||
		!find_mismatch(facts, signal, "metric", false, &mismatch)) {
		return false;
	}
	SAY(verdict, VERDICT_FALSE, "ValuesDisagree",
		"the metrics API serves %s of '%s' for pod '%s', but Prometheus has %s: another Prometheus or another rule "
		"answers; set --prometheus-url of Deployment '%s/%s', now '%s', to the Prometheus that scrapes the pods, and "
		"remove what else makes '%s' from ConfigMap '%s/%s'",
		mismatch.value, signal->signal->metric, mismatch.pod, mismatch.series, s->adapter_namespace,
		s->adapter_deployment, url, signal->signal->metric, s->adapter_namespace, s->adapter_configmap);
	return true;
}

bool values_mismatch_hpa(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const json_t *memory = json_path(evidence_signal(facts, signal), "apart.hpa");
	auto_mismatch mismatch = {NULL, NULL, NULL};
	auto_free char *since = NULL;

	if (!values_are_stale(memory, facts->now_ms)) {
		return false;
	}
	describe(&mismatch, memory, signal);
	since = clock_rfc3339(json_path_int(memory, "since", 0));
	SAY(verdict, VERDICT_FALSE, "HPANotSynced",
		"HorizontalPodAutoscaler '%s/%s' has not read '%s' since %s: its status says %s, while the metrics API serves "
		"%s; " HPA_CONTROLLER_REMEDY,
		kube_object_namespace(facts->hpa), kube_object_name(facts->hpa), signal->signal->metric, since,
		mismatch.value, mismatch.series);
	return true;
}
