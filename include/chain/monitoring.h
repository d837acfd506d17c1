/*
 * Which Prometheus would select a ServiceMonitor, evaluated as prometheus-operator does
 * (pkg/prometheus/resource_selector.go): a null serviceMonitorSelector selects nothing, {} all; a
 * null serviceMonitorNamespaceSelector means the Prometheus' own namespace, {} all.
 */
#ifndef CHAIN_MONITORING_H
#define CHAIN_MONITORING_H

#include <jansson.h>

/* The labels our ServiceMonitor in `ns` must carry, and who then selects it. */
struct monitoring {
	json_t *labels;    /* owned; {} when none are needed */
	char *selected_by; /* owned "ns/name"; NULL when no Prometheus can select it */
	char *problem;     /* owned sentence; NULL when selected */
};

/*
 * `pinned` (spec.monitor.labels, may be NULL) are the user's and win. Prometheuses are tried in
 * order of namespace and name; the first that can be satisfied is taken.
 */
void monitoring_find(const json_t *prometheuses, const json_t *namespaces, const char *ns, const json_t *pinned,
	const json_t *own_labels, struct monitoring *found);
void monitoring_release(struct monitoring *found);

#endif
