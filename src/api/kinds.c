/* The table of resource types this operator reads or writes. */
#include "api/kinds.h"

#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static char *target_key(const json_t *scaler)
{
	const char *name = json_path_string(scaler, "spec.scaleTargetRef.name", NULL);

	return name != NULL ? kube_key(kube_object_namespace(scaler), name) : NULL;
}

static char *owner_elsewhere(const json_t *child)
{
	const char *ns = kube_object_label(child, LABEL_AUTOSCALER_NAMESPACE);
	const char *name = kube_object_label(child, LABEL_AUTOSCALER);

	if (kube_object_label(child, LABEL_SHARED) != NULL) {
		return xstrdup(SHARED_GPU);
	}
	return ns != NULL && name != NULL ? kube_key(ns, name) : NULL;
}

const struct kind_info kinds[KIND_COUNT] = {
	[KIND_AUTOSCALER] = {.resource = {"inference-autoscaler.io", "v1alpha1", "inferenceautoscalers",
				     "InferenceAutoscaler", true},
		.index = target_key},
	[KIND_DEPLOYMENT] = {.resource = {"apps", "v1", "deployments", "Deployment", true}},
	[KIND_STATEFULSET] = {.resource = {"apps", "v1", "statefulsets", "StatefulSet", true}},
	[KIND_DAEMONSET] = {.resource = {"apps", "v1", "daemonsets", "DaemonSet", true}},
	[KIND_POD] = {.resource = {"", "v1", "pods", "Pod", true},
		.fields = "status.phase!=Succeeded,status.phase!=Failed"},
	[KIND_HPA] = {.resource = {"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", true},
		.index = target_key},
	[KIND_SERVICE] = {.resource = {"", "v1", "services", "Service", true}, .index = owner_elsewhere},
	[KIND_SERVICEMONITOR] = {.resource = {"monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor", true},
		.index = owner_elsewhere},
	[KIND_PROMETHEUSRULE] = {.resource = {"monitoring.coreos.com", "v1", "prometheusrules", "PrometheusRule", true},
		.index = owner_elsewhere},
	[KIND_PROMETHEUS] = {.resource = {"monitoring.coreos.com", "v1", "prometheuses", "Prometheus", true}},
	[KIND_NAMESPACE] = {.resource = {"", "v1", "namespaces", "Namespace", false}},
	[KIND_APISERVICE] = {.resource = {"apiregistration.k8s.io", "v1", "apiservices", "APIService", false},
		.only = "v1beta1.custom.metrics.k8s.io"},
	[KIND_SCALEDOBJECT] = {.resource = {"keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", true},
		.index = target_key},
	[KIND_CONFIGMAP] = {.resource = {"", "v1", "configmaps", "ConfigMap", true}, .adapter = true, .managers = true},
	[KIND_ADAPTER_DEPLOYMENT] = {.resource = {"apps", "v1", "deployments", "Deployment", true}, .adapter = true},
};

enum kind kind_by_name(const char *api_version, const char *kind)
{
	for (int i = 0; i < KIND_ADAPTER_DEPLOYMENT; i++) {
		auto_free char *own = kube_api_version(&kinds[i].resource);

		if (strcmp(kinds[i].resource.kind, kind) == 0 && strcmp(own, api_version) == 0) {
			return (enum kind)i;
		}
	}
	return KIND_COUNT;
}
