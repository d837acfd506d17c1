/* What autoscalers need of what they share, in totals. */
#include "reconcile/needs.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/keep.h"
#include "base/memory.h"
#include "reconcile/observe.h"

/* A metric, or an exporter, and who needs it. There is none without a user. */
struct total {
	char *name;
	struct heap users;
};

/* One of its users. */
struct use {
	struct heap_item place; /* among the users */
	struct total *total;    /* NULL = of nothing */
	struct need *need;
};

/* What one autoscaler needs. */
struct need {
	struct use metrics[WORKLOAD_SIGNALS_MAX];
	struct use exporter;
	enum source source;
	const struct view_autoscaler *view; /* one reference; NULL = it was not put in yet */
};

/* The same, as it is derived. */
struct derived {
	enum source source;
	const char *metrics[WORKLOAD_SIGNALS_MAX]; /* static; NULL behind the last */
	char *exporter;                            /* heap; NULL = none */
};

/* ---- the order of users ---- */

static const struct need *user_at(const struct heap_item *item)
{
	return container_of(item, struct use, place)->need;
}

static bool is_first(const struct heap_item *a, const struct heap_item *b)
{
	const struct object_meta *left = &user_at(a)->view->view.meta;
	const struct object_meta *right = &user_at(b)->view->view.meta;
	int by_ns = strcmp(left->ns, right->ns);

	return by_ns != 0 ? by_ns < 0 : strcmp(left->name, right->name) < 0;
}

/* ---- deriving ---- */

static char *exporter_of(const struct view_autoscaler *object)
{
	auto_view_autoscaler_spec spec = view_autoscaler_spec(object);

	return gpu_exporter_id(&spec);
}

/* False when it needs nothing. */
static bool derive(const struct settings *settings, const struct view_autoscaler *object,
	const struct evidence *evidence, struct derived *derived)
{
	const struct autoscaler *spec = &object->spec;
	struct workload workload = {.spec = spec};
	auto_error err = ERROR_INIT;

	*derived = (struct derived){.source = autoscaler_source(spec)};
	if (object->invalid.kind != ERROR_NONE || object->view.meta.deleting ||
		autoscaler_check_settings(spec, settings, &err) < 0 ||
		observe_signals(&workload, spec, observe_engine(spec, &object->status, evidence), &err) < 0) {
		return false;
	}
	for (size_t s = 0; s < workload.signals_count; s++) {
		derived->metrics[s] = workload.signals[s].signal->metric;
	}
	derived->exporter = autoscaler_uses_gpus(spec) ? exporter_of(object) : NULL;
	return true;
}

static bool is_use_of(const struct use *use, const char *name)
{
	return name == NULL ? use->total == NULL : use->total != NULL && strcmp(use->total->name, name) == 0;
}

static bool is_same(const struct need *need, const struct derived *derived)
{
	if (need->source != derived->source) {
		return false;
	}
	for (size_t s = 0; s < WORKLOAD_SIGNALS_MAX; s++) {
		if (!is_use_of(&need->metrics[s], derived->metrics[s])) {
			return false;
		}
	}
	return is_use_of(&need->exporter, derived->exporter);
}

/* ---- keeping the totals ---- */

static void total_free(void *value)
{
	struct total *total = value;

	heap_release(&total->users);
	free_indirect(&total->name);
	free_indirect(&total);
}

/* True when it is the first user. */
static bool use_add(struct map *totals, const char *name, struct use *use)
{
	struct total *total = map_get(totals, name);
	bool is_new = total == NULL;

	if (is_new) {
		total = xcalloc(1, sizeof(*total));
		total->name = xstrdup(name);
		heap_init(&total->users, is_first);
		map_put(totals, name, total);
	}
	use->total = total;
	heap_add(&total->users, &use->place);
	return is_new;
}

/* True when it was the last user. */
static bool use_drop(struct map *totals, struct use *use)
{
	struct total *total = use->total;

	if (total == NULL) {
		return false;
	}
	use->total = NULL;
	heap_remove(&total->users, &use->place);
	if (total->users.count > 0) {
		return false;
	}
	auto_free char *name = xstrdup(total->name);

	map_remove(totals, name);
	return true;
}

/* True when the totals differ; so they do with each user of an exporter, since the first is read of it. */
static bool take_out(struct needs *needs, struct need *need)
{
	bool differ = need->exporter.total != NULL;

	for (size_t s = 0; s < WORKLOAD_SIGNALS_MAX; s++) {
		differ = use_drop(&needs->metrics[need->source], &need->metrics[s]) || differ;
	}
	use_drop(&needs->exporters[need->source], &need->exporter);
	return --needs->count[need->source] == 0 || differ;
}

/* Likewise. */
static bool put_in(struct needs *needs, struct need *need, const struct derived *derived)
{
	bool differ = needs->count[derived->source]++ == 0;

	need->source = derived->source;
	for (size_t s = 0; s < WORKLOAD_SIGNALS_MAX && derived->metrics[s] != NULL; s++) {
		differ = use_add(&needs->metrics[need->source], derived->metrics[s], &need->metrics[s]) || differ;
	}
	if (derived->exporter != NULL) {
		use_add(&needs->exporters[need->source], derived->exporter, &need->exporter);
		differ = true;
	}
	return differ;
}

static struct need *need_of(struct needs *needs, const char *key)
{
	struct need *need = map_get(&needs->autoscalers, key);

	if (need == NULL) {
		need = keep_new(sizeof(*need));
		need->exporter.need = need;
		for (size_t s = 0; s < WORKLOAD_SIGNALS_MAX; s++) {
			need->metrics[s].need = need;
		}
		map_put(&needs->autoscalers, key, need);
	}
	return need;
}

