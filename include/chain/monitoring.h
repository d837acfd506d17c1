/*
 * Which Prometheus would select a ServiceMonitor or a PrometheusRule, evaluated as
 * prometheus-operator does (pkg/prometheus/resource_selector.go): a null …Selector selects nothing,
 * {} all; a null …NamespaceSelector means the Prometheus' own namespace, {} all.
 */
#ifndef CHAIN_MONITORING_H
#define CHAIN_MONITORING_H

#include <jansson.h>

/* What a Prometheus selects, and by which fields of its spec. */
struct monitoring_kind {
	const char *kind;
	const char *selector;
	const char *namespace_selector;
};

extern const struct monitoring_kind monitoring_servicemonitor;
extern const struct monitoring_kind monitoring_rule;

/* The labels our object in `ns` must carry, and who then selects it. */
struct monitoring {
	json_t *labels;    /* owned; {} when none are needed */
	char *selected_by; /* owned "ns/name"; NULL when no Prometheus can select it */
	char *problem;     /* owned sentence; NULL when selected */
};

/*
 * `pinned` (spec.monitor.labels, may be NULL) are the user's and win. Prometheuses are tried in
 * order of namespace and name; the first that can be satisfied is taken.
 */
void monitoring_find(const struct monitoring_kind *kind, const json_t *prometheuses, const json_t *namespaces,
	const char *ns, const json_t *pinned, const json_t *own_labels, struct monitoring *found);
/* "ns/name" of the first Prometheus that selects an object with these labels as it is; heap, NULL when none does. */
char *monitoring_selects(const struct monitoring_kind *kind, const json_t *prometheuses, const json_t *namespaces,
	const char *ns, const json_t *labels);
void monitoring_release(struct monitoring *found);

#endif
