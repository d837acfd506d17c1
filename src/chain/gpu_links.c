/* The links of the GPU signal: the exporter that all share, its scrape, and the recorded series. */
#include <string.h>

#include "checks.h"

/* Of the shared scrape and of the recording rule. */
#define SHARED_INTERVAL_MS 15000
/* NVIDIA/dcgm-exporter, internal/pkg/transformation/kubernetes.go. */
#define GPU_OF_SEVERAL "Of pods that share a GPU it names one, unless it runs with KUBERNETES_VIRTUAL_GPUS=true"

/* What the shared pass found of the exporter that this autoscaler asks for; NULL before its first pass. */
static const struct exporter_survey *exporter_of(const struct facts *facts, struct verdict *verdict)
{
	const struct exporter_survey *exporter = gpu_survey_exporter(facts->gpu, facts->exporter_id);

	if (exporter == NULL) {
		say_probing(verdict);
	}
	return exporter;
}

/* What was seen of the exporters that are believed as this autoscaler's is, or NULL after saying that it is awaited or failed. */
static const struct exporter_seen *read_exporter(const struct facts *facts, struct verdict *verdict)
{
	static const struct exporter_seen none;
	const struct exporter_survey *asked = gpu_survey_exporter(facts->gpu, facts->exporter_id);
	const bool own = asked != NULL && asked->local != NULL;
	const struct exporter_seen *seen = facts->shared == NULL ? &none
	                                   : own                 ? &facts->shared->own
	                                                         : &facts->shared->exporter;

	return evidence_reads(seen->seen_ms, &seen->failure, "PrometheusNotReachable", verdict) ? seen : NULL;
}

/* The same of the recording rule. */
static const struct rule_seen *read_rule(const struct facts *facts, struct verdict *verdict)
{
	static const struct rule_seen none;
	const struct rule_seen *seen = facts->shared != NULL ? &facts->shared->rule : &none;

	return evidence_reads(seen->seen_ms, &seen->failure, "PrometheusNotReachable", verdict) ? seen : NULL;
}

/* Whether no Prometheus resource tells who takes an object, as the shared pass noted of it. */
static bool judged_by_series(const struct facts *facts, const char *selected_by, const char *problem)
{
	return selected_by == NULL && problem == NULL && facts->settings->prometheus_url != NULL;
}

/* Says the problem that the shared pass noted, if any. */
static bool troubled(const char *problem, const char *reason, struct verdict *verdict)
{
	if (problem == NULL) {
		return false;
	}
	SAY(verdict, VERDICT_FALSE, reason, "%s", problem);
	return true;
}

void check_gpu_exposed(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct exporter_survey *exporter = exporter_of(facts, verdict);
	const char *others = exporter != NULL ? exporter->others : NULL;

	(void)signal;
	if (exporter != NULL && exporter->problem != NULL && facts->settings->watch_namespaces != NULL) {
		SAY(verdict, VERDICT_UNKNOWN, "NotRead",
			"%s; if it is in a namespace that the operator does not read, add that to its --shared-namespaces "
			"(sharedNamespaces in the chart)",
			exporter->problem);
		return;
	}
	if (exporter == NULL || troubled(exporter->problem, "ExporterNotFound", verdict)) {
		return;
	}
	if (exporter->local != NULL && strcmp(exporter->local, facts->workload.spec->ns) != 0) {
		SAY(verdict, VERDICT_FALSE, "ExporterNotFound",
			"the DCGM exporter behind Service '%s' is believed about pods of its own namespace only: set "
			"spec.gpu.exporter.type to Auto, or have the namespace added to the operator's "
			"--tenant-exporter-namespaces (tenants.exporterNamespaces in the chart)",
			exporter->service);
		return;
	}
	if (exporter->ready == 0) {
		SAY(verdict, VERDICT_FALSE, "ExporterNotReady",
			"no pod of the DCGM exporter behind Service '%s' is ready: see the events of its DaemonSet",
			exporter->service);
		return;
	}
	if (facts->workload.direct) {
		SAY(verdict, VERDICT_TRUE, "Exposed",
			"the DCGM exporter is ready%s%s%s; it is read on the nodes of the target's pods",
			others != NULL ? "; left out is " : "", others != NULL ? others : "",
			others != NULL ? ", which bears an exporter's label too" : "");
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Exposed", "the DCGM exporter behind Service '%s' is ready%s%s%s", exporter->service,
		others != NULL ? "; left out is " : "", others != NULL ? others : "",
		others != NULL ? ", which bears an exporter's label too" : "");
}

