/* Finding the Prometheus that selects an object of ours, and the labels it wants. */
#include "chain/monitoring.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/resource.h"

/* Anybody who may create a Prometheus resource would decide how long a pass takes: so labels are worked out for so many
 * beside the one that selects the object, where a cluster runs a handful, and for selectors of so many labels and values,
 * where people write a few. */
#define OTHERS_MAX 16
#define SELECTOR_MAX 64

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

/* Who selects an object so far, and by which labels. */
struct satisfied {
	const json_t *selectors[1 + OTHERS_MAX]; /* borrowed */
	size_t count;
	json_t *labels; /* owned: what is added to the object */
};

static bool is_large(const json_t *selector)
{
	const json_t *expressions = json_object_get(selector, "matchExpressions");
	size_t size = json_object_size(json_object_get(selector, "matchLabels")) + json_array_size(expressions);
	size_t i;
	json_t *expression;

	json_array_foreach((json_t *)expressions, i, expression) {
		size += json_array_size(json_object_get(expression, "values"));
	}
	return size > SELECTOR_MAX;
}

static bool all_allow(const struct satisfied *all, const json_t *selector, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);

	for (size_t i = 0; i < all->count; i++) {
		if (!kube_selector_allows(all->selectors[i], key, text)) {
			return false;
		}
	}
	return text != NULL && kube_selector_allows(selector, key, text);
}

/* A value of the label that this selector and all before it take: what it has now, or what they name, or `any` (may be NULL). New
 * reference; NULL when there is none. */
static json_t *choose_value(const struct satisfied *all, const json_t *selector, const char *key, const json_t *current,
	const char *any)
{
	auto_json *values = json_pack("[O*, O*]", json_object_get(current, key),
		json_object_get(json_object_get(selector, "matchLabels"), key));
	size_t i;
	json_t *expression;
	json_t *value;

	json_array_foreach(json_object_get(selector, "matchExpressions"), i, expression) {
		if (strcmp(json_path_string(expression, "key", ""), key) == 0) {
			json_array_extend(values, json_object_get(expression, "values"));
		}
	}
	json_array_append_new(values, json_string(any));
	json_array_foreach(values, i, value) {
		if (all_allow(all, selector, key, value)) {
			return json_incref(value);
		}
	}
	return NULL;
}

/* Adds a label that the selector wants, if it wants one. What the object has anyway gives way to the first that selects
 * it only: for a later one nothing changes its meaning. */
static void satisfy_key(const struct satisfied *all, const struct monitoring_object *object, const json_t *selector,
	const char *key, json_t *labels)
{
	const json_t *own = json_object_get(object->own, key);
	json_t *value;

	if (json_object_get(labels, key) != NULL || (own != NULL && all->count > 0) ||
		kube_selector_allows(selector, key, json_string_value(own))) {
		return;
	}
	value = choose_value(all, selector, key, object->current, own == NULL ? "true" : NULL);
	if (value != NULL) {
		json_object_set_new(labels, key, value);
	}
}

/* What is added to the object when this selector is satisfied too. New reference. */
static json_t *satisfy(const struct satisfied *all, const struct monitoring_object *object, const json_t *selector)
{
	const json_t *match = json_object_get(selector, "matchLabels");
	const json_t *expressions = json_object_get(selector, "matchExpressions");
	json_t *labels = json_deep_copy(all->labels);
	const char *key;
	size_t i;
	json_t *item;

	if (is_large(selector)) {
		return labels;
	}
	json_object_foreach((json_t *)match, key, item) {
		satisfy_key(all, object, selector, key, labels);
	}
	json_array_foreach((json_t *)expressions, i, item) {
		satisfy_key(all, object, selector, json_path_string(item, "key", ""), labels);
	}
	return labels;
}

/* Says why this Prometheus does not select our object. */
static void explain(struct strbuf *text, const struct monitoring_context *context,
	const struct monitoring_object *object, const json_t *prometheus)
{
	const struct monitoring_kind *kind = object->kind;
	bool covered = namespace_covered(kind, prometheus, context->namespaces, object->ns);
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
			key, object->ns, wanted_of_namespace, kind->namespace_selector);
	} else if (selector == NULL || json_is_null(selector)) {
		strbuf_addf(text, "Prometheus '%s' selects no %s at all: set its spec.%s", key, kind->kind,
			kind->selector);
	} else if (json_object_size(object->pinned) > 0) {
		strbuf_addf(text,
			"Prometheus '%s' wants '%s', which spec.monitor.labels contradicts: remove or correct them",
			key, wanted);
	} else {
		strbuf_addf(text, "Prometheus '%s' wants '%s', which our labels cannot satisfy: change its spec.%s",
			key, wanted, kind->selector);
	}
}

