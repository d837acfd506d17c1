/* The links of a signal that the pods' own /metrics pages carry. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "checks.h"

static bool page_serves(const json_t *page, const struct engine_signal *signal)
{
	const json_t *series = json_object_get(page, "series");
	size_t i;
	json_t *name;

	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		json_array_foreach((json_t *)series, i, name) {
			if (strcmp(json_string_value(name), signal->series[s]) == 0) {
				return true;
			}
		}
	}
	return false;
}

/* The page is an engine's, but has none of the series: what to do depends on whose page it is. */
static void say_series_missing(const struct facts *facts, const json_t *page, const struct engine_signal *signal,
	struct verdict *verdict)
{
	const char *url = json_path_string(page, "url", "");
	const char *declared = facts->workload.spec->engine_type;
	const char *found = json_path_string(page, "engine", NULL);

	if (found == NULL) {
		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' has no series '%s': is it the engine's metrics port? set spec.engine.port and path",
			url, signal->series[0]);
	} else if (strcmp(declared, "Auto") != 0 && strcmp(declared, found) != 0) {
		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' is of engine '%s', but spec.engine.type is '%s': set it to %s, or to Auto",
			url, found, declared, found);
	} else {
		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' is of engine '%s', but has no series '%s': some engines have none before their first "
			"request, send it one; if it stays so, its version does not report spec.requests.signal '%s', choose "
			"another",
			url, found, signal->series[0], signal->name);
	}
}

/* Whether the pages that were read tell that none of these pods has any of the signal's load. */
static bool is_idle(const json_t *page, const struct engine_signal *signal)
{
	const char *pod;
	json_t *values;
	size_t idle = 0;

	json_object_foreach(json_object_get(page, "values"), pod, values) {
		const json_t *milli = json_object_get(values, signal->metric);

		if (!json_is_integer(milli) || json_integer_value(milli) > 0) {
			return false;
		}
		idle++;
	}
	return idle > 0;
}

/* Says so when no pod is ready, and none counts for its load: then there is nothing that could be read. */
static bool say_none_counts(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const json_t *unready = json_path(facts->evidence, "pods.unready");
	const json_t *page = evidence_answers(facts, "page") ? json_object_get(facts->evidence, "page") : NULL;
	const char *pod = json_path_string(page, "pod", "");
	auto_free char *since = NULL;

	if (json_path_int(facts->evidence, "pods.ready", -1) != 0) {
		return false;
	}
	if (unready == NULL) {
		SAY(verdict, VERDICT_UNKNOWN, "NoReadyPod",
			"no pod of %s '%s' is ready yet: waiting for its model to load", spec->target_kind,
			spec->target_name);
		return true;
	}
	since = clock_rfc3339(json_integer_value(json_object_get(unready, pod)));
	if (json_path(page, "error") != NULL) {
		SAY(verdict, VERDICT_UNKNOWN, "NoReadyPod",
			"no pod of %s '%s' is ready: pod '%s' was until %s, and now its metrics page cannot be read either; "
			"see its log and its readiness probe",
			spec->target_kind, spec->target_name, pod, since);
		return true;
	}
	if (signal != NULL && is_idle(page, signal->signal)) {
		SAY(verdict, VERDICT_UNKNOWN, "NoReadyPod",
			"no pod of %s '%s' is ready: pod '%s' was until %s; one that is not ready counts only while it has "
			"load, and none has now; see its readiness probe",
			spec->target_kind, spec->target_name, pod, since);
		return true;
	}
	return false;
}

