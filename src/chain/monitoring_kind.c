/* What a Prometheus selects by which of its fields, and in which namespaces. */
#include <stdlib.h>
#include <string.h>

#include "monitoring_parts.h"
#include "view/core.h"
#include "view/monitoring.h"

const struct monitoring_kind monitoring_servicemonitor = {
	.kind = "ServiceMonitor",
	.selector = "serviceMonitorSelector",
	.namespace_selector = "serviceMonitorNamespaceSelector",
	.selector_at = offsetof(struct view_prometheus, monitors),
	.namespace_selector_at = offsetof(struct view_prometheus, monitor_namespaces),
};
const struct monitoring_kind monitoring_rule = {
	.kind = "PrometheusRule",
	.selector = "ruleSelector",
	.namespace_selector = "ruleNamespaceSelector",
	.selector_at = offsetof(struct view_prometheus, rules),
	.namespace_selector_at = offsetof(struct view_prometheus, rule_namespaces),
};

static const struct view_selector *selector_at(const struct view *prometheus, size_t at)
{
	return (const struct view_selector *)(const void *)((const char *)view_prometheus(prometheus) + at);
}

const struct view_selector *monitoring_selector(const struct monitoring_kind *kind, const struct view *prometheus)
{
	return selector_at(prometheus, kind->selector_at);
}

static int compare_name(const void *name, const void *item)
{
	const struct view *const *namespace = item;

	return strcmp(name, (*namespace)->meta.name);
}

const struct view_pairs *monitoring_namespace_labels(const struct view_list *namespaces, const char *ns)
{
	static const struct view_pairs none = {.count = 0};
	const struct view *const *found = NULL;

	if (namespaces != NULL && namespaces->count > 0) {
		found = bsearch(ns, namespaces->items, namespaces->count, sizeof(*namespaces->items), compare_name);
	}
	return found != NULL ? &(*found)->meta.labels : &none;
}

const struct view_selector *monitoring_namespace_selector(const struct monitoring_kind *kind,
	const struct view *prometheus)
{
	return selector_at(prometheus, kind->namespace_selector_at);
}

bool monitoring_covers(const struct monitoring_context *context, const struct monitoring_object *object,
	const struct view *prometheus)
{
	const struct view_selector *selector = monitoring_namespace_selector(object->kind, prometheus);

	if (!selector->given) {
		return strcmp(prometheus->meta.ns, object->ns) == 0;
	}
	return view_selector_matches(selector, monitoring_namespace_labels(context->namespaces, object->ns), false);
}
