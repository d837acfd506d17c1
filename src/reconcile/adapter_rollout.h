/*
 * How far the adapter's Deployment has come with our rules.
 */
#ifndef RECONCILE_ADAPTER_ROLLOUT_H
#define RECONCILE_ADAPTER_ROLLOUT_H

#include <stdint.h>

#include "view/workload.h"

enum rollout {
	ROLLOUT_DONE,
	ROLLOUT_UNDER_WAY,
	ROLLOUT_BROKEN, /* done once, but pods are away since */
	ROLLOUT_STUCK   /* its new pods do not come up */
};

enum rollout rollout_of(const struct view_workload *deployment, int64_t now_ms);
/* What of ours its pod template carries; borrowed, NULL when nothing. */
const char *rollout_revision(const struct view_workload *deployment);

#endif