static bool selects(const struct monitoring_context *context, const struct monitoring_object *object,
	const json_t *prometheus, const json_t *labels)
{
	return namespace_covered(object->kind, prometheus, context->namespaces, object->ns) &&
	       kube_selector_matches(spec_member(prometheus, object->kind->selector), labels, false);
}

/* A Prometheus, and what it is preferred by. */
struct candidate {
	json_t *prometheus; /* borrowed */
	bool asked;
	bool stopped;
	bool selects;
	int64_t made_ms;
	size_t place; /* in the list */
};

static int compare(const void *left, const void *right)
{
	const struct candidate *a = left;
	const struct candidate *b = right;

	if (a->asked != b->asked) {
		return a->asked ? -1 : 1;
	}
	if (a->stopped != b->stopped) {
		return a->stopped ? 1 : -1;
	}
	if (a->selects != b->selects) {
		return a->selects ? -1 : 1;
	}
	if (a->made_ms != b->made_ms) {
		return a->made_ms < b->made_ms ? -1 : 1;
	}
	return a->place < b->place ? -1 : 1;
}

json_t *monitoring_order(const struct monitoring_context *context, const struct monitoring_object *object)
{
	size_t count = json_array_size(context->prometheuses);
	auto_free struct candidate *candidates = xcalloc(count + 1, sizeof(*candidates));
	json_t *order = json_array();
	size_t i;
	json_t *prometheus;

	json_array_foreach((json_t *)context->prometheuses, i, prometheus) {
		auto_free char *key = kube_object_key(prometheus);

		candidates[i] = (struct candidate){
			.prometheus = prometheus,
			.asked = context->asked != NULL && strcmp(context->asked, key) == 0,
			.stopped = json_path_int(prometheus, "spec.replicas", 1) == 0,
			.selects = object->current != NULL && selects(context, object, prometheus, object->current),
			.made_ms = clock_parse_rfc3339(json_path_string(prometheus, "metadata.creationTimestamp", "")),
			.place = i,
		};
	}
	qsort(candidates, count, sizeof(*candidates), compare);
	for (i = 0; i < count; i++) {
		json_array_append(order, candidates[i].prometheus);
	}
	return order;
}

char *monitoring_selects(const struct monitoring_context *context, const struct monitoring_object *object)
{
	auto_json *order = monitoring_order(context, object);
	size_t i;
	json_t *prometheus;

	json_array_foreach(order, i, prometheus) {
		if (selects(context, object, prometheus, object->current)) {
			return kube_object_key(prometheus);
		}
	}
	return NULL;
}

/* Whether this Prometheus selects the object too, by labels that are added then. */
static bool win(const struct monitoring_context *context, const struct monitoring_object *object,
	const json_t *prometheus, struct satisfied *all)
{
	const json_t *selector = spec_member(prometheus, object->kind->selector);
	auto_json *labels = satisfy(all, object, selector);
	auto_json *whole = json_deep_copy(labels);

	json_object_update_missing(whole, (json_t *)object->own);
	if (!selects(context, object, prometheus, whole)) {
		return false;
	}
	json_decref(all->labels);
	all->labels = json_incref(labels);
	all->selectors[all->count++] = selector;
	return true;
}

void monitoring_find(const struct monitoring_context *context, const struct monitoring_object *object,
	struct monitoring *found)
{
	auto_json *order = monitoring_order(context, object);
	auto_strbuf why = STRBUF_INIT;
	struct satisfied all = {
		.labels = object->pinned != NULL ? json_deep_copy(object->pinned) : json_object(),
	};
	size_t others = 0;
	size_t i;
	json_t *prometheus;

	*found = (struct monitoring){.labels = NULL};
	json_array_foreach(order, i, prometheus) {
		if (found->selected_by != NULL && others++ == OTHERS_MAX) {
			break;
		}
		if (win(context, object, prometheus, &all)) {
			found->selected_by =
				found->selected_by != NULL ? found->selected_by : kube_object_key(prometheus);
			/* No label is added that would have to be checked against it. */
			if (is_large(spec_member(prometheus, object->kind->selector))) {
				break;
			}
		} else if (found->selected_by == NULL) {
			explain(&why, context, object, prometheus);
		}
	}
	found->labels = all.labels;
	if (found->selected_by == NULL) {
		found->problem = why.len > 0 ? strbuf_take(&why)
		                             : xstrdup("there is no Prometheus resource in this cluster: create one, "
						       "kube-prometheus-stack brings it");
	}
}

void monitoring_release(struct monitoring *found)
{
	json_decref(found->labels);
	free_indirect(&found->selected_by);
	free_indirect(&found->problem);
	found->labels = NULL;
}
