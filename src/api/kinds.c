/* The table of resource types this operator reads or writes. */
#include "api/kinds.h"

#include <stddef.h>
#include <string.h>

#include "base/memory.h"

const struct kind_info kinds[KIND_COUNT] = {
	[KIND_AUTOSCALER] = {.resource = {"inference-autoscaler.io", "v1alpha1", "inferenceautoscalers",
				     "InferenceAutoscaler", true},
		.beside = true},
	[KIND_DEPLOYMENT] = {.resource = {"apps", "v1", "deployments", "Deployment", true}},
	[KIND_STATEFULSET] = {.resource = {"apps", "v1", "statefulsets", "StatefulSet", true}, .beside = true},
	[KIND_DAEMONSET] = {.resource = {"apps", "v1", "daemonsets", "DaemonSet", true}},
	[KIND_POD] = {.resource = {"", "v1", "pods", "Pod", true},
		.fields = "status.phase!=Succeeded,status.phase!=Failed"},
	[KIND_HPA] = {.resource = {"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true},
		.beside = true},
	[KIND_SERVICE] = {.resource = {"", "v1", "services", "Service", true}},
	[KIND_SERVICEMONITOR] = {.resource = {"monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor",
					 true}},
	[KIND_PROMETHEUSRULE] = {.resource = {"monitoring.coreos.com", "v1", "prometheusrules", "PrometheusRule",
					 true}},
	[KIND_PROMETHEUS] = {.resource = {"monitoring.coreos.com", "v1", "prometheuses", "Prometheus", true}},
	[KIND_PROMETHEUSAGENT] = {.resource = {"monitoring.coreos.com", "v1alpha1", "prometheusagents",
					  "PrometheusAgent", true}},
	[KIND_NAMESPACE] = {.resource = {"", "v1", "namespaces", "Namespace", false}},
	[KIND_APISERVICE] = {.resource = {"apiregistration.k8s.io", "v1", "apiservices", "APIService", false}},
	[KIND_SCALEDOBJECT] = {.resource = {"keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", true},
		.beside = true},
	[KIND_CONFIGMAP] = {.resource = {"", "v1", "configmaps", "ConfigMap", true}},
};

const char *const apiservices[APISERVICES] = {APISERVICE_V1BETA1, APISERVICE_V1BETA2};

enum kind kind_by_name(const char *api_version, const char *kind)
{
	for (int i = 0; i < KIND_COUNT; i++) {
		auto_free char *own = kube_api_version(&kinds[i].resource);

		if (strcmp(kinds[i].resource.kind, kind) == 0 && strcmp(own, api_version) == 0) {
			return (enum kind)i;
		}
	}
	return KIND_COUNT;
}
