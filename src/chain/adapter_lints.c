/* The lints of prometheus-adapter, which all autoscalers share. */
#include "lint.h"

enum lint_verdict lint_one_adapter_replica(const struct facts *facts, struct strbuf *sentence)
{

	if (facts->workload.direct) {
		return LINT_SILENT;
	}
	if (facts->adapter_survey == NULL) {
		return LINT_UNSEEN;
	}
	if (facts->adapter_survey->replicas != 1) {
		return LINT_SILENT;
	}
	strbuf_addf(sentence,
		"Deployment '%s/%s' has spec.replicas 1: while its only pod is down, no HorizontalPodAutoscaler of the cluster "
		"reads a custom metric; run kubectl scale deployment %s -n %s --replicas=2, or set replicas: 2 for its chart",
		facts->adapter_names.ns, facts->adapter_names.deployment, facts->adapter_names.deployment,
		facts->adapter_names.ns);
	return LINT_REPORTED;
}

enum lint_verdict lint_relist_long(const struct facts *facts, struct strbuf *sentence)
{

	if (facts->workload.direct) {
		return LINT_SILENT;
	}
	if (facts->adapter_survey == NULL) {
		return LINT_UNSEEN;
	}
	if (facts->adapter_survey->relist == NULL) {
		return LINT_SILENT;
	}
	strbuf_addf(sentence,
		"Deployment '%s/%s' looks for new metrics every %s only, so that a new one is served that much later: "
		"set its --metrics-relist-interval to 1m or less",
		facts->adapter_names.ns, facts->adapter_names.deployment, facts->adapter_survey->relist);
	return LINT_REPORTED;
}
