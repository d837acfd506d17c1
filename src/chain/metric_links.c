/* The links behind Prometheus: the adapter, the metrics API and the HPA. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "chain/hpa_says.h"
#include "checks.h"

/* Whether the probe left it to the HPA to read the metric first. */
static bool is_left_to_hpa(const struct facts *facts, const struct workload_signal *signal)
{
	const struct signal_seen *seen = evidence_signal(facts, signal);

	return seen->series.pods > 0 && seen->value.seen_ms == 0 && evidence_seen(facts)->hpa_silent_ms > 0;
}

/* Whether the HPA has done so since. */
static bool hpa_has_read(const struct facts *facts, const struct workload_signal *signal)
{
	const struct evidence *evidence = evidence_seen(facts);
	const struct hpa_says says = hpa_says(facts->hpa, signal->signal->metric);
	const struct hpa_proof proof = {.says = &says,
		.silent_ms = evidence->hpa_silent_ms,
		.now_ms = facts->now_ms,
		.seen = evidence_signal(facts, signal),
		.counted = (size_t)evidence->pods.ready + evidence->pods.unready.count};

	return (evidence->asked == NULL || probe_request_equal(evidence->asked, facts->request)) && hpa_proves(&proof);
}

/* Whether the metrics API was seen to return values of every signal, or nobody has looked yet. */
static bool may_be_served(const struct facts *facts)
{
	for (size_t i = 0; i < facts->workload.signals_count; i++) {
		const struct workload_signal *signal = &facts->workload.signals[i];

		if (evidence_signal(facts, signal)->value.pods == 0 && !is_left_to_hpa(facts, signal)) {
			return false;
		}
	}
	return true;
}

/* How often the adapter relists, when that is rarely; else NULL. */
static const char *long_relist(const struct facts *facts)
{
	return facts->adapter_survey != NULL ? facts->adapter_survey->relist : NULL;
}

/* An adapter that asks another Prometheus than the one that scrapes. Values prove the opposite, by a
 * federation say. */
static bool asks_elsewhere(const struct facts *facts, struct verdict *verdict)
{
	const struct adapter_survey *adapter = facts->adapter_survey;
	const char *ours = autoscaler_uses_pages(facts->workload.spec) ? facts->selected_by
	                   : facts->gpu != NULL                        ? facts->gpu->prometheus
	                                                               : NULL;

	if (adapter == NULL || may_be_served(facts)) {
		return false;
	}
	if (adapter->nowhere) {
		SAY(verdict, VERDICT_FALSE, "OtherPrometheus",
			"Deployment '%s/%s' asks '%s', a Service that does not exist: set its --prometheus-url to Prometheus '%s'",
			facts->adapter_names.ns, facts->adapter_names.deployment, adapter->url,
			ours != NULL ? ours : "");
		return true;
	}
	if (adapter->prometheus != NULL && ours != NULL && strcmp(adapter->prometheus, ours) != 0) {
		SAY(verdict, VERDICT_FALSE, "OtherPrometheus",
			"Deployment '%s/%s' asks Prometheus '%s', but the pods are scraped by '%s': set its --prometheus-url, "
			"now '%s', to the latter",
			facts->adapter_names.ns, facts->adapter_names.deployment, adapter->prometheus, ours,
			adapter->url);
		return true;
	}
	return false;
}

