/* The links of a signal that the pods' own /metrics pages carry. */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "checks.h"
#include "children/children.h"
#include "engine/custom.h"
#include "prometheus_spec.h"
#include "tags.h"

static bool page_serves(const struct page_seen *page, const struct engine_signal *signal)
{
	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		if (texts_hold(&page->series, signal->series[s])) {
			return true;
		}
	}
	return false;
}

/* The page is an engine's, but has none of the series: what to do depends on whose page it is. */
static void say_series_missing(const struct facts *facts, const struct page_seen *page,
	const struct workload_signal *missing, struct verdict *verdict)
{
	const struct engine_signal *signal = missing->signal;
	const char *url = page->url != NULL ? page->url : "";
	const char *declared = facts->workload.spec->engine_type;
	const char *found = page->engine;

	if (strcmp(declared, CUSTOM_ENGINE) == 0) {
		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' has no series '%s', by which spec.engine.signals describes %s: write the series as the page "
			"has it, or correct spec.engine.port and path; some engines have none before their first request, send it one",
			url, signal->series[0], signal->name);
	} else if (found == NULL) {
		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' has no series '%s': is it the engine's metrics port? set spec.engine.port and path",
			url, signal->series[0]);
	} else if (strcmp(declared, "Auto") != 0 && strcmp(declared, found) != 0) {
		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' is of engine '%s', but spec.engine.type is '%s': set it to %s, or to Auto",
			url, found, declared, found);
	} else {
		auto_free char *field = workload_signal_field(&facts->workload, missing, "signal");

		SAY(verdict, VERDICT_FALSE, "SeriesNotOnPage",
			"the page at '%s' is of engine '%s', but has no series '%s': some engines have none before their first "
			"request, send it one; if it stays so, its version does not report %s '%s', choose another",
			url, found, signal->series[0], field, signal->name);
	}
}

bool page_is_idle(const struct page_seen *page, const char *metric)
{
	for (size_t i = 0; i < page->values.count; i++) {
		const struct metric_value *value =
			shape_find(&shape_metric_value, &page->values.items[i].values, metric);

		if (value == NULL || value->milli == MILLI_NONE || value->milli > 0) {
			return false;
		}
	}
	return page->values.count > 0;
}

