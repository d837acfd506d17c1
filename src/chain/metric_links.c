/* The links behind Prometheus: the adapter, the metrics API and the HPA. */
#include <string.h>

#include "base/json.h"
#include "judges.h"
#include "kube/resource.h"

void judge_adapter_configured(const struct facts *facts, struct verdict *verdict)
{
	const struct settings *s = facts->settings;

	switch (facts->adapter) {
	case ADAPTER_UNKNOWN:
		SAY(verdict, VERDICT_UNKNOWN, REASON_PROBING, "waiting for the first look at it");
		return;
	case ADAPTER_ROLLING:
		SAY(verdict, VERDICT_UNKNOWN, "RollingOut", "Deployment '%s/%s' is restarting with our rules",
			s->adapter_namespace, s->adapter_deployment);
		return;
	case ADAPTER_BROKEN:
		SAY(verdict, VERDICT_FALSE, facts->adapter_reason, "%s", facts->adapter_message);
		return;
	case ADAPTER_LOADED:
		SAY(verdict, VERDICT_TRUE, "Configured", "Deployment '%s/%s' runs with our rules", s->adapter_namespace,
			s->adapter_deployment);
		return;
	}
}

void judge_metric_served(const struct facts *facts, const struct workload_signal *signal, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;
	const json_t *metric = evidence_read_signal(facts, signal, "metric", "MetricNotServed", verdict);
	auto_free char *missing = NULL;

	if (metric == NULL) {
		return;
	}
	missing = evidence_missing(metric);
	if (json_path_int(metric, "pods", 0) == 0) {
		SAY(verdict, VERDICT_FALSE, "NoValue",
			"the metrics API knows '%s' but returns no value for the pods of %s '%s': a metric appears at the "
			"adapter's next relist",
			signal->signal->metric, spec->target_kind, spec->target_name);
	} else if (missing != NULL) {
		SAY(verdict, VERDICT_FALSE, "PodsWithoutValue",
			"the metrics API returns no value of '%s' for pod %s: does the adapter ask the Prometheus that "
			"scrapes it?",
			signal->signal->metric, missing);
	} else {
		SAY(verdict, VERDICT_TRUE, "Served", "the metrics API serves '%s' for the target's pods",
			signal->signal->metric);
	}
}

void judge_scaling_active(const struct facts *facts, struct verdict *verdict)
{
	size_t i;
	json_t *hpa;

	json_array_foreach((json_t *)facts->hpas, i, hpa) {
		const json_t *condition = kube_object_condition(hpa, "ScalingActive");

		if (!kube_object_owned_by(hpa, facts->workload.spec->uid) || condition == NULL) {
			continue;
		}
		/* The HPA's reason tells all; its message repeats moving detail. */
		if (strcmp(json_path_string(condition, "status", ""), "True") == 0) {
			SAY(verdict, VERDICT_TRUE, "ScalingActive", "HorizontalPodAutoscaler '%s/%s' reads its metric",
				kube_object_namespace(hpa), kube_object_name(hpa));
		} else {
			SAY(verdict, VERDICT_FALSE, "ScalingInactive",
				"HorizontalPodAutoscaler '%s/%s' does not scale: %s", kube_object_namespace(hpa),
				kube_object_name(hpa), json_path_string(condition, "reason", "no reason given"));
		}
		return;
	}
	SAY(verdict, VERDICT_UNKNOWN, "AwaitingHPA", "the HorizontalPodAutoscaler has not reported yet");
}
