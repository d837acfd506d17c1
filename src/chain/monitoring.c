/* Finding the Prometheus that selects an object of ours, and the labels it wants. */
#include "chain/monitoring.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "monitoring_parts.h"
#include "view/monitoring.h"

/* Anybody who may create a Prometheus resource would decide how long a pass takes: so labels are worked out for so many
 * beside the one that selects the object, where a cluster runs a handful, and for selectors of so many labels and values,
 * where people write a few. */
#define OTHERS_MAX 16
#define SELECTOR_MAX 64

/* Who selects an object so far, and by which labels. */
struct satisfied {
	const struct view_selector *selectors[1 + OTHERS_MAX]; /* borrowed */
	size_t count;
	json_t *labels; /* owned: what is added to the object */
};

static bool is_large(const struct view_selector *selector)
{
	size_t size = (size_t)selector->match_labels.count + selector->expressions_count;

	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		size += selector->expressions[i].values_count;
	}
	return size > SELECTOR_MAX;
}

/* Whether this selector and all before it take the value. */
static bool all_take(const struct satisfied *all, const struct view_selector *selector, const char *key,
	const char *value)
{
	for (size_t i = 0; i < all->count; i++) {
		if (!view_selector_allows(all->selectors[i], key, value)) {
			return false;
		}
	}
	return value != NULL && view_selector_allows(selector, key, value);
}

/* A value of the label that this selector and all before it take: what it has now, or what they name, or `any` (may be
 * NULL). Borrowed; NULL when there is none. */
static const char *choose_value(const struct satisfied *all, const struct view_selector *selector, const char *key,
	const struct view_pairs *current, const char *any)
{
	const char *now = current != NULL ? view_pairs_get(current, key) : NULL;
	const char *wanted = view_pairs_get(&selector->match_labels, key);

	if (all_take(all, selector, key, now)) {
		return now;
	}
	if (all_take(all, selector, key, wanted)) {
		return wanted;
	}
	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		const struct view_requirement *requirement = &selector->expressions[i];

		for (uint32_t v = 0; strcmp(requirement->key, key) == 0 && v < requirement->values_count; v++) {
			if (all_take(all, selector, key, requirement->values[v])) {
				return requirement->values[v];
			}
		}
	}
	return all_take(all, selector, key, any) ? any : NULL;
}

/* Adds a label that the selector wants, if it wants one. What the object has anyway stays: we find it by that. */
static void satisfy_key(const struct satisfied *all, const struct monitoring_object *object,
	const struct view_selector *selector, const char *key, json_t *labels)
{
	const char *value;

	if (json_object_get(labels, key) != NULL || json_object_get(object->own, key) != NULL ||
		view_selector_allows(selector, key, NULL)) {
		return;
	}
	value = choose_value(all, selector, key, object->current, "true");
	if (value != NULL) {
		json_object_set_new(labels, key, json_string(value));
	}
}

/* What is added to the object when this selector is satisfied too. New reference. */
static json_t *satisfy(const struct satisfied *all, const struct monitoring_object *object,
	const struct view_selector *selector)
{
	json_t *labels = json_deep_copy(all->labels);

	if (is_large(selector)) {
		return labels;
	}
	for (uint32_t i = 0; i < selector->match_labels.count; i++) {
		satisfy_key(all, object, selector, selector->match_labels.items[i].key, labels);
	}
	for (uint32_t i = 0; i < selector->expressions_count; i++) {
		satisfy_key(all, object, selector, selector->expressions[i].key, labels);
	}
	return labels;
}

static bool selects(const struct monitoring_context *context, const struct monitoring_object *object,
	const struct view *prometheus, const struct view_pairs *labels)
{
	return monitoring_covers(context, object, prometheus) &&
	       view_selector_matches(monitoring_selector(object->kind, prometheus), labels, false);
}

static bool selects_as_it_is(const struct monitoring_context *context, const struct monitoring_object *object,
	const struct view *prometheus)
{
	return object->current != NULL && selects(context, object, prometheus, object->current);
}

/* A Prometheus, and what it is preferred by. */
struct candidate {
	const struct view *prometheus; /* borrowed */
	bool asked;
	bool stopped;
	bool selects;
	bool agent;
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
	if (a->agent != b->agent) {
		return a->agent ? 1 : -1;
	}
	if (a->made_ms != b->made_ms) {
		return a->made_ms < b->made_ms ? -1 : 1;
	}
	return a->place < b->place ? -1 : 1;
}

struct view_list monitoring_order(const struct monitoring_context *context, const struct monitoring_object *object)
{
	size_t count = context->prometheuses != NULL ? context->prometheuses->count : 0;
	auto_free struct candidate *candidates = xcalloc(count, sizeof(*candidates));
	struct view_list order = {.items = xcalloc(count, sizeof(*order.items)), .count = count};