/* Says so when no pod is ready, and none counts for its load: then there is nothing that could be read. */
static bool say_none_counts(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const struct pods_seen *pods = &evidence_seen(facts)->pods;
	const struct page_seen *page = &evidence_seen(facts)->page;
	bool answers = evidence_answers(facts, PART_PAGE);
	const char *pod = answers && page->pod != NULL ? page->pod : "";
	const struct unready_pod *unready;
	auto_free char *since = NULL;

	if (pods->ready != 0) {
		return false;
	}
	if (pods->unready.count == 0) {
		SAY(verdict, VERDICT_UNKNOWN, "NoReadyPod",
			"no pod of %s '%s' is ready yet: waiting for its model to load", spec->target_kind,
			spec->target_name);
		return true;
	}
	unready = shape_find(&shape_unready_pod, &pods->unready, pod);
	since = clock_rfc3339(unready != NULL ? unready->since_ms : 0);
	if (answers && page->failure.text != NULL) {
		SAY(verdict, VERDICT_UNKNOWN, "NoReadyPod",
			"no pod of %s '%s' is ready: pod '%s' was until %s, and now its metrics page cannot be read either; "
			"see its log and its readiness probe",
			spec->target_kind, spec->target_name, pod, since);
		return true;
	}
	if (answers && signal != NULL && page_is_idle(page, signal->signal->metric)) {
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
	const struct pods_seen *pods = &evidence_seen(facts)->pods;
	const struct page_seen *page;

	if (!facts->port_known) {
		SAY(verdict, VERDICT_FALSE, "PortNotFound",
			"no container of %s '%s' has the port '%s' that spec.engine.port names: correct it, or give a number",
			w->spec->target_kind, w->spec->target_name, w->spec->port_name);
		return;
	}
	if (say_none_counts(facts, signal, verdict)) {
		return;
	}
	page = evidence_read_page(facts, verdict);
	if (page == NULL) {
		return;
	}
	if (page->router != NULL) {
		SAY(verdict, VERDICT_FALSE, "RouterNotEngine",
			"the page at '%s' is of %s, which passes on what its engines report: set spec.scaleTargetRef to the workload "
			"of the engines, whose pods each have a page of their own",
			page->url != NULL ? page->url : "", page->router);
		return;
	}
	if (signal == NULL) {
		SAY(verdict, VERDICT_FALSE, "EngineNotRecognised",
			"the page at '%s' is of no engine known: set spec.engine.type, or correct spec.engine.port and path; some "
			"engines have no metrics before their first request, send it one",
			page->url != NULL ? page->url : "");
		return;
	}
	if (!page_serves(page, signal->signal)) {
		say_series_missing(facts, page, signal, verdict);
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Exposed", "%s serve '%s' on port %lld%s%s",
		pods->ready == 0 ? "pods" : "ready pods", signal->signal->series[0], (long long)w->port, w->path,
		pods->unready.count > 0 ? "; those that are not ready any more count while they have load" : "");
}

/* There is no Prometheus resource, and what `prometheus.url` answers is judged by its series. */
static bool without_resource(const struct facts *facts)
{
	return facts->selected_by == NULL && facts->prometheus_absent && facts->settings->prometheus_url != NULL;
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
	if (without_resource(facts)) {
		SAY(verdict, VERDICT_TRUE, "NoResource",
			"no Prometheus resource stands for what scrapes here: what '%s' answers tells whether it does",
			facts->settings->prometheus_url);
		return;
	}
	if (facts->agent != NULL) {
		SAY(verdict, VERDICT_TRUE, "Selected", "PrometheusAgent '%s' selects ServiceMonitor '%s'", facts->agent,
			facts->monitor);
		return;
	}
	if (facts->selected_by == NULL && facts->select_unread != NULL) {
		SAY(verdict, VERDICT_UNKNOWN, "NotRead", "who selects ServiceMonitor '%s' is not known: %s",
			facts->monitor, facts->select_unread);
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

/* See engine/kept.h. */
#define OWN_IS_ENOUGH(limit) ": the ServiceMonitor's own " limit " is more than an engine needs"
#define IF_NOT_SET(limit) ", or remove " limit " of the ServiceMonitor where somebody set it"

/* What to do about a scrape error, by a piece of Prometheus' words for it (scrape/scrape.go, Go's net). We read
 * the page ourselves just now, so what keeps Prometheus from it lies between the two. */
static const struct {
	const char *error;
	const char *remedy;
} scrape_remedies[] = {
	{"sample limit exceeded", "raise enforcedSampleLimit of the Prometheus" OWN_IS_ENOUGH("sampleLimit")},
	{"body size limit exceeded", "raise enforcedBodySizeLimit of the Prometheus" OWN_IS_ENOUGH("bodySizeLimit")},
	{"label_limit exceeded", "raise enforcedLabelLimit of the Prometheus" OWN_IS_ENOUGH("labelLimit")},
	{"label_name_length_limit exceeded",
		"raise enforcedLabelNameLengthLimit of the Prometheus" IF_NOT_SET("labelNameLengthLimit")},
	{"label_value_length_limit exceeded",
		"raise enforcedLabelValueLengthLimit of the Prometheus" IF_NOT_SET("labelValueLengthLimit")},
	{"no fallback_scrape_protocol",
		"let the page have the Content-Type 'text/plain; version=0.0.4', or give spec.scrapeClasses of the Prometheus a "
		"class with default true and fallbackScrapeProtocol PrometheusText0.0.4"},
	{"connection refused", "does a NetworkPolicy keep Prometheus from the pods?"},
	{"context deadline exceeded", "does a NetworkPolicy keep Prometheus from the pods?"},
	{"i/o timeout", "does a NetworkPolicy keep Prometheus from the pods?"},
	{"no route to host", "does a NetworkPolicy keep Prometheus from the pods?"},
};

static void say_scrape_failing(const struct facts *facts, const struct scrape_seen *scrape, struct verdict *verdict)
{
	const char *whole = scrape->last_error != NULL ? scrape->last_error : "";
	auto_free char *error = evidence_last_error(scrape->last_error);
	const char *remedy = NULL;

	for (size_t i = 0; remedy == NULL && i < ARRAY_LEN(scrape_remedies); i++) {
		remedy = strstr(whole, scrape_remedies[i].error) != NULL ? scrape_remedies[i].remedy : NULL;
	}
	SAY(verdict, VERDICT_FALSE, "ScrapeFailing",
		"Prometheus '%s' cannot scrape the pods by ServiceMonitor '%s': %s%s%s", prometheus_name(facts),
		facts->monitor, error, remedy != NULL ? "; " : "", remedy != NULL ? remedy : "");
}

static bool monitor_in_grace(const struct facts *facts, int64_t seen_ms)
{
	return grace_of_object(seen_ms, facts->monitor_made_ms,
		clock_parse_duration(facts->workload.spec->scrape_interval));
}

/* Says so when the scrape is missing only because the ServiceMonitor, or every pod, is new. */
static bool say_scrape_awaited(const struct facts *facts, const struct workload_signal *signal,
	const struct scrape_seen *scrape, struct verdict *verdict)
{
	if (monitor_in_grace(facts, scrape->seen_ms)) {
		auto_free char *made =
			clock_rfc3339(facts->monitor_made_ms > 0 ? facts->monitor_made_ms : facts->now_ms);

		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"Prometheus '%s' has not loaded ServiceMonitor '%s' yet, made at %s: it usually takes about a minute",
			prometheus_name(facts), facts->monitor, made);
		return true;
	}
	if (grace_of_pods(&evidence_signal(facts, signal)->series)) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"Prometheus '%s' has not scraped the pods yet, which just became ready: it does so within half a minute",
			prometheus_name(facts));
		return true;
	}
	return false;
}

