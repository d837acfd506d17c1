/*
 * When the adapter's rules are written: each write restarts the adapter, and while it has one
 * replica every HPA of the cluster is blind for seconds. So writes are bundled.
 *
 *   rules that come   settle until 3 s passed since an autoscaler came, 10 s in all, so that those
 *                     that come together cost one restart; while the adapter still rolls out our
 *                     last ones they wait for the end of that, unless it hangs
 *   rules that go     wait for half a minute, since nobody misses anything: their autoscaler may be
 *                     made again, or rules that come take them along. The last ones go at once
 *   what was edited   is mended at once: an adapter that restarts by itself would read it
 *
 * All of it is derived from the world, so that another operator goes on where one stopped: which
 * rules are written, and since when some of them are unused, is annotated on the ConfigMap.
 */
#ifndef RECONCILE_ADAPTER_TIMING_H
#define RECONCILE_ADAPTER_TIMING_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "reconcile/adapter.h"
#include "view/core.h"
#include "view/workload.h"

/* Of the adapter's Deployment. */
enum rollout {
	ROLLOUT_DONE,
	ROLLOUT_UNDER_WAY,
	ROLLOUT_BROKEN, /* done once, but pods are away since */
	ROLLOUT_STUCK   /* its new pods do not come up */
};

enum rollout rollout_of(const struct view_workload *deployment, int64_t now_ms);
/* What of ours its pod template carries; borrowed, NULL when nothing. */
const char *rollout_revision(const struct view_workload *deployment);

struct adapter_timing {
	json_t *metrics;  /* owned set: whose rules are to be in the text now */
	json_t *held;     /* owned set: needed, but not written yet */
	bool rolling;     /* those held wait for a rollout; else for others that come with them */
	char *unused;     /* heap: since when rules in it are unused, RFC 3339; NULL = none is */
	int64_t again_ms; /* after which it may be otherwise without an event; 0 = never */
};

#define ADAPTER_TIMING_INIT                                                                                            \
	(struct adapter_timing)                                                                                        \
	{                                                                                                              \
		.metrics = NULL                                                                                        \
	}

void adapter_timing_find(const struct world *world, const struct view_configmap *configmap,
	const struct view_workload *deployment, const struct adapter_needs *needs, struct adapter_timing *timing);
void adapter_timing_release(struct adapter_timing *timing);
#define auto_adapter_timing ATTR_CLEANUP(adapter_timing_release) struct adapter_timing

#endif
