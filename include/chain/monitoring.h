/*
 * Which Prometheus would select a ServiceMonitor or a PrometheusRule, evaluated as
 * prometheus-operator does (pkg/prometheus/resource_selector.go): a null …Selector selects nothing,
 * {} all; a null …NamespaceSelector means the Prometheus' own namespace, {} all.
 */
#ifndef CHAIN_MONITORING_H
#define CHAIN_MONITORING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "api/settings.h"
#include "view/view.h"

/* What a Prometheus selects, and by which fields of its spec. */
struct monitoring_kind {
	const char *kind;
	const char *selector;
	const char *namespace_selector;
	size_t selector_at; /* the same in struct view_prometheus */
	size_t namespace_selector_at;
};

extern const struct monitoring_kind monitoring_servicemonitor;
extern const struct monitoring_kind monitoring_rule;

/* The Prometheus resources there are, and PrometheusAgents among them. All borrowed. */
struct monitoring_context {
	const struct view_list *prometheuses; /* ordered by key; NULL = there are none */
	const struct view_list *namespaces;   /* ordered by name; NULL = none is known */
	const char *asked;      /* "ns/name" of the one whose answers count, the adapter's; NULL = not known */
	const char *platform;   /* "ns/name" of one that is the platform's, mostly the same; NULL = not known */
	const char *adapter_ns; /* where the adapter is; NULL = not known */
	const struct settings *settings; /* whose lists of namespaces are the platform's too; NULL = none */
};

/* An object of ours that a Prometheus is to select. All borrowed. */
struct monitoring_object {
	const struct monitoring_kind *kind;
	const char *ns;
	const json_t *pinned;             /* spec.monitor.labels: the user's, which win; NULL = none */
	const json_t *usual;              /* labels that it has unless somebody wants otherwise; NULL = none */
	const json_t *own;                /* labels that it has anyway; NULL = none */
	const struct view_pairs *current; /* all its labels as it stands; NULL = it is to be made */
};

/* The labels our object must carry, and who then selects it. */
struct monitoring {
	json_t *labels;    /* owned; {} when none are needed */
	char *selected_by; /* owned "ns/name"; NULL when no Prometheus can select it */
	char *problem;     /* owned sentence: why no Prometheus selects it; NULL when one does, or none is but agents */
	bool agent;        /* who selects it is a PrometheusAgent */
};

/*
 * Whether the namespace is the platform's, so that what is there is believed about others: that of the Prometheus that is
 * known to be the platform's, of the adapter, where exporters are known to be installed, and those that the settings list
 * for what is shared or for exporters.
 * That somebody has a Prometheus in a namespace tells nothing.
 */
bool monitoring_is_platforms(const struct monitoring_context *context, const char *ns);
/* The same of a namespace with a Prometheus: also one that the settings list for ServiceMonitors. Where none that runs is
 * known to be the platform's, any may be: behind a Thanos, say. */
bool monitoring_may_be_platforms(const struct monitoring_context *context, const char *ns);
/*
 * The resources in order of preference: first the one that is asked; then those that run before those
 * with no replicas; those that select the object as it stands, so that a new one never takes its place; those that answer
 * before agents; the older; by key.
 */
struct view_list monitoring_order(const struct monitoring_context *context, const struct monitoring_object *object);
/*
 * The first in this order that can be satisfied selects the object. Each further one has its labels too, as far as no
 * earlier one would stop selecting the object by them.
 *
 * A Prometheus of a tenant's has no say in what is written elsewhere: labels are given for those in the object's namespace,
 * and those that may be the platform's.
 */
void monitoring_find(const struct monitoring_context *context, const struct monitoring_object *object,
	struct monitoring *found);
/* "ns/name" of the first in this order that selects the object as it stands and may be the platform's; heap, NULL when
 * none does. */
char *monitoring_selects(const struct monitoring_context *context, const struct monitoring_object *object);
void monitoring_release(struct monitoring *found);

#endif