static void say_no_targets(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	auto_free char *tags = tags_needed(facts);

	if (without_resource(facts) && tags != NULL) {
		SAY(verdict, VERDICT_FALSE, "NoTargets",
			"'%s' has no target for ServiceMonitor '%s', although it had the time to load it: see whether "
			"anything reads ServiceMonitors where there is no Prometheus resource; set spec.source to Direct, which "
			"needs none; or let it scrape the pods of %s '%s/%s' by itself, with the labels namespace and pod, and "
			"with metric_relabel_configs [%s]",
			prometheus_name(facts), facts->monitor, spec->target_kind, spec->ns, spec->target_name, tags);
		return;
	}
	if (without_resource(facts)) {
		SAY(verdict, VERDICT_FALSE, "NoTargets",
			"'%s' has no target for ServiceMonitor '%s', although it had the time to load it: see whether "
			"anything reads ServiceMonitors where there is no Prometheus resource, or let it scrape the pods of %s "
			"'%s/%s' by itself, with the labels namespace and pod",
			prometheus_name(facts), facts->monitor, spec->target_kind, spec->ns, spec->target_name);
		return;
	}
	if (facts->agent != NULL) {
		SAY(verdict, VERDICT_FALSE, "NoTargets",
			"PrometheusAgent '%s' selects ServiceMonitor '%s', but '%s' has nothing of it: let the agent write there by "
			"its spec.remoteWrite%s%s",
			facts->agent, facts->monitor, prometheus_name(facts),
			facts->select_problem != NULL ? ", or have it scraped without the agent: " : "",
			facts->select_problem != NULL ? facts->select_problem : "");
		return;
	}
	SAY(verdict, VERDICT_FALSE, "NoTargets",
		"Prometheus '%s' has no target for ServiceMonitor '%s', although it had the time to load it: see "
		"prometheus-operator's log, and the log of the config-reloader beside Prometheus",
		prometheus_name(facts), facts->monitor);
}