/* Its names stay the same, and so does its place. */
static void keep_view(struct need *need, const struct view_autoscaler *object)
{
	const struct view_autoscaler *before = need->view;

	need->view = object != NULL ? view_autoscaler(view_ref(&object->view)) : NULL;
	view_unref(before != NULL ? &before->view : NULL);
}

static void need_free(void *value)
{
	struct need *need = value;

	keep_view(need, NULL);
	keep_free(need, sizeof(*need));
}

void needs_init(struct needs *needs)
{
	map_init(&needs->autoscalers, need_free);
	for (size_t s = 0; s < SOURCE_COUNT; s++) {
		map_init(&needs->metrics[s], total_free);
		map_init(&needs->exporters[s], total_free);
		needs->count[s] = 0;
	}
}

void needs_release(struct needs *needs)
{
	map_release(&needs->autoscalers);
	for (size_t s = 0; s < SOURCE_COUNT; s++) {
		map_release(&needs->metrics[s]);
		map_release(&needs->exporters[s]);
	}
}

bool needs_put(struct needs *needs, const struct settings *settings, const struct view_autoscaler *object,
	const struct evidence *evidence)
{
	auto_free char *key = meta_key(&object->view.meta);
	struct derived derived;
	struct need *need;
	bool same;
	bool differ = false;

	if (!derive(settings, object, evidence, &derived)) {
		return needs_remove(needs, key);
	}
	auto_free char *exporter = derived.exporter;
	need = need_of(needs, key);
	same = need->view != NULL && is_same(need, &derived);
	if (!same && need->view != NULL) {
		differ = take_out(needs, need);
	}
	keep_view(need, object);
	if (!same) {
		differ = put_in(needs, need, &derived) || differ;
	}
	return differ;
}

bool needs_remove(struct needs *needs, const char *key)
{
	struct need *need = map_get(&needs->autoscalers, key);
	bool differ;

	if (need == NULL) {
		return false;
	}
	differ = take_out(needs, need);
	map_remove(&needs->autoscalers, key);
	return differ;
}

struct needs needs_of_world(const struct world *world)
{
	auto_view_list all = world_views(world, KIND_AUTOSCALER, NULL);
	struct needs needs;

	needs_init(&needs);
	for (size_t i = 0; i < all.count; i++) {
		auto_free char *key = meta_key(&all.items[i]->meta);

		needs_put(&needs, world->settings, view_autoscaler(all.items[i]), world->evidence(world->ctx, key));
	}
	return needs;
}

/* ---- reading the totals ---- */

/* Whether this spec.source means Prometheus. */
static bool is_prometheus(enum source source, bool direct)
{
	return source == SOURCE_PROMETHEUS || (source == SOURCE_AUTO && !direct);
}

json_t *needs_metrics(const struct needs *needs, bool direct)
{
	json_t *metrics = json_object();

	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		size_t pos = 0;
		void *value;

		while (is_prometheus(source, direct) && map_next(&needs->metrics[source], &pos, NULL, &value)) {
			const struct total *total = value;

			json_object_set_new(metrics, total->name, json_true());
		}
	}
	return metrics;
}

static int compare_views(const struct view_autoscaler *a, const struct view_autoscaler *b)
{
	const struct object_meta *left = &a->view.meta;
	const struct object_meta *right = &b->view.meta;
	int by_ns = strcmp(left->ns, right->ns);

	return by_ns != 0 ? by_ns : strcmp(left->name, right->name);
}

static int compare_needs(const void *a, const void *b)
{
	return compare_views(((const struct gpu_need *)a)->autoscaler, ((const struct gpu_need *)b)->autoscaler);
}

/* Whether somebody asks for this exporter by a source before this one. */
static bool is_found(const struct needs *needs, enum source before, const char *id)
{
	for (enum source source = 0; source < before; source++) {
		if (map_get(&needs->exporters[source], id) != NULL) {
			return true;
		}
	}
	return false;
}

/* What this source and those after it ask for by one name: of these autoscalers the first. */
static struct gpu_need joined(const struct needs *needs, enum source source, const char *id, bool direct)
{
	struct gpu_need need = {.id = id};

	for (; source < SOURCE_COUNT; source++) {
		const struct total *total = map_get(&needs->exporters[source], id);
		const struct view_autoscaler *first = total != NULL ? user_at(heap_first(&total->users))->view : NULL;

		if (first != NULL) {
			need.scraped = need.scraped || is_prometheus(source, direct);
			need.autoscaler = need.autoscaler == NULL || compare_views(first, need.autoscaler) < 0
			                          ? first
			                          : need.autoscaler;
		}
	}
	return need;
}

struct gpu_need *needs_exporters(const struct needs *needs, bool direct, size_t *count)
{
	size_t most = 1;
	struct gpu_need *found;

	for (size_t s = 0; s < SOURCE_COUNT; s++) {
		most += map_count(&needs->exporters[s]);
	}
	found = xcalloc(most, sizeof(*found));
	*count = 0;
	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		size_t pos = 0;
		void *value;

		while (map_next(&needs->exporters[source], &pos, NULL, &value)) {
			const struct total *total = value;

			if (!is_found(needs, source, total->name)) {
				found[(*count)++] = joined(needs, source, total->name, direct);
			}
		}
	}
	qsort(found, *count, sizeof(*found), compare_needs);
	return found;
}

bool needs_prometheus_alone(const struct needs *needs)
{
	return needs->count[SOURCE_PROMETHEUS] > 0 && needs->count[SOURCE_AUTO] == 0 &&
	       needs->count[SOURCE_DIRECT] == 0;
}