	for (size_t i = 0; i < count; i++) {
		const struct view *prometheus = context->prometheuses->items[i];
		auto_free char *key = meta_key(&prometheus->meta);

		candidates[i] = (struct candidate){
			.prometheus = prometheus,
			.asked = context->asked != NULL && strcmp(context->asked, key) == 0 &&
		                 !view_is_agent(prometheus),
			.agent = view_is_agent(prometheus),
			.stopped = view_prometheus(prometheus)->replicas == 0,
			.selects = selects_as_it_is(context, object, prometheus),
			.made_ms = prometheus->meta.created_ms,
			.place = i,
		};
	}
	qsort(candidates, count, sizeof(*candidates), compare);
	for (size_t i = 0; i < count; i++) {
		order.items[i] = candidates[i].prometheus;
	}
	return order;
}

char *monitoring_selects(const struct monitoring_context *context, const struct monitoring_object *object)
{
	auto_view_list order = monitoring_order(context, object);

	for (size_t i = 0; i < order.count; i++) {
		if (monitoring_may_be_platforms(context, order.items[i]->meta.ns) &&
			selects_as_it_is(context, object, order.items[i])) {
			return meta_key(&order.items[i]->meta);
		}
	}
	return NULL;
}

static int compare_pairs(const void *left, const void *right)
{
	const struct view_pair *a = left;
	const struct view_pair *b = right;

	return strcmp(a->key, b->key);
}

/* The labels as views have them: a heap array of the caller's, which borrows from them. */
static struct view_pair *sorted_pairs(const json_t *labels)
{
	struct view_pair *pairs = xcalloc(json_object_size(labels), sizeof(*pairs));
	size_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)labels, key, value) {
		pairs[count++] = (struct view_pair){.key = key, .value = json_string_value(value)};
	}
	qsort(pairs, count, sizeof(*pairs), compare_pairs);
	return pairs;
}

/* Whether this Prometheus selects the object too, by labels that are added then if its wishes count. */
static bool win(const struct monitoring_context *context, const struct monitoring_object *object,
	const struct view *prometheus, bool counts, struct satisfied *all)
{
	const struct view_selector *selector = monitoring_selector(object->kind, prometheus);
	auto_json *labels = counts ? satisfy(all, object, selector) : json_deep_copy(all->labels);
	auto_json *whole = json_deep_copy(labels);
	auto_free struct view_pair *pairs = NULL;

	if (object->own != NULL) {
		json_object_update(whole, (json_t *)(uintptr_t)object->own);
	}
	pairs = sorted_pairs(whole);
	if (!selects(context, object, prometheus,
		    &(struct view_pairs){.items = pairs, .count = (uint32_t)json_object_size(whole)})) {
		return false;
	}
	if (counts) {
		json_decref(all->labels);
		all->labels = json_incref(labels);
		all->selectors[all->count++] = selector;
	}
	return true;
}

/* Adds the labels that the platform gives, but for those by which one would stop selecting the object. */
static void add_usual(const struct satisfied *all, const struct monitoring_object *object)
{
	static const struct view_selector anything = {.given = true, .valid = true};
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object->usual, key, value) {
		if (json_object_get(all->labels, key) == NULL && json_object_get(object->own, key) == NULL &&
			all_take(all, &anything, key, json_string_value(value))) {
			json_object_set(all->labels, key, value);
		}
	}
}

#define OUR_LABELS "inference-autoscaler.io/"

/* Who selects it in a way that is not seen here does so by the labels that it has. */
static void keep_current(const struct monitoring_object *object, json_t *labels)
{
	for (uint32_t i = 0; object->current != NULL && i < object->current->count; i++) {
		const struct view_pair *pair = &object->current->items[i];

		if (pair->value != NULL && json_object_get(object->own, pair->key) == NULL &&
			strncmp(pair->key, OUR_LABELS, sizeof(OUR_LABELS) - 1) != 0 &&
			json_object_get(labels, pair->key) == NULL) {
			json_object_set_new(labels, pair->key, json_string(pair->value));
		}
	}
}

void monitoring_find(const struct monitoring_context *context, const struct monitoring_object *object,
	struct monitoring *found)
{
	auto_view_list order = monitoring_order(context, object);
	auto_strbuf why = STRBUF_INIT;
	struct satisfied all = {
		.labels = object->pinned != NULL ? json_deep_copy(object->pinned) : json_object(),
	};
	size_t others = 0;

	*found = (struct monitoring){.labels = NULL};
	for (size_t i = 0; i < order.count; i++) {
		const struct view *prometheus = order.items[i];
		bool counts = monitoring_counts(context, object, prometheus);

		if (found->selected_by != NULL && !counts) {
			continue;
		}
		if (found->selected_by != NULL && others++ == OTHERS_MAX) {
			break;
		}
		if (win(context, object, prometheus, counts, &all)) {
			if (found->selected_by == NULL) {
				found->selected_by = meta_key(&prometheus->meta);
				found->agent = view_is_agent(prometheus);
			}
			/* No label is added that would have to be checked against it. */
			if (counts && is_large(monitoring_selector(object->kind, prometheus))) {
				break;
			}
		} else if (found->selected_by == NULL) {
			monitoring_explain(&why, context, object, prometheus);
		}
	}
	add_usual(&all, object);
	found->labels = all.labels;
	if (found->agent && why.len > 0) {
		found->problem = strbuf_take(&why);
	}
	if (found->selected_by == NULL) {
		keep_current(object, found->labels);
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
