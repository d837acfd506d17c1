/* From changes of a target to who sets its replicas back. */
#include "chain/replicas_fight.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

/* The HPA controller's name as a field manager, and the subresource that it writes (kubernetes/pkg/controller/podautoscaler). */
#define HPA_MANAGER "kube-controller-manager"
#define HPA_SUBRESOURCE "scale"

/* Flux, the slowest of those that sync in the field, does so every ten minutes by its own examples. */
#define BETWEEN_MAX_MS (30 * 60 * 1000)
#define PEACE_MS 60000 /* beyond twice the time between the last two */

bool replicas_set_by_hpa(const struct view_workload *target)
{
	return target->replicas_manager != NULL && strcmp(target->replicas_manager, HPA_MANAGER) == 0 &&
	       strcmp(target->replicas_subresource, HPA_SUBRESOURCE) == 0;
}

bool replicas_are_set_back(const struct view_workload *before, const struct view_workload *now)
{
	return now->replicas_manager != NULL && replicas_set_by_hpa(before) && !replicas_set_by_hpa(now) &&
	       before->replicas != now->replicas;
}

void replicas_fight_note(struct replicas_fight **fight, const char *manager, int64_t now_ms)
{
	struct replicas_fight *own = *fight;

	if (own == NULL) {
		own = *fight = xcalloc(1, sizeof(*own));
	}
	own->before_ms = own->manager != NULL && strcmp(own->manager, manager) == 0 ? own->last_ms : 0;
	own->last_ms = now_ms;
	free(own->manager);
	own->manager = xstrdup(manager);
}

bool replicas_fight_goes_on(const struct replicas_fight *fight, int64_t now_ms)
{
	int64_t between_ms = fight != NULL ? fight->last_ms - fight->before_ms : 0;

	return fight != NULL && fight->before_ms > 0 && between_ms <= BETWEEN_MAX_MS &&
	       now_ms - fight->last_ms <= 2 * between_ms + PEACE_MS;
}

static int64_t time_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text != NULL ? clock_parse_rfc3339(text) : 0;
}

struct replicas_fight *replicas_fight_decode(const json_t *json)
{
	struct replicas_fight *fight;

	if (!json_is_object(json)) {
		return NULL;
	}
	fight = xcalloc(1, sizeof(*fight));
	*fight = (struct replicas_fight){.manager = xstrdup(json_path_string(json, "manager", "")),
		.last_ms = time_of(json, "last"),
		.before_ms = time_of(json, "before")};
	return fight;
}

void replicas_fight_free(struct replicas_fight *fight)
{
	if (fight != NULL) {
		free_indirect(&fight->manager);
		free_indirect(&fight);
	}
}