void check_gpu_selected(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct exporter_survey *exporter = exporter_of(facts, verdict);

	(void)signal;
	if (exporter == NULL) {
		return;
	}
	if (facts->prometheus_missing) {
		check_page_selected(facts, signal, verdict);
		return;
	}
	if (exporter->service != NULL && judged_by_series(facts, exporter->selected_by, exporter->select_problem)) {
		SAY(verdict, VERDICT_TRUE, "NoResource",
			"no Prometheus resource stands for what scrapes here: what '%s' answers tells whether it scrapes the "
			"DCGM exporter",
			facts->settings->prometheus_url);
		return;
	}
	if (exporter->selected_by == NULL && facts->select_unread != NULL) {
		SAY(verdict, VERDICT_UNKNOWN, "NotRead",
			"who would select a ServiceMonitor for the DCGM exporter is not known: %s",
			facts->select_unread);
		return;
	}
	if (exporter->service == NULL) {
		SAY(verdict, VERDICT_FALSE, "NotSelected", "who scrapes the DCGM exporter is not known: %s",
			exporter->problem != NULL ? exporter->problem : "");
		return;
	}
	if (exporter->selected_by == NULL) {
		SAY(verdict, VERDICT_FALSE, "NotSelected",
			"no Prometheus would select a ServiceMonitor for the DCGM exporter: %s",
			exporter->select_problem != NULL ? exporter->select_problem : "");
		return;
	}
	SAY(verdict, VERDICT_TRUE, "Selected", "Prometheus '%s' selects %s for the DCGM exporter",
		exporter->selected_by, exporter->monitor != NULL ? exporter->monitor : "a scrape");
}

/* Whether the exporter's scrape is to be made still, or was made a moment ago. */
static bool scrape_in_grace(const struct facts *facts, int64_t seen_ms)
{
	const struct exporter_survey *exporter = gpu_survey_exporter(facts->gpu, facts->exporter_id);

	return exporter == NULL || exporter->monitor == NULL ||
	       grace_of_object(seen_ms, exporter->since_ms, SHARED_INTERVAL_MS);
}

static bool rule_in_grace(const struct facts *facts, int64_t seen_ms)
{
	return grace_of_object(seen_ms, facts->gpu != NULL ? facts->gpu->rule.since_ms : -1, SHARED_INTERVAL_MS);
}

static void say_scrape_awaited(struct verdict *verdict)
{
	SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
		"Prometheus has not scraped the DCGM exporter yet: it loads a new ServiceMonitor within about a minute");
}

void check_gpu_scraped(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct exporter_seen *exporter = read_exporter(facts, verdict);

	(void)signal;
	if (exporter == NULL) {
		return;
	}
	if (exporter->up > 0 || exporter->series > 0) {
		SAY(verdict, VERDICT_TRUE, "Scraped", "Prometheus scrapes the DCGM exporter");
	} else if (exporter->last_error == NULL && scrape_in_grace(facts, exporter->seen_ms)) {
		say_scrape_awaited(verdict);
	} else if (exporter->down > 0) {
		auto_free char *error = evidence_last_error(exporter->last_error);

		SAY(verdict, VERDICT_FALSE, "ScrapeFailing", "Prometheus cannot scrape the DCGM exporter: %s", error);
	} else if (!say_out_of_reach(facts, verdict) && !say_namespace_enforced(facts, verdict) &&
		   !say_gpu_sharded(facts, verdict)) {
		SAY(verdict, VERDICT_FALSE, "NoTargets",
			"Prometheus has no target for the DCGM exporter, although it had the time to load its ServiceMonitor: "
			"see prometheus-operator's log, and the log of the config-reloader beside Prometheus");
	}
}

