/* Deciding when the adapter's rules are written. */
#include "adapter_timing.h"

#include <string.h>

#include "adapter_metrics.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"

/* The API server's times are cut to the second: between two and three seconds. */
#define SETTLE_MS 3000
#define SETTLE_MAX_MS 10000
#define UNUSED_MS 30000
/* Without progress for so long a rollout is said to hang; the Deployment's own deadline is 10 min by default. */
#define HANGS_MS (5 * 60 * 1000)
#define ROLLING_AGAIN_MS 30000
/* A time that lies further ahead is of a clock that differs from ours: it is not waited for. */
#define SKEW_MS 10000

const char *rollout_revision(const struct view_workload *deployment)
{
	return view_pairs_get(&deployment->template_annotations, ANNOTATION_ADAPTER_RULES);
}

static bool is_complete(const struct view_workload *deployment)
{
	int64_t wanted = deployment->replicas >= 0 ? deployment->replicas : 1;

	return deployment->current_replicas == wanted && deployment->updated_replicas == wanted &&
	       deployment->available_replicas == wanted;
}

static bool is_text(const char *text, const char *expected)
{
	return text != NULL && strcmp(text, expected) == 0;
}

enum rollout rollout_of(const struct view_workload *deployment, int64_t now_ms)
{
	int64_t progress_ms = deployment->progressed_ms;

	if (deployment->observed_generation < deployment->view.meta.generation) {
		return ROLLOUT_UNDER_WAY; /* its controller has not seen it: what it says is of before */
	}
	if (is_complete(deployment)) {
		return ROLLOUT_DONE;
	}
	if (is_text(deployment->progressing, "False")) {
		return ROLLOUT_STUCK;
	}
	if (is_text(deployment->progressing_reason, "NewReplicaSetAvailable")) {
		return ROLLOUT_BROKEN;
	}
	return progress_ms > 0 && now_ms - progress_ms > HANGS_MS ? ROLLOUT_STUCK : ROLLOUT_UNDER_WAY;
}

/* What is in one set but not in the other. New reference. */
static json_t *without(const json_t *set, const json_t *other)
{
	json_t *rest = json_object();
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)set, name, value) {
		if (json_object_get(other, name) == NULL) {
			json_object_set(rest, name, value);
		}
	}
	return rest;
}

/* How much is left of a wait that began then. */
static int64_t left_ms(const struct world *world, int64_t since_ms, int64_t wait_ms)
{
	int64_t left = since_ms + wait_ms - world->now_ms;

	return left > 0 && left <= wait_ms + SKEW_MS ? left : 0;
}

/* How long rules that come wait for others: `added` holds when each was needed first. */
static int64_t settle_ms(const struct world *world, const struct adapter_needs *needs, const json_t *added)
{
	int64_t newest = needs->newest_ms;
	int64_t oldest = world->now_ms;
	const char *metric;
	json_t *since;

	json_object_foreach((json_t *)added, metric, since) {
		newest = json_integer_value(since) > newest ? json_integer_value(since) : newest;
		oldest = json_integer_value(since) < oldest ? json_integer_value(since) : oldest;
	}
	newest = left_ms(world, newest, SETTLE_MS);
	oldest = left_ms(world, oldest, SETTLE_MAX_MS);
	return newest < oldest ? newest : oldest;
}

/* How long rules that go stay; notes since when they are unused. */
static int64_t unused_ms(const struct world *world, const struct view_configmap *configmap,
	struct adapter_timing *timing)
{
	const char *since = meta_annotation(&configmap->view.meta, ANNOTATION_ADAPTER_UNUSED);

	timing->unused = since != NULL ? xstrdup(since) : clock_rfc3339(world->now_ms);
	return left_ms(world, clock_parse_rfc3339(timing->unused), UNUSED_MS);
}

void adapter_timing_find(const struct world *world, const struct view_configmap *configmap,
	const struct view_workload *deployment, const struct adapter_needs *needs, struct adapter_timing *timing)
{
	const char *revision = meta_annotation(&configmap->view.meta, ANNOTATION_ADAPTER_RULES);
	const char *annotated = meta_annotation(&configmap->view.meta, ANNOTATION_ADAPTER_METRICS);
	const char *rolled = rollout_revision(deployment);
	bool rolling = revision != NULL && rolled != NULL && strcmp(revision, rolled) == 0 &&
	               rollout_of(deployment, world->now_ms) == ROLLOUT_UNDER_WAY;
	/* Which rules are written is known: none before the first write, or those that were noted. */
	bool known = revision != NULL ? annotated != NULL : rolled == NULL;
	auto_json *written = adapter_metrics_parse(revision != NULL && annotated != NULL ? annotated : "");
	auto_json *added = without(needs->metrics, written);
	auto_json *gone = without(written, needs->metrics);
	int64_t wait = 0;

	if (json_object_size(needs->metrics) > 0 && known) {
		if (json_object_size(added) > 0) {
			wait = settle_ms(world, needs, added);
		} else if (json_object_size(gone) > 0) {
			wait = unused_ms(world, configmap, timing);
		}
		if (rolling && json_object_size(added) + json_object_size(gone) > 0) {
			timing->rolling = true;
			wait = wait > ROLLING_AGAIN_MS ? wait : ROLLING_AGAIN_MS;
		}
	}
	timing->again_ms = wait;
	timing->metrics = json_incref(wait > 0 ? written : (json_t *)needs->metrics);
	timing->held = wait > 0 ? json_incref(added) : json_object();
	if (wait == 0) {
		free_indirect(&timing->unused);
	}
}

void adapter_timing_release(struct adapter_timing *timing)
{
	json_decref(timing->metrics);
	json_decref(timing->held);
	free_indirect(&timing->unused);
}
