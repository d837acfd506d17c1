/*
 * What the operator is told on its command line about the cluster it serves.
 */
#ifndef API_SETTINGS_H
#define API_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* All strings are borrowed and outlive every use. */
struct settings {
	const char *adapter_namespace;
	const char *adapter_deployment;
	const char *adapter_configmap;
	const char *adapter_config_key; /* in the ConfigMap's data */
	const char *prometheus_url;     /* NULL = found from the Prometheus resource's governing Service */
	/* Namespaces, separated by commas, or "*" for all, that an autoscaler may name beside its own: for its
	 * ServiceMonitor, and of a Custom exporter. NULL is none: who may write an autoscaler has no rights there. */
	const char *monitor_namespaces;
	const char *exporter_namespaces;
	/* "key=value", separated by commas: what ServiceMonitors and the rule of ours bear where nobody wants anything else of
	 * them. NULL = none. settings_labels() has taken it. */
	const char *monitor_labels;
};

/* Whether such a list has the namespace. */
bool settings_list_has(const char *list, const char *ns);

/* Such labels as an object; new reference. NULL and ERROR_INVALID when they are none. NULL = {}. */
json_t *settings_labels(const char *list, struct error *err);

/* Which clang-format takes for a block of statements. */
/* clang-format off */
#define SETTINGS_DEFAULT                                                                                              \
	{.adapter_namespace = "monitoring", .adapter_deployment = "prometheus-adapter",                               \
	 .adapter_configmap = "prometheus-adapter", .adapter_config_key = "config.yaml", .prometheus_url = NULL,                \
	 .monitor_namespaces = NULL, .exporter_namespaces = NULL, .monitor_labels = NULL}
/* clang-format on */

#endif
