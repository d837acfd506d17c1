/*
 * prometheus-adapter: what it must be told, and what it tells about itself.
 */
#ifndef RECONCILE_ADAPTER_H
#define RECONCILE_ADAPTER_H

#include <jansson.h>

#include "reconcile/plan.h"
#include "reconcile/reconcile.h"
#include "reconcile/world.h"

/* What live autoscalers need of it. */
struct adapter_needs {
	json_t *metrics;   /* metric → since when somebody needs it, in ms of the wall */
	int64_t newest_ms; /* when the newest autoscaler came */
};

/* Plans for its ConfigMap and Deployment. Sets the state, its reason and message, and what is held. */
void adapter_reconcile(const struct world *world, const struct adapter_needs *needs, struct plan *plan,
	struct shared_state *state);

/*
 * What its Deployment says, new reference:
 *   url         of the Prometheus it asks, absent when not given
 *   prometheus  "ns/name" of the resource that this leads to, absent when that cannot be told (it
 *               may be a Thanos, or outside the cluster)
 *   nowhere     true when it names a Service that does not exist
 *   relist      "10m", when it is longer than a minute
 *   replicas    of its Deployment's spec, absent when there is no Deployment
 *   since       when its last rollout ended, in ms of the wall; absent when its Deployment does not tell
 */
json_t *adapter_survey(const struct world *world);

#endif
