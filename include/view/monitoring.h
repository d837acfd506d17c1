/*
 * What is read of prometheus-operator's objects.
 */
#ifndef VIEW_MONITORING_H
#define VIEW_MONITORING_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "view/selector.h"
#include "view/view.h"

struct view_servicemonitor {
	struct view view;
	const char *own_spec;   /* of ours the spec, for own_object() to read; NULL of all others */
	const char *changed_by; /* view_changed_by() */
	struct view_selector selector;
	const char *const *namespaces; /* namespaceSelector.matchNames */
	const char *const *ports;      /* of its endpoints; "" = not given by name */
	uint32_t namespaces_count;
	uint32_t ports_count;
	bool any_namespace;
	bool honors_labels; /* one of its endpoints keeps the page's labels where the target has the same */
};

struct view_prometheusrule {
	struct view view;
	const char *own_spec; /* as a ServiceMonitor's */
};

/* Of spec.excludedFromEnforcement. None of the texts is NULL. */
struct view_exclusion {
	const char *resource; /* "servicemonitors" */
	const char *ns;
	const char *name; /* "" = all */
};

/* Of a PrometheusAgent too, whose spec has the same fields but for those of rules. */
struct view_prometheus {
	struct view view;
	struct view_selector monitors;
	struct view_selector monitor_namespaces;
	struct view_selector rules;
	struct view_selector rule_namespaces;
	int64_t replicas; /* 1 when not given, as the next */
	int64_t shards;
	const char *service_name; /* NULL = not given, as the next two */
	const char *route_prefix;
	const char *port_name;
	const char *enforced_namespace_label; /* "" = not given; see view_prometheus_enforces() */
	const struct view_exclusion *excluded;
	struct digest digest; /* of all that can be read of it, which does not move with its status */
	uint32_t excluded_count;
	bool tls;
	bool paused;
	bool ignores_namespaces;       /* which a ServiceMonitor's namespaceSelector names: each reaches its own only */
	bool overrides_honored_labels; /* no endpoint keeps its page's labels */
};

extern const struct view_type view_servicemonitor_type;
extern const struct view_type view_prometheusrule_type;
extern const struct view_type view_prometheus_type;
extern const struct view_type view_prometheusagent_type;

static inline bool view_is_agent(const struct view *view)
{
	return view->type == &view_prometheusagent_type;
}

/* The label to which the Prometheus sets the object's namespace on all that comes of it: a ServiceMonitor's targets and
 * samples, what a PrometheusRule reads and records. NULL = none, or this object is excluded; of a Prometheus that is NULL, too. */
const char *view_prometheus_enforces(const struct view_prometheus *prometheus, enum kind kind, const char *ns,
	const char *name);

static inline const struct view_servicemonitor *view_servicemonitor(const struct view *view)
{
	assert(view == NULL || view->type == &view_servicemonitor_type);
	return (const struct view_servicemonitor *)view;
}

static inline const struct view_prometheusrule *view_prometheusrule(const struct view *view)
{
	assert(view == NULL || view->type == &view_prometheusrule_type);
	return (const struct view_prometheusrule *)view;
}

static inline const struct view_prometheus *view_prometheus(const struct view *view)
{
	assert(view == NULL || view->type == &view_prometheus_type || view->type == &view_prometheusagent_type);
	return (const struct view_prometheus *)view;
}

#endif