static bool is_reported(const struct view_status *status, const char *metric)
{
	for (uint32_t i = 0; i < status->signals_count; i++) {
		if (strcmp(status->signals[i].metric, metric) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether the pods that the rollout replaces have our rules: they had them when this was checked last, and
 * serve until the new ones do. */
static bool had_our_rules(const struct facts *facts)
{
	for (size_t s = 0; s < facts->workload.signals_count; s++) {
		if (!is_reported(&facts->object->status, facts->workload.signals[s].signal->metric)) {
			return false;
		}
	}
	return evidence_gap_passes(facts, "AdapterConfigured", NULL);
}

static void say_configured(const struct facts *facts, struct verdict *verdict)
{
	SAY(verdict, VERDICT_TRUE, "Configured", "Deployment '%s/%s' runs with our rules", facts->adapter_names.ns,
		facts->adapter_names.deployment);
}

static void say_rolling(const struct facts *facts, struct verdict *verdict)
{
	SAY(verdict, VERDICT_UNKNOWN, REASON_ROLLING_OUT, "Deployment '%s/%s' is restarting with our rules",
		facts->adapter_names.ns, facts->adapter_names.deployment);
}

/* Says so when a rule of this autoscaler was left out. */
static bool say_conflict(const struct facts *facts, struct verdict *verdict)
{
	const struct adapter_names *names = &facts->adapter_names;

	for (size_t i = 0; i < facts->workload.signals_count; i++) {
		const char *metric = facts->workload.signals[i].signal->metric;
		const char *why = json_string_value(json_object_get(facts->adapter_conflicts, metric));

		if (why != NULL) {
			SAY(verdict, VERDICT_FALSE, "RuleConflict", "ConfigMap '%s/%s', key '%s', has another rule: %s",
				names->ns, names->configmap, names->key, why);
			return true;
		}
	}
	return false;
}

void check_adapter_configured(const struct facts *facts, struct verdict *verdict)
{
	if (facts->adapter != ADAPTER_BROKEN && say_conflict(facts, verdict)) {
		return;
	}
	if (facts->adapter != ADAPTER_BROKEN && facts->adapter_awaited) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"our rules are not written yet: our chart's writeShared is false, so that the operator of another "
			"release is to write them, or whoever delivers the adapter ('inference-autoscaler rules' prints them)");
		return;
	}
	switch (facts->adapter) {
	case ADAPTER_UNKNOWN:
		SAY(verdict, VERDICT_UNKNOWN, REASON_PROBING, "waiting for the first look at it");
		return;
	case ADAPTER_ROLLING:
		if (had_our_rules(facts)) {
			say_configured(facts, verdict);
		} else {
			say_rolling(facts, verdict);
		}
		return;
	case ADAPTER_BROKEN:
		SAY(verdict, VERDICT_FALSE, facts->adapter_reason, "%s", facts->adapter_message);
		return;
	case ADAPTER_LOADED:
		if (asks_elsewhere(facts, verdict)) {
			return;
		}
		say_configured(facts, verdict);
		return;
	}
}

/* The reason for a failed probe of the metrics API, by the cause that the probe found. */
static const char *failure_reason(const struct facts *facts, const struct workload_signal *signal)
{
	static const struct cause_reason reasons[] = {
		{CAUSE_NOT_REGISTERED, "APIServiceMissing"},
		{CAUSE_UNAVAILABLE, "APIServiceUnavailable"},
		{CAUSE_FORBIDDEN, "Forbidden"},
		{CAUSE_NONE, NULL},
	};

	return evidence_cause(&evidence_signal(facts, signal)->value.failure, reasons, "MetricNotServed");
}

/* Adds to the message that patience alone helps, for long. */
static void say_relist(const struct facts *facts, const char *relist, struct verdict *verdict)
{
	char *message =
		xasprintf("%s; Deployment '%s/%s' relists every %s only: set its --metrics-relist-interval to 1m or "
			  "less",
			verdict->message, facts->adapter_names.ns, facts->adapter_names.deployment, relist);

	free_indirect(&verdict->message);
	verdict->message = message;
}

static void say_served(const struct workload_signal *signal, struct verdict *verdict)
{
	SAY(verdict, VERDICT_TRUE, "Served", "the metrics API serves '%s' for the target's pods",
		signal->signal->metric);
}

/* Says so when the metric, or its value for some pod, is missing only because something is new. An adapter that
 * relists rarely is said at once: it would take longer than anybody expects. */
static bool say_metric_awaited(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct metric_seen *metric = &evidence_signal(facts, signal)->value;
	bool is_away = metric->failure.cause == CAUSE_NOT_REGISTERED || metric->failure.cause == CAUSE_UNAVAILABLE;

	if (is_away && grace_of_registration(facts, metric->seen_ms)) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"the metrics API is registered and available since a moment ago, and '%s' was not asked for since",
			signal->signal->metric);
		return true;
	}
	if ((metric->failure.text != NULL && metric->failure.cause != CAUSE_NOT_LISTED) || long_relist(facts) != NULL ||
		!grace_of_metric(facts, metric->seen_ms, signal->gpu)) {
		return false;
	}
	SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
		"the metrics API does not serve '%s' for the target's pods yet: the adapter finds a new series at its next "
		"relist, within a minute",
		signal->signal->metric);
	return true;
}

/* Nobody but the HPA has looked, if that has: an operator that starts keeps to what was said. */
static void check_first_reading(const struct facts *facts, const struct workload_signal *signal,
	struct verdict *verdict)
{
	if (hpa_has_read(facts, signal) || evidence_gap_passes(facts, "MetricServed", NULL)) {
		say_served(signal, verdict);
	} else {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"the HorizontalPodAutoscaler has not read '%s' yet: its controller comes to a new one after 15 s",
			signal->signal->metric);
	}
}

