/* What the spec of who scrapes does to what we ask of it. */
#include "prometheus_spec.h"

#include <string.h>

#include "base/text.h"
#include "children/children.h"

bool prometheus_spec_shards(const char *prometheus, int64_t shards, const char *what, struct verdict *verdict)
{
	if (shards <= 1) {
		return false;
	}
	SAY(verdict, VERDICT_FALSE, "PrometheusSharded",
		"Prometheus '%s' has spec.shards %lld, and each shard knows a part of the %s only: let the adapter's "
		"--prometheus-url and prometheus.url of our chart name what asks all of them, Thanos Query say",
		prometheus, (long long)shards, what);
	return true;
}

bool prometheus_spec_hinders(const struct facts *facts, struct verdict *verdict)
{
	const struct view_prometheus *prometheus = facts->prometheus;
	const struct autoscaler *spec = facts->workload.spec;
	const char *ns = child_namespace(&child_servicemonitor, spec);
	auto_free char *name = child_name(&child_servicemonitor, spec);

	if (prometheus == NULL) {
		return false;
	}
	if (facts->settings->prometheus_url == NULL &&
		prometheus_spec_shards(facts->selected_by, prometheus->shards, "pods", verdict)) {
		return true;
	}
	if (strcmp(ns, spec->ns) != 0 &&
		text_equal(view_prometheus_enforces(prometheus, KIND_SERVICEMONITOR, ns, name), "namespace")) {
		SAY(verdict, VERDICT_FALSE, "NamespaceEnforced",
			"Prometheus '%s' gives all that it scrapes the namespace of the ServiceMonitor (spec."
			"enforcedNamespaceLabel), which is not that of the pods here: leave spec.monitor.namespace out",
			facts->selected_by);
		return true;
	}
	return false;
}

bool prometheus_spec_keeps_out(const struct facts *facts, struct verdict *verdict)
{
	const struct autoscaler *spec = facts->workload.spec;

	if (facts->prometheus == NULL || !facts->prometheus->ignores_namespaces ||
		strcmp(child_namespace(&child_servicemonitor, spec), spec->ns) == 0) {
		return false;
	}
	SAY(verdict, VERDICT_FALSE, "NoTargets",
		"Prometheus '%s' has spec.ignoreNamespaceSelectors, so that ServiceMonitor '%s' reaches no pods outside its own "
		"namespace: leave spec.monitor.namespace out",
		facts->selected_by, facts->monitor);
	return true;
}

bool prometheus_spec_nobody_answers(const struct facts *facts, struct verdict *verdict)
{
	if (facts->agent == NULL || facts->request == NULL || facts->request->prometheus != NULL) {
		return false;
	}
	SAY(verdict, VERDICT_FALSE, "PrometheusNotReachable",
		"PrometheusAgent '%s' answers no queries, and where it sends what it scrapes is not known: set prometheus.url of "
		"our chart to that Prometheus",
		facts->agent);
	return true;
}
