/* When the metrics API that another server had is free. */
#include "vacancy.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "reconcile/adapter_find.h"
#include "registered.h"

#define KEPT_FREE_MS 120000

/* Another server's by all that it says; an apply over one of ours leaves our label on it. */
static bool is_anothers(const struct world *world)
{
	const struct view_apiservice *api = registered_shared(world);

	return api != NULL && !text_equal(meta_label(&api->view.meta, LABEL_MANAGED_BY), MANAGED_BY);
}

static const char *absent(const struct world *world)
{
	for (size_t i = 0; i < APISERVICES; i++) {
		if (registered(world, apiservices[i]) == NULL) {
			return apiservices[i];
		}
	}
	return NULL;
}

/* An adapter that runs had it, unless one of them is ours. */
static bool was_adapters(const struct world *world)
{
	const struct view_workload *adapter = adapter_find(world).deployment;

	return !registered_any(world) && adapter != NULL && adapter->replicas != 0;
}

void vacancy_note(const struct world *world, struct vacancy_memory *memory)
{
	if (!settings_serve(world->settings) || !registered_readable(world)) {
		return;
	}
	if (is_anothers(world)) {
		*memory = (struct vacancy_memory){.noted = true, .others = true};
		return;
	}
	memory->others = memory->others || (!memory->noted && was_adapters(world));
	memory->noted = true;
	if (absent(world) == NULL) {
		memory->others = false;
	} else if (memory->others && memory->since_ms == 0) {
		memory->since_ms = world->now_ms;
	}
}

int64_t vacancy_wait_ms(const struct world *world)
{
	const struct vacancy_memory *memory = &world->shared->vacancy;
	int64_t gone_ms = world->now_ms - memory->since_ms;

	return memory->others && memory->since_ms > 0 && gone_ms >= 0 && gone_ms < KEPT_FREE_MS ? KEPT_FREE_MS - gone_ms
	                                                                                        : 0;
}

char *vacancy_text(const struct world *world)
{
	auto_free char *until = clock_rfc3339(world->shared->vacancy.since_ms + KEPT_FREE_MS);

	return xasprintf(
		"APIService '%s' of another server is gone: install prometheus-adapter again, with it; where nobody has done "
		"so by %s, the operator makes its own",
		absent(world), until);
}