void check_gpu_fresh(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct exporter_seen *exporter = read_exporter(facts, verdict);

	(void)signal;
	if (exporter == NULL) {
		return;
	}
	if (exporter->series == 0 && scrape_in_grace(facts, exporter->seen_ms)) {
		say_scrape_awaited(verdict);
	} else if (exporter->with_pod == 0 && say_gpu_sharded(facts, verdict)) {
		return;
	} else if (exporter->series == 0) {
		SAY(verdict, VERDICT_FALSE, "SeriesMissing",
			"Prometheus scrapes the DCGM exporter but has neither 'DCGM_FI_DEV_GPU_UTIL' nor "
			"'DCGM_FI_PROF_GR_ENGINE_ACTIVE' of it: add one of them to the exporter's list of fields");
	} else if (exporter->with_pod > 0) {
		SAY(verdict, VERDICT_TRUE, "Fresh", "Prometheus has samples of pods' GPUs");
	} else {
		auto_free char *cause = gpu_request_cause(facts);

		SAY(verdict, VERDICT_FALSE, "NoPodLabels",
			"the DCGM exporter does not say which pod uses a GPU: set its DCGM_EXPORTER_KUBERNETES=true and mount "
			"/var/lib/kubelet/pod-resources, or no pod has a GPU%s%s",
			cause != NULL ? "; " : "", cause != NULL ? cause : "");
	}
}

static void say_recorded(const struct workload_signal *signal, struct verdict *verdict)
{
	SAY(verdict, VERDICT_TRUE, "Recorded", "'%s' is recorded for the target's pods", signal->signal->series[0]);
}

/* Whether the rule is judged by what it records, because what prometheus.url answers does not list it. */
static bool is_unlisted(const struct facts *facts, const struct rule_survey *wanted)
{
	return judged_by_series(facts, wanted->selected_by, wanted->problem) &&
	       (facts->shared == NULL || !facts->shared->rule.loaded);
}

/* The name of who records. */
static const char *prometheus_of(const struct facts *facts, const struct rule_survey *wanted)
{
	return wanted->selected_by != NULL ? wanted->selected_by : facts->settings->prometheus_url;
}

static void say_nothing_recorded(const struct facts *facts, const struct workload_signal *signal,
	struct verdict *verdict)
{
	auto_free char *cause = gpu_request_cause(facts);
	const char *record = signal->signal->series[0];

	if (say_namespace_enforced(facts, verdict) || say_gpu_sharded(facts, verdict)) {
		return;
	}
	if (is_unlisted(facts, &facts->gpu->rule)) {
		SAY(verdict, VERDICT_FALSE, "NothingRecorded",
			"'%s' has no value, and '%s' lists no rule for it: see whether anything evaluates PrometheusRule '%s' where "
			"there is no Prometheus resource; if something does: %s%sdoes the exporter run on the pods' nodes?",
			record, facts->settings->prometheus_url, facts->gpu->rule.name, cause != NULL ? cause : "",
			cause != NULL ? "; " : "");
		return;
	}
	if (cause != NULL) {
		SAY(verdict, VERDICT_FALSE, "NothingRecorded", "'%s' has no value: %s. " GPU_OF_SEVERAL, record, cause);
		return;
	}
	SAY(verdict, VERDICT_FALSE, "NothingRecorded",
		"'%s' has no value for the pods of %s '%s': %sdoes the exporter run on their nodes? " GPU_OF_SEVERAL,
		record, facts->workload.spec->target_kind, facts->workload.spec->target_name,
		facts->target_watched ? "" : "do they request nvidia.com/gpu, and ");
}

/* Whether the link worked until now and every pod's value is fresh still: then Prometheus will have the rule again
 * before anybody misses it. */
