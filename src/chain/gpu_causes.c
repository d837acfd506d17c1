/* Why the GPU chain brings nothing for the target's pods. */
#include <string.h>

#include "base/strbuf.h"
#include "checks.h"
#include "prometheus_spec.h"

/* Adds the object to what Prometheus is to exclude from enforcement. */
static void add_exclusion(struct strbuf *exclusions, enum kind kind, const char *key)
{
	const char *slash = strchr(key, '/');

	strbuf_addf(exclusions, "%s{group: %s, resource: %s, namespace: %.*s, name: %s}",
		exclusions->len > 0 ? " and " : "", kinds[kind].resource.group, kinds[kind].resource.plural,
		(int)(slash - key), key, slash + 1);
}

bool say_out_of_reach(const struct facts *facts, struct verdict *verdict)
{
	const struct exporter_survey *exporter = gpu_survey_exporter(facts->gpu, facts->exporter_id);

	if (exporter == NULL || !exporter->out_of_reach) {
		return false;
	}
	SAY(verdict, VERDICT_FALSE, "NoTargets",
		"Prometheus '%s' has spec.ignoreNamespaceSelectors, so that %s reaches nothing outside its own namespace: "
		"make a ServiceMonitor for Service '%s' in that Service's namespace, where this Prometheus selects it",
		exporter->selected_by, exporter->monitor, exporter->service);
	return true;
}

bool say_namespace_enforced(const struct facts *facts, struct verdict *verdict)
{
	const struct rule_survey *rule = facts->gpu != NULL ? &facts->gpu->rule : NULL;
	const struct exporter_survey *exporter = gpu_survey_exporter(facts->gpu, facts->exporter_id);
	const char *monitor = exporter != NULL ? exporter->enforced : NULL;
	bool ruled = rule != NULL && rule->enforced;
	auto_strbuf exclusions = STRBUF_INIT;

	if (!ruled && monitor == NULL) {
		return false;
	}
	if (ruled) {
		add_exclusion(&exclusions, KIND_PROMETHEUSRULE, rule->name);
	}
	if (monitor != NULL) {
		add_exclusion(&exclusions, KIND_SERVICEMONITOR, monitor);
	}
	SAY(verdict, VERDICT_FALSE, "NamespaceEnforced",
		"Prometheus '%s' gives what comes of the DCGM exporter the namespace of the rule or the ServiceMonitor (spec."
		"enforcedNamespaceLabel), which is not that of the pods: add to its spec.excludedFromEnforcement %s",
		ruled ? rule->selected_by : exporter->selected_by, exclusions.buf);
	return true;
}

bool say_gpu_sharded(const struct facts *facts, struct verdict *verdict)
{
	return facts->gpu != NULL &&
	       prometheus_spec_shards(facts->gpu->prometheus, facts->gpu->shards, "exporters", verdict);
}

char *gpu_request_cause(const struct facts *facts)
{
	const struct view_workload *target = facts->target_watched ? facts->target : NULL;
	const char *kind = facts->workload.spec->target_kind;
	const char *name = facts->workload.spec->target_name;

	if (target == NULL || (target->gpu_resource != NULL && view_gpu_is_usual(target->gpu_resource))) {
		return NULL;
	}
	if (target->gpu_resource != NULL) {
		return xasprintf("the pods of %s '%s' request '%s', which the exporter takes for a GPU only if its "
				 "NVIDIA_RESOURCE_NAMES lists it",
			kind, name, target->gpu_resource);
	}
	if (target->claims) {
		return xasprintf(
			"the pods of %s '%s' have resourceClaims: if those are for GPUs, the exporter follows them "
			"only with KUBERNETES_ENABLE_DRA=true",
			kind, name);
	}
	return xasprintf("the pod template of %s '%s' requests no GPU, by which the exporter would know its pods: set "
			 "'nvidia.com/gpu' in resources.limits of the container",
		kind, name);
}