void check_page_exposed(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct workload *w = &facts->workload;
	const json_t *page;

	if (!facts->port_known) {
		SAY(verdict, VERDICT_FALSE, "PortNotFound",
			"no container of %s '%s' has the port '%s' that spec.engine.port names: correct it, or give a number",
			w->spec->target_kind, w->spec->target_name, w->spec->port_name);
		return;
	}
	if (say_none_counts(facts, signal, verdict)) {
		return;
	}
	page = evidence_read(facts, "page", "PageNotServed", verdict);
	if (page == NULL) {
		return;
	}
	if (signal == NULL) {
		SAY(verdict, VERDICT_FALSE, "EngineNotRecognised",
			"the page at '%s' is of no engine known: set spec.engine.type, or correct spec.engine.port and path; some "
			"engines have no metrics before their first request, send it one",
			json_path_string(page, "url", ""));
		return;
	}
	if (!page_serves(page, signal->signal)) {
		say_series_missing(facts, page, signal->signal, verdict);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Exposed", "%s serve '%s' on port %lld%s%s",
		json_path_int(facts->evidence, "pods.ready", -1) == 0 ? "pods" : "ready pods",
		signal->signal->series[0], (long long)w->port, w->path,
		json_path(facts->evidence, "pods.unready") != NULL
			? "; those that are not ready any more count while they have load"
			: "");
}

void check_page_selected(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	(void)signal;
	if (facts->prometheus_missing) {
		SAY(verdict, VERDICT_FALSE, "PrometheusOperatorMissing",
			"the types of prometheus-operator (monitoring.coreos.com/v1) are not installed: install it; this is "
			"noticed by itself");
		return;
	}
	if (facts->selected_by == NULL) {
		SAY(verdict, VERDICT_FALSE, "NotSelected", "ServiceMonitor '%s' is selected by no Prometheus: %s",
			facts->monitor, facts->select_problem);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Selected", "Prometheus '%s' selects ServiceMonitor '%s'", facts->selected_by,
		facts->monitor);
}

/* What to do about a scrape error, by a piece of Prometheus' words for it (scrape/scrape.go, Go's net). We read
 * the page ourselves just now, so what keeps Prometheus from it lies between the two. */
static const struct {
	const char *error;
	const char *remedy;
} scrape_remedies[] = {
	{"sample limit exceeded", "raise sampleLimit of the ServiceMonitor, or enforcedSampleLimit of the Prometheus"},
	{"body size limit exceeded",
		"raise bodySizeLimit of the ServiceMonitor, or enforcedBodySizeLimit of the Prometheus"},
	{"label_limit exceeded", "raise labelLimit of the ServiceMonitor, or enforcedLabelLimit of the Prometheus"},
	{"connection refused", "does a NetworkPolicy keep Prometheus from the pods?"},
	{"context deadline exceeded", "does a NetworkPolicy keep Prometheus from the pods?"},
	{"i/o timeout", "does a NetworkPolicy keep Prometheus from the pods?"},
	{"no route to host", "does a NetworkPolicy keep Prometheus from the pods?"},
};

static void say_scrape_failing(const struct facts *facts, const json_t *prometheus, struct verdict *verdict)
{
	const char *whole = json_path_string(prometheus, "lastError", "");
	auto_free char *error = evidence_last_error(prometheus);
	const char *remedy = NULL;

	for (size_t i = 0; remedy == NULL && i < ARRAY_LEN(scrape_remedies); i++) {
		remedy = strstr(whole, scrape_remedies[i].error) != NULL ? scrape_remedies[i].remedy : NULL;
	}
	SAY(verdict, VERDICT_FALSE, "ScrapeFailing",
		"Prometheus '%s' cannot scrape the pods by ServiceMonitor '%s': %s%s%s", facts->selected_by,
		facts->monitor, error, remedy != NULL ? "; " : "", remedy != NULL ? remedy : "");
}

static bool monitor_in_grace(const struct facts *facts, const json_t *document)
{
	return grace_of_object(facts, document, facts->monitor_made_ms,
		clock_parse_duration(facts->workload.spec->scrape_interval));
}

