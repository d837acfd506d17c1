/* What bounds a signal of one pod. */
#include "chain/limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"

#define TOLERANCE_MILLI 100 /* kube-controller-manager's default */
#define COUNT_MAX 1000000

/* 1 to COUNT_MAX; 0 for anything else. */
static int64_t parse_count(const char *text)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	return end != text && *end == '\0' && value >= 1 && value <= COUNT_MAX ? value : 0;
}

/* Each rank has the limit for itself. 0 when it cannot be told how many there are. */
static int64_t ranks_of(const struct engine *engine, const struct view_container *container)
{
	if (engine->config_flag != NULL && view_container_flag(container, engine->config_flag) != NULL) {
		return 0;
	}
	for (size_t i = 0; i < ENGINE_RANKS_MAX && engine->ranks_flags[i] != NULL; i++) {
		const char *value = view_container_value(container, engine->ranks_flags[i]);

		if (value != NULL) {
			return parse_count(value);
		}
	}
	return 1;
}

/* What the container is told; `name` is then the flag or the variable. The command line wins. */
static const char *told(const struct view_container *container, const struct engine_limit *row, const char **name)
{
	for (size_t i = 0; i < ENGINE_FLAGS_MAX && row->flags[i] != NULL; i++) {
		const char *value = view_container_value(container, row->flags[i]);

		if (value != NULL) {
			*name = row->flags[i];
			return value;
		}
	}
	*name = row->env;
	return row->env != NULL ? view_pairs_get(&container->env, row->env) : NULL;
}

/* Of the container that is told; of two nobody knows which is the engine's. */
static bool find_option(const struct facts *facts, const struct engine_limit *row, struct limit *limit)
{
	const struct view_workload *target = facts->target;
	const char *value = NULL;

	*limit = (struct limit){.most = 0};
	for (uint32_t i = 0; target != NULL && i < target->containers_count; i++) {
		const struct view_container *container = &target->containers[i];
		const char *name;
		const char *own = told(container, row, &name);

		if (own != NULL && value != NULL) {
			return false;
		}
		if (own != NULL) {
			value = own;
			limit->container = container;
			limit->option = name;
		}
	}
	if (value != NULL) {
		limit->most = parse_count(value) * ranks_of(facts->workload.engine, limit->container);
	}
	return limit->most > 0;
}

static bool find_on_page(const struct engine_signal *signal, const struct page_seen *page, struct limit *limit)
{
	const struct signal_limit *own = shape_find(&shape_signal_limit, &page->limits, signal->name);

	*limit = (struct limit){.most = own != NULL ? own->most : 0,
		.series = signal->limit_series != NULL ? signal->limit_series : signal->limit_member};
	return limit->most > 0;
}

static void take_less(struct limit *limit, const struct limit *other)
{
	if (limit->most == 0 || other->most < limit->most) {
		*limit = *other;
	}
}

enum limit_found limit_find(const struct facts *facts, const struct workload_signal *signal,
	const struct page_seen *page, struct limit *limit)
{
	const struct engine_signal *row = signal->signal;
	bool on_page = row->limit_series != NULL || row->limit_member != NULL;
	struct limit one;

	*limit = (struct limit){.most = 0};
	if (signal->gpu || strcmp(row->name, "KVCache") == 0) {
		limit->most = 100;
		return LIMIT_FOUND;
	}
	for (size_t i = 0; i < ENGINE_LIMITS_MAX && row->limits[i].flags[0] != NULL; i++) {
		if (find_option(facts, &row->limits[i], &one)) {
			take_less(limit, &one);
		}
	}
	if (on_page && page != NULL && find_on_page(row, page, &one)) {
		take_less(limit, &one);
	}
	return limit->most > 0 ? LIMIT_FOUND : on_page && page == NULL ? LIMIT_UNSEEN : LIMIT_NONE;
}

/* As kube-controller-manager's replica_calculator.go. */
int64_t limit_tolerance_milli(const struct autoscaler *spec)
{
	const json_t *tolerance = json_path(spec->behavior, "scaleUp.tolerance");
	auto_free char *text = json_is_string(tolerance) ? xstrdup(json_string_value(tolerance))
	                       : tolerance != NULL       ? json_text(tolerance)
	                                                 : NULL;
	int64_t milli = text != NULL ? quantity_parse_milli(text) : -1;

	return milli >= 0 && milli <= COUNT_MAX ? milli : TOLERANCE_MILLI;
}

int64_t limit_reachable_milli(int64_t limit, int64_t tolerance)
{
	int64_t milli = (limit * 1000 * 1000 - 1) / (1000 + tolerance);
	int64_t step = milli >= 1000 ? 1000 : milli >= 100 ? 100 : 1;

	return milli - milli % step;
}
