/* How far the adapter's Deployment has come with our rules. */
#include "adapter_rollout.h"

#include <string.h>

#include "api/kinds.h"

/* Without progress for so long a rollout is said to hang; the Deployment's own deadline is 10 min by default. */
#define HANGS_MS (5 * 60 * 1000)

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