/* Says so when the scrape is missing only because the ServiceMonitor, or every pod, is new. */
static bool say_scrape_awaited(const struct facts *facts, const struct workload_signal *signal,
	const json_t *prometheus, struct verdict *verdict)
{
	if (monitor_in_grace(facts, prometheus)) {
		auto_free char *made =
			clock_rfc3339(facts->monitor_made_ms > 0 ? facts->monitor_made_ms : facts->now_ms);

		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"Prometheus '%s' has not loaded ServiceMonitor '%s' yet, made at %s: it usually takes about a minute",
			facts->selected_by, facts->monitor, made);
		return true;
	}
	if (grace_of_pods(json_object_get(evidence_signal(facts, signal), "series"))) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"Prometheus '%s' has not scraped the pods yet, which just became ready: it does so within half a minute",
			facts->selected_by);
		return true;
	}
	return false;
}

void check_page_scraped(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const json_t *prometheus = evidence_read(facts, "prometheus", "PrometheusNotReachable", verdict);
	bool passes;

	if (prometheus == NULL) {
		return;
	}
	/* The last scrape of a pod that is gone may have failed, and the next one's first may be due: then no
	 * target has an error. */
	passes = json_path_int(prometheus, "down", 0) > 0 && json_path(prometheus, "lastError") == NULL &&
	         evidence_gap_passes(facts, "ScrapeHealthy", prometheus);
	if (json_path_int(prometheus, "up", 0) > 0 || passes) {
		SAY(verdict, VERDICT_TRUE, "Scraped", "Prometheus '%s' scrapes the pods", facts->selected_by);
	} else if (json_path(prometheus, "lastError") != NULL) {
		say_scrape_failing(facts, prometheus, verdict);
	} else if (json_path_bool(facts->prometheus, "spec.paused", false)) {
		SAY(verdict, VERDICT_FALSE, "PrometheusPaused",
			"Prometheus '%s' has spec.paused true, so that prometheus-operator does not give it ServiceMonitor '%s': "
			"set spec.paused to false",
			facts->selected_by, facts->monitor);
	} else if (say_scrape_awaited(facts, signal, prometheus, verdict)) {
		return;
	} else if (json_path_int(prometheus, "down", 0) > 0) {
		say_scrape_failing(facts, prometheus, verdict);
	} else {
		SAY(verdict, VERDICT_FALSE, "NoTargets",
			"Prometheus '%s' has no target for ServiceMonitor '%s', although it had the time to load it: see "
			"prometheus-operator's log, and the log of the config-reloader beside Prometheus",
			facts->selected_by, facts->monitor);
	}
}

static void say_fresh(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	SAY(verdict, VERDICT_TRUE, "Fresh", "Prometheus '%s' has fresh samples of '%s'", facts->selected_by,
		signal->signal->series[0]);
}

void check_page_fresh(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const json_t *series = evidence_read_signal(facts, signal, "series", "PrometheusNotReachable", verdict);
	auto_free char *missing = NULL;

	if (series == NULL) {
		return;
	}
	missing = evidence_missing(series);
	if (json_path_int(series, "pods", 0) == 0 && evidence_gap_passes(facts, "SeriesFresh", series)) {
		say_fresh(facts, signal, verdict);
	} else if ((json_path_int(series, "pods", 0) == 0 || missing != NULL) &&
		   (monitor_in_grace(facts, series) || grace_of_pods(series))) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"Prometheus '%s' begins to scrape the pods by ServiceMonitor '%s': each has its first sample of '%s' "
			"within two scrape intervals",
			facts->selected_by, facts->monitor, signal->signal->series[0]);
	} else if (json_path_int(series, "pods", 0) == 0) {
		SAY(verdict, VERDICT_FALSE, "SeriesMissing",
			"Prometheus '%s' has no sample of '%s' for the target's pods younger than three scrape intervals: the "
			"next scrape brings one; if it stays so, see whether the page stamps its samples with a clock that is "
			"late",
			facts->selected_by, signal->signal->series[0]);
	} else if (missing != NULL) {
		SAY(verdict, VERDICT_FALSE, "PodsWithoutSeries",
			"Prometheus '%s' has no fresh sample of '%s' for pod %s: see whether it serves its metrics page",
			facts->selected_by, signal->signal->series[0], missing);
	} else if (!values_mismatch_page(facts, signal, verdict)) {
		say_fresh(facts, signal, verdict);
	}
}
