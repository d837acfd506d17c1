/* Finding the Prometheus that selects an object of ours, and the labels it wants. */
#include "chain/monitoring.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/resource.h"

const struct monitoring_kind monitoring_servicemonitor = {"ServiceMonitor", "serviceMonitorSelector",
	"serviceMonitorNamespaceSelector"};
const struct monitoring_kind monitoring_rule = {"PrometheusRule", "ruleSelector", "ruleNamespaceSelector"};

static const json_t *namespace_labels(const json_t *namespaces, const char *ns)
{
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)namespaces, i, item) {
		if (strcmp(kube_object_name(item), ns) == 0) {
			return json_path(item, "metadata.labels");
		}
	}
	return NULL;
}

static const json_t *spec_member(const json_t *prometheus, const char *member)
{
	return json_object_get(json_object_get(prometheus, "spec"), member);
}

static bool namespace_covered(const struct monitoring_kind *kind, const json_t *prometheus, const json_t *namespaces,
	const char *ns)
{
	const json_t *selector = spec_member(prometheus, kind->namespace_selector);

	if (selector == NULL || json_is_null(selector)) {
		return strcmp(kube_object_namespace(prometheus), ns) == 0;
	}
	return kube_selector_matches(selector, namespace_labels(namespaces, ns), false);
}

/* Adds to `labels` what the selector asks for and can be given: matchLabels, the first value of an
 * In, any value for Exists. */
static void satisfy(const json_t *selector, json_t *labels)
{
	const char *key;
	json_t *value;
	size_t i;
	json_t *expression;

	json_object_foreach(json_object_get(selector, "matchLabels"), key, value) {
		if (json_object_get(labels, key) == NULL) {
			json_object_set(labels, key, value);
		}
	}
	json_array_foreach(json_object_get(selector, "matchExpressions"), i, expression) {
		const char *op = json_path_string(expression, "operator", "");
		const char *wanted = json_path_string(expression, "key", "");
		json_t *first = json_array_get(json_object_get(expression, "values"), 0);

		if (json_object_get(labels, wanted) != NULL) {
			continue;
		}
		if (strcmp(op, "In") == 0 && first != NULL) {
			json_object_set(labels, wanted, first);
		} else if (strcmp(op, "Exists") == 0) {
			json_object_set_new(labels, wanted, json_string("true"));
		}
	}
}

/* Says why this Prometheus does not select our object. */
static void explain(struct strbuf *text, const struct monitoring_kind *kind, const json_t *prometheus, bool covered,
	const char *ns, const json_t *pinned)
{
	const json_t *selector = spec_member(prometheus, kind->selector);
	const json_t *namespaces = spec_member(prometheus, kind->namespace_selector);
	auto_free char *key = kube_object_key(prometheus);
	auto_free char *wanted = kube_selector_text(selector);

	strbuf_addstr(text, text->len > 0 ? "; " : "");
	if (!covered && (namespaces == NULL || json_is_null(namespaces))) {
		strbuf_addf(text, "Prometheus '%s' looks into its own namespace only: set its spec.%s", key,
			kind->namespace_selector);
	} else if (!covered) {
		auto_free char *wanted_of_namespace = kube_selector_text(namespaces);

		strbuf_addf(text,
			"Prometheus '%s' does not look into namespace '%s': label the namespace '%s', as its spec.%s wants",
			key, ns, wanted_of_namespace, kind->namespace_selector);
	} else if (selector == NULL || json_is_null(selector)) {
		strbuf_addf(text, "Prometheus '%s' selects no %s at all: set its spec.%s", key, kind->kind,
			kind->selector);
	} else if (json_object_size(pinned) > 0) {
		strbuf_addf(text,
			"Prometheus '%s' wants '%s', which spec.monitor.labels contradicts: remove or correct them",
			key, wanted);
	} else {
		strbuf_addf(text, "Prometheus '%s' wants '%s', which our labels cannot satisfy: change its spec.%s",
			key, wanted, kind->selector);
	}
}

static bool selects(const struct monitoring_kind *kind, const json_t *prometheus, const json_t *namespaces,
	const char *ns, const json_t *labels)
{
	return namespace_covered(kind, prometheus, namespaces, ns) &&
	       kube_selector_matches(spec_member(prometheus, kind->selector), labels, false);
}

char *monitoring_selects(const struct monitoring_kind *kind, const json_t *prometheuses, const json_t *namespaces,
	const char *ns, const json_t *labels)
{
	size_t i;
	json_t *prometheus;

	json_array_foreach((json_t *)prometheuses, i, prometheus) {
		if (selects(kind, prometheus, namespaces, ns, labels)) {
			return kube_object_key(prometheus);
		}
	}
	return NULL;
}

void monitoring_find(const struct monitoring_kind *kind, const json_t *prometheuses, const json_t *namespaces,
	const char *ns, const json_t *pinned, const json_t *own_labels, struct monitoring *found)
{
	auto_strbuf why = STRBUF_INIT;
	size_t i;
	json_t *prometheus;

	*found = (struct monitoring){.labels = pinned != NULL ? json_deep_copy(pinned) : json_object()};
	json_array_foreach((json_t *)prometheuses, i, prometheus) {
		auto_json *labels = json_deep_copy(found->labels);
		auto_json *all = NULL;

		satisfy(spec_member(prometheus, kind->selector), labels);
		all = json_deep_copy(labels);
		json_object_update_missing(all, (json_t *)own_labels);
		if (selects(kind, prometheus, namespaces, ns, all)) {
			json_decref(found->labels);
			found->labels = json_incref(labels);
			found->selected_by = kube_object_key(prometheus);
			return;
		}
		explain(&why, kind, prometheus, namespace_covered(kind, prometheus, namespaces, ns), ns, pinned);
	}
	found->problem = why.len > 0 ? strbuf_take(&why)
	                             : xstrdup("there is no Prometheus resource in this cluster: create one, "
					       "kube-prometheus-stack brings it");
}

void monitoring_release(struct monitoring *found)
{
	json_decref(found->labels);
	free_indirect(&found->selected_by);
	free_indirect(&found->problem);
	found->labels = NULL;
}