void check_page_scraped(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct scrape_seen *scrape = evidence_read_scrape(facts, verdict);
	bool passes;

	if (prometheus_spec_nobody_answers(facts, verdict) || scrape == NULL) {
		return;
	}
	/* The last scrape of a pod that is gone may have failed, and the next one's first may be due: then no
	 * target has an error. */
	passes = scrape->down > 0 && scrape->last_error == NULL && evidence_gap_passes(facts, "ScrapeHealthy", NULL);
	if (scrape->up > 0 || passes) {
		SAY(verdict, VERDICT_TRUE, "Scraped", "Prometheus '%s' scrapes the pods", prometheus_name(facts));
	} else if (scrape->last_error != NULL) {
		say_scrape_failing(facts, scrape, verdict);
	} else if (facts->prometheus != NULL && facts->prometheus->paused) {
		SAY(verdict, VERDICT_FALSE, "PrometheusPaused",
			"Prometheus '%s' has spec.paused true, so that prometheus-operator does not give it ServiceMonitor '%s': "
			"set spec.paused to false",
			prometheus_name(facts), facts->monitor);
	} else if (without_resource(facts) && values_arrive(facts, signal)) {
		/* No ServiceMonitor of ours is read, so that none of before an edit is what they come by. */
		SAY(verdict, VERDICT_TRUE, "ScrapedByOthers",
			"fresh values of each pod arrive at HorizontalPodAutoscaler '%s/%s': '%s' scrapes the pods by itself",
			facts->hpa->view.meta.ns, facts->hpa->view.meta.name, prometheus_name(facts));
	} else if (say_scrape_awaited(facts, signal, scrape, verdict)) {
		return;
	} else if (scrape->down > 0) {
		say_scrape_failing(facts, scrape, verdict);
	} else if (!prometheus_spec_hinders(facts, verdict) && !prometheus_spec_keeps_out(facts, verdict)) {
		say_no_targets(facts, verdict);
	}
}

static void say_fresh(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	SAY(verdict, VERDICT_TRUE, "Fresh", "Prometheus '%s' has fresh samples of '%s'", prometheus_name(facts),
		signal->signal->series[0]);
}

void check_page_fresh(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct series_seen *series = evidence_read_series(facts, signal, verdict);
	auto_free char *missing = NULL;

	if (series == NULL) {
		return;
	}
	missing = evidence_names(&series->missing);
	if (series->pods == 0 && evidence_gap_passes(facts, "SeriesFresh", &series->missing)) {
		say_fresh(facts, signal, verdict);
	} else if ((series->pods == 0 || missing != NULL) &&
		   (monitor_in_grace(facts, series->seen_ms) || tags_in_grace(facts, signal, series->seen_ms) ||
			   grace_of_pods(series))) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"Prometheus '%s' begins to scrape the pods by ServiceMonitor '%s': each has its first sample of '%s' "
			"within two scrape intervals",
			prometheus_name(facts), facts->monitor, signal->signal->series[0]);
	} else if ((series->pods == 0 || missing != NULL) && prometheus_spec_hinders(facts, verdict)) {
		return;
	} else if (series->pods == 0 && signal->signal->tag.label != NULL) {
		tags_say_missing(facts, signal, verdict);
	} else if (series->pods == 0) {
		SAY(verdict, VERDICT_FALSE, "SeriesMissing",
			"Prometheus '%s' has no sample of '%s' for the target's pods younger than three scrape intervals: the "
			"next scrape brings one; if it stays so, see whether the page stamps its samples with a clock that is "
			"late",
			prometheus_name(facts), signal->signal->series[0]);
	} else if (missing != NULL) {
		SAY(verdict, VERDICT_FALSE, "PodsWithoutSeries",
			"Prometheus '%s' has no fresh sample of '%s' for pod %s: see whether it serves its metrics page",
			prometheus_name(facts), signal->signal->series[0], missing);
	} else if (!values_mismatch_page(facts, signal, verdict)) {
		say_fresh(facts, signal, verdict);
	}
}