static bool still_recorded(const struct facts *facts, const struct workload_signal *signal)
{
	const struct series_seen *series = &evidence_signal(facts, signal)->series;

	return worked_before(facts, "SeriesRecorded") && series->pods > 0 && series->missing.count == 0;
}

static void say_rule_awaited(const struct rule_survey *wanted, struct verdict *verdict)
{
	SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
		"Prometheus '%s' has not loaded PrometheusRule '%s' yet: it loads a new one within about a minute",
		wanted->selected_by, wanted->name);
}

/* Whether the rule does what it is to do, as Prometheus lists it; false after saying why not, or that it is recorded still. */
static bool rule_works(const struct facts *facts, const struct workload_signal *signal,
	const struct rule_survey *wanted, struct verdict *verdict)
{
	const struct rule_seen *rule = read_rule(facts, verdict);

	if (rule == NULL) {
		return false;
	}
	if (!rule->loaded && rule_in_grace(facts, rule->seen_ms)) {
		if (still_recorded(facts, signal)) {
			say_recorded(signal, verdict);
		} else {
			say_rule_awaited(wanted, verdict);
		}
		return false;
	}
	if (!rule->loaded) {
		SAY(verdict, VERDICT_FALSE, "RuleNotLoaded",
			"PrometheusRule '%s' is not loaded by Prometheus '%s', although it had the time to: see "
			"prometheus-operator's log for a rule it refuses",
			wanted->name, wanted->selected_by);
		return false;
	}
	if (rule->health == RULE_HEALTH_ERR) {
		auto_free char *error = evidence_last_error(rule->last_error);

		SAY(verdict, VERDICT_FALSE, "RuleFailing", "PrometheusRule '%s' cannot be evaluated: %s", wanted->name,
			error);
		return false;
	}
	if (rule->rivals.count > 0) {
		SAY(verdict, VERDICT_FALSE, "RecordedTwice",
			"Prometheus '%s' records '%s' by another rule too, which says something else, so that the two take turns: "
			"take it out of PrometheusRule '%s' (its namespace and name)",
			prometheus_of(facts, wanted), signal->signal->series[0], rule->rivals.items[0]);
		return false;
	}
	return true;
}

void check_gpu_recorded(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct rule_survey *wanted = facts->gpu != NULL ? &facts->gpu->rule : NULL;
	const struct series_seen *series;
	auto_free char *missing = NULL;

	if (wanted == NULL) {
		say_probing(verdict);
		return;
	}
	if (troubled(wanted->problem, "RuleNotSelected", verdict)) {
		return;
	}
	if (!(is_unlisted(facts, wanted) || rule_works(facts, signal, wanted, verdict))) {
		return;
	}
	series = evidence_read_series(facts, signal, verdict);
	if (series == NULL) {
		return;
	}
	missing = evidence_names(&series->missing);
	if (series->pods == 0 && evidence_gap_passes(facts, "SeriesRecorded", &series->missing)) {
		say_recorded(signal, verdict);
	} else if ((series->pods == 0 || missing != NULL) &&
		   (scrape_in_grace(facts, series->seen_ms) || rule_in_grace(facts, series->seen_ms) ||
			   grace_of_pods(series))) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"'%s' has no value yet for the pods of %s '%s': it is recorded every 15 s, from the next scrape on",
			signal->signal->series[0], facts->workload.spec->target_kind,
			facts->workload.spec->target_name);
	} else if (series->pods == 0) {
		say_nothing_recorded(facts, signal, verdict);
	} else if (missing != NULL && say_gpu_sharded(facts, verdict)) {
		return;
	} else if (missing != NULL) {
		SAY(verdict, VERDICT_FALSE, "PodsWithoutSeries",
			"'%s' has no value for pod %s: does the DCGM exporter run on its node? " GPU_OF_SEVERAL,
			signal->signal->series[0], missing);
	} else if (!values_mismatch_record(facts, signal, verdict)) {
		say_recorded(signal, verdict);
	}
}