static void check_metric(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const char *relist = long_relist(facts);
	const struct series_seen *series;
	const struct metric_seen *metric;
	auto_free char *missing = NULL;

	if (facts->api_reason != NULL) {
		SAY(verdict, VERDICT_FALSE, facts->api_reason, "%s", facts->api_message);
		return;
	}
	/* Without a sample of any pod the metric is not asked for. */
	series = evidence_read_series(facts, signal, verdict);
	if (series == NULL) {
		return;
	}
	if (series->pods == 0 && evidence_gap_passes(facts, "MetricServed", &series->missing)) {
		say_served(signal, verdict);
		return;
	}
	if (is_left_to_hpa(facts, signal)) {
		check_first_reading(facts, signal, verdict);
		return;
	}
	metric = evidence_read_metric(facts, signal, failure_reason(facts, signal), verdict);
	if (metric == NULL) {
		const struct failure *failure = &evidence_signal(facts, signal)->value.failure;

		if (verdict->status == VERDICT_FALSE && !say_metric_awaited(facts, signal, verdict) && relist != NULL &&
			failure->cause == CAUSE_NOT_LISTED) {
			say_relist(facts, relist, verdict);
		}
		return;
	}
	missing = evidence_names(&metric->missing);
	if (metric->pods == 0 && evidence_gap_passes(facts, "MetricServed", &metric->missing)) {
		say_served(signal, verdict);
	} else if ((metric->pods == 0 || missing != NULL) && say_metric_awaited(facts, signal, verdict)) {
		return;
	} else if (metric->pods == 0 && evidence_seen(facts)->pods.ready == 0) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
			"no pod of %s '%s' is ready, and one that is not has a value of '%s' only while it has load",
			spec->target_kind, spec->target_name, signal->signal->metric);
	} else if (metric->pods == 0) {
		SAY(verdict, VERDICT_FALSE, "NoValue",
			"the metrics API knows '%s' but returns no value for the pods of %s '%s': a metric appears at the "
			"adapter's next relist; if it stays so, does the adapter ask the Prometheus that scrapes them?",
			signal->signal->metric, spec->target_kind, spec->target_name);
		if (relist != NULL) {
			say_relist(facts, relist, verdict);
		}
	} else if (missing != NULL) {
		SAY(verdict, VERDICT_FALSE, "PodsWithoutValue",
			"the metrics API returns no value of '%s' for pod %s: does the adapter ask the Prometheus that "
			"scrapes it?",
			signal->signal->metric, missing);
	} else if (!values_mismatch_metric(facts, signal, verdict)) {
		say_served(signal, verdict);
	}
}

/* An adapter of one replica may be away for a moment while it restarts, and the API server notices its return a
 * moment later. What is registered does not change with it. */
static bool restart_explains(const struct facts *facts, const struct workload_signal *signal, const char *reason)
{
	int64_t answered_ms = facts->api_reason == NULL ? evidence_signal(facts, signal)->value.seen_ms : 0;

	if (facts->api_reason != NULL && !facts->api_away) {
		return false;
	}
	return facts->adapter == ADAPTER_ROLLING ||
	       (strcmp(reason, "APIServiceUnavailable") == 0 &&
		       grace_of_restart(facts, answered_ms != 0 ? answered_ms : facts->now_ms));
}

void check_metric_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	if (facts->workload.direct) {
		check_direct_served(facts, signal, verdict);
		return;
	}
	check_metric(facts, signal, verdict);
	if (verdict->status == VERDICT_FALSE && restart_explains(facts, signal, verdict->reason)) {
		say_rolling(facts, verdict);
	}
}

/* Why the HPA's condition is not True. */
static void say_inactive(const struct facts *facts, const struct view_condition *condition, struct verdict *verdict)
{
	const struct object_meta *hpa = &facts->hpa->view.meta;
	const char *reason = condition->reason != NULL ? condition->reason : "no reason given";

	/* The HPA's reason tells all; its message repeats moving detail. */
	if (condition->message != NULL && strstr(condition->message, "forbidden") != NULL) {
		SAY(verdict, VERDICT_FALSE, "MetricsForbidden",
			"HorizontalPodAutoscaler '%s/%s' does not scale: the HPA controller may not read the metric; allow "
			"'system:serviceaccount:kube-system:horizontal-pod-autoscaler' to get and list '*' of "
			"custom.metrics.k8s.io",
			hpa->ns, hpa->name);
	} else if (grace_of_reading(facts, condition)) {
		SAY(verdict, VERDICT_UNKNOWN, "AwaitingHPA",
			"HorizontalPodAutoscaler '%s/%s' could not read its metric last (%s), its next reading is awaited",
			hpa->ns, hpa->name, reason);
	} else {
		SAY(verdict, VERDICT_FALSE, "ScalingInactive", "HorizontalPodAutoscaler '%s/%s' does not scale: %s",
			hpa->ns, hpa->name, reason);
	}
}

void check_scaling_active(const struct facts *facts, struct verdict *verdict)
{
	const struct view_hpa *hpa = facts->hpa;
	const struct view_condition *condition = hpa != NULL ? view_condition(&hpa->conditions, "ScalingActive") : NULL;

	for (size_t i = 0; i < facts->workload.signals_count; i++) {
		if (values_mismatch_hpa(facts, &facts->workload.signals[i], verdict)) {
			return;
		}
	}
	if (condition == NULL && !grace_of_hpa(facts)) {
		auto_free char *made = clock_rfc3339(hpa->view.meta.created_ms);

		SAY(verdict, VERDICT_FALSE, "HPANotSynced",
			"HorizontalPodAutoscaler '%s/%s', made at %s, has no status yet; " HPA_CONTROLLER_REMEDY,
			hpa->view.meta.ns, hpa->view.meta.name, made);
	} else if (condition == NULL) {
		SAY(verdict, VERDICT_UNKNOWN, "AwaitingHPA", "the HorizontalPodAutoscaler has not read its metric yet");
	} else if (strcmp(condition->status, "True") == 0) {
		SAY(verdict, VERDICT_TRUE, "ScalingActive", "HorizontalPodAutoscaler '%s/%s' reads its metric",
			hpa->view.meta.ns, hpa->view.meta.name);
	} else {
		say_inactive(facts, condition, verdict);
	}
}
