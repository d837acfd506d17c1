/* Telling a fight over the adapter's ConfigMap from an edit. */
#include "adapter_fight.h"

#include <string.h>

#include "adapter_rollout.h"
#include "base/memory.h"

/* As often as Argo CD and Flux look by themselves, or more often: what comes back sooner is no hand's work. */
#define AGAIN_MS (10 * 60 * 1000)
#define WAIT_MS (10 * 60 * 1000)
/* One restart an hour is little, and somebody who has mended the source sees it work within that time. */
#define WAIT_MAX_MS (60 * 60 * 1000)

static bool same_text(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Whether the rules that are missing were there: we wrote them, the write arrived, and none else are needed since. */
static bool was_reverted(const struct adapter_fight *fight, const struct adapter_fight_look *look)
{
	const char *noted = meta_annotation(&look->configmap->view.meta, ANNOTATION_ADAPTER_RULES);
	const char *rolled = rollout_revision(look->deployment);
	const char *wrote = fight->revision != NULL ? fight->revision : rolled;

	/* Whoever replaces the whole ConfigMap takes its annotations away too, but not the Deployment's. */
	return !look->there && (same_text(wrote, noted) || same_text(wrote, rolled)) &&
	       (fight->revision == NULL || same_text(fight->metrics, look->metrics));
}

static void begin_wait(struct adapter_fight *fight, int64_t now_ms)
{
	int64_t longer = fight->wait_ms * 2 < WAIT_MAX_MS ? fight->wait_ms * 2 : WAIT_MAX_MS;

	fight->wait_ms = fight->wait_ms > 0 ? longer : WAIT_MS;
	fight->until_ms = now_ms + fight->wait_ms;
}

static bool is_about(const struct adapter_fight *fight, const struct view_configmap *configmap)
{
	auto_free char *key = meta_key(&configmap->view.meta);

	return fight->about == NULL || strcmp(fight->about, key) == 0;
}

enum adapter_fight_move adapter_fight_check(struct adapter_fight *fight, const struct adapter_fight_look *look)
{
	int64_t left_ms = fight->until_ms - look->now_ms;
	bool waiting = fight->until_ms > 0;

	if (look->metrics == NULL || !is_about(fight, look->configmap)) {
		adapter_fight_release(fight);
		return FIGHT_NONE;
	}
	/* A clock that was set back makes no wait longer. */
	if (waiting && !look->there && left_ms > 0 && left_ms <= fight->wait_ms) {
		return FIGHT_REST;
	}
	if (waiting) {
		fight->until_ms = 0;
		fight->answered_ms = look->now_ms;
		return look->there ? FIGHT_OVER : FIGHT_NONE;
	}
	if (!was_reverted(fight, look)) {
		return FIGHT_NONE;
	}
	if (fight->answered_ms > 0 && look->now_ms - fight->answered_ms <= AGAIN_MS) {
		begin_wait(fight, look->now_ms);
		return FIGHT_REST;
	}
	fight->wait_ms = 0;
	fight->answered_ms = look->now_ms;
	return FIGHT_NONE;
}

void adapter_fight_wrote(struct adapter_fight *fight, const struct view_configmap *configmap, const char *revision,
	const char *metrics)
{
	free_indirect(&fight->revision);
	free_indirect(&fight->metrics);
	free_indirect(&fight->about);
	if (revision != NULL) {
		fight->revision = xstrdup(revision);
		fight->about = meta_key(&configmap->view.meta);
		fight->metrics = metrics != NULL ? xstrdup(metrics) : NULL;
	}
}

const char *adapter_fight_by(const struct view_configmap *configmap)
{
	const struct view_manager *newest = NULL;

	for (uint32_t i = 0; i < configmap->managers_count; i++) {
		const struct view_manager *manager = &configmap->managers[i];

		if (strcmp(manager->name, FIELD_MANAGER) != 0 &&
			(newest == NULL || strcmp(manager->time, newest->time) >= 0)) {
			newest = manager;
		}
	}
	return newest != NULL ? newest->name : NULL;
}

void adapter_fight_release(struct adapter_fight *fight)
{
	free_indirect(&fight->revision);
	free_indirect(&fight->metrics);
	free_indirect(&fight->about);
	*fight = ADAPTER_FIGHT_INIT;
}
