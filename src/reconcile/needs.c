/* What autoscalers need of what they share, in totals. */
#include "reconcile/needs.h"

#include <stdint.h>
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
	struct total *total;
	struct need *need;
};

/* What one autoscaler needs: metrics, and behind them an exporter, perhaps. */
struct need {
	const struct view_autoscaler *view; /* one reference */
	enum source source;
	uint16_t metrics_count;
	bool has_exporter;
	struct use uses[];
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

static size_t metrics_count(const struct derived *derived)
{
	size_t count = 0;

	while (count < WORKLOAD_SIGNALS_MAX && derived->metrics[count] != NULL) {
		count++;
	}
	return count;
}

static bool is_use_of(const struct use *use, const char *name)
{
	return strcmp(use->total->name, name) == 0;
}

static bool is_same(const struct need *need, const struct derived *derived)
{
	if (need->source != derived->source || need->metrics_count != metrics_count(derived) ||
		need->has_exporter != (derived->exporter != NULL)) {
		return false;
	}
	for (size_t s = 0; s < need->metrics_count; s++) {
		if (!is_use_of(&need->uses[s], derived->metrics[s])) {
			return false;
		}
	}
	return !need->has_exporter || is_use_of(&need->uses[need->metrics_count], derived->exporter);
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
	bool differ = need->has_exporter;

	for (size_t s = 0; s < need->metrics_count; s++) {
		differ = use_drop(&needs->metrics[need->source], &need->uses[s]) || differ;
	}
	if (need->has_exporter) {
		use_drop(&needs->exporters[need->source], &need->uses[need->metrics_count]);
	}
	return --needs->count[need->source] == 0 || differ;
}

/* Likewise. */
static bool put_in(struct needs *needs, struct need *need, const struct derived *derived)
{
	bool differ = needs->count[need->source]++ == 0 || need->has_exporter;

	for (size_t s = 0; s < need->metrics_count; s++) {
		differ = use_add(&needs->metrics[need->source], derived->metrics[s], &need->uses[s]) || differ;
	}
	if (need->has_exporter) {
		use_add(&needs->exporters[need->source], derived->exporter, &need->uses[need->metrics_count]);
	}
	return differ;
}

static size_t need_bytes(size_t metrics, bool has_exporter)
{
	return sizeof(struct need) + (metrics + has_exporter) * sizeof(struct use);
}

/* Its uses are put in by put_in(). */
static struct need *need_new(const struct view_autoscaler *object, const struct derived *derived)
{
	size_t metrics = metrics_count(derived);
	bool has_exporter = derived->exporter != NULL;
	struct need *need = keep_new(need_bytes(metrics, has_exporter));

	need->view = view_autoscaler(view_ref(&object->view));
	need->source = derived->source;
	need->metrics_count = (uint16_t)metrics;
	need->has_exporter = has_exporter;
	for (size_t s = 0; s < metrics + has_exporter; s++) {
		need->uses[s].need = need;
	}
	return need;
}

/* Its names stay the same, and so does its place. */
static void keep_view(struct need *need, const struct view_autoscaler *object)
{
	const struct view_autoscaler *before = need->view;

	need->view = view_autoscaler(view_ref(&object->view));
	view_unref(&before->view);
}

static void need_free(void *value)
{
	struct need *need = value;

	view_unref(&need->view->view);
	keep_free(need, need_bytes(need->metrics_count, need->has_exporter));
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
	bool differ;

	if (!derive(settings, object, evidence, &derived)) {
		return needs_remove(needs, key);
	}
	auto_free char *exporter = derived.exporter;
	need = map_get(&needs->autoscalers, key);
	if (need != NULL && is_same(need, &derived)) {
		keep_view(need, object);
		return false;
	}
	differ = needs_remove(needs, key);
	need = need_new(object, &derived);
	map_put(&needs->autoscalers, key, need);
	return put_in(needs, need, &derived) || differ;
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
