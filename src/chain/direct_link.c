/* The link of our own metrics API: that it is registered, reached, and has a value of each pod. */
#include <string.h>

#include "chain/aggregator.h"
#include "checks.h"

/* So long a status takes to be written, and to be seen by all replicas, at the most. */
#define FIRST_STATUS_MS 10000

/* What the API server says of the registration. */
static void say_registration(const struct facts *facts, struct verdict *verdict)
{
	if (strcmp(facts->api_reason, REASON_WAITING) == 0 || grace_of_own_api(facts)) {
		SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING, "%s", facts->api_message);
	} else {
		SAY(verdict, VERDICT_FALSE, facts->api_reason, "%s", facts->api_message);
	}
}

static const char *failure_reason(const struct facts *facts, const struct workload_signal *signal)
{
	static const struct cause_reason reasons[] = {
		{CAUSE_FORBIDDEN, "Forbidden"},
		{CAUSE_UNAVAILABLE, "APIServiceUnavailable"},
		{CAUSE_NONE, NULL},
	};

	return evidence_cause(&evidence_signal(facts, signal)->value.failure, reasons, "MetricNotServed");
}

/* What the API server says in our place is put in our words, with what is to be done. */
static void say_not_reached(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct failure *failure = &evidence_signal(facts, signal)->value.failure;
	struct aggregator_trouble trouble;

	if (failure->cause != CAUSE_UNAVAILABLE ||
		!aggregator_of_answer(&facts->settings->metrics_service, facts->api_service, failure->text, &trouble)) {
		return;
	}
	SAY(verdict, VERDICT_FALSE, trouble.reason, "the API server does not reach the operator's metrics API: %s",
		trouble.remedy);
	free_indirect(&trouble.remedy);
}

static void say_served(const struct workload_signal *signal, struct verdict *verdict)
{
	SAY(verdict, VERDICT_TRUE, "Served", "the operator's metrics API serves '%s' for the target's pods",
		signal->signal->metric);
}

/* Says so when nobody is ready, and who is not has no load. */
static bool say_none_counts(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;

	if (evidence_seen(facts)->pods.ready != 0) {
		return false;
	}
	SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
		"no pod of %s '%s' is ready, and one that is not has a value of '%s' only while it has load",
		spec->target_kind, spec->target_name, signal->signal->metric);
	return true;
}

/* Where the pages are, and of which engine, replicas learn from the status: the first readings may come before it. */
static bool awaits_first_status(const struct facts *facts, const struct workload_signal *signal)
{
	const struct view_conditions *before = &facts->object->status.conditions;
	const struct view_condition *served = view_condition(before, "MetricServed");
	const struct view_condition *exposed = view_condition(before, "MetricsExposed");

	if (evidence_signal(facts, signal)->value.failure.cause != CAUSE_UNAVAILABLE) {
		return false;
	}
	if (served == NULL) {
		return true;
	}
	return strcmp(served->status, "Unknown") == 0 &&
	       (exposed == NULL || strcmp(exposed->status, "True") != 0 ||
		       facts->now_ms - view_condition_since_ms(exposed) < FIRST_STATUS_MS);
}

/* A right that only we lack breaks nothing while the HPA reads the metric. */
static bool hpa_reads_for_us(const struct facts *facts, const struct workload_signal *signal)
{
	return evidence_signal(facts, signal)->value.failure.cause == CAUSE_FORBIDDEN && hpa_reads(facts, signal);
}

void check_direct_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct metric_seen *metric;
	auto_free char *missing = NULL;

	if (facts->api_reason != NULL) {
		say_registration(facts, verdict);
		return;
	}
	metric = evidence_read_metric(facts, signal, failure_reason(facts, signal), verdict);
	if (metric == NULL) {
		if (verdict->status == VERDICT_FALSE && hpa_reads_for_us(facts, signal)) {
			say_served(signal, verdict);
		} else if (verdict->status == VERDICT_FALSE && awaits_first_status(facts, signal)) {
			SAY(verdict, VERDICT_UNKNOWN, REASON_WAITING,
				"the engine was found just now: until all of the operator's pods know it, its metrics API has "
				"no value of '%s'",
				signal->signal->metric);
		} else if (verdict->status == VERDICT_FALSE && !say_none_counts(facts, signal, verdict)) {
			say_not_reached(facts, signal, verdict);
		}
		return;
	}
	missing = evidence_names(&metric->missing);
	if (metric->pods == 0 && evidence_gap_passes(facts, "MetricServed", &metric->missing)) {
		say_served(signal, verdict);
	} else if (metric->pods == 0 && say_none_counts(facts, signal, verdict)) {
		return;
	} else if (missing != NULL) {
		SAY(verdict, VERDICT_FALSE, "PodsWithoutValue",
			"the operator's metrics API has no value of '%s' for pod %s: its page does not answer within a second "
			"when the HPA asks; see whether it is overloaded, or a NetworkPolicy keeps one of the operator's pods "
			"from it",
			signal->signal->metric, missing);
	} else if (metric->pods == 0) {
		SAY(verdict, VERDICT_FALSE, "NoValue",
			"the operator's metrics API has no value of '%s' for the pods of %s '%s': see its log",
			signal->signal->metric, facts->workload.spec->target_kind, facts->workload.spec->target_name);
	} else if (!values_mismatch_served(facts, signal, verdict)) {
		say_served(signal, verdict);
	}
}
