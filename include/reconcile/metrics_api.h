/*
 * The registration of the custom metrics API: one server in a cluster may have it.
 */
#ifndef RECONCILE_METRICS_API_H
#define RECONCILE_METRICS_API_H

#include "reconcile/reconcile.h"
#include "reconcile/world.h"

/* Sets the state's api_reason, api_message and api_away: not registered, somebody else's (who is named, and
 * never replaced), or not available. */
void metrics_api_check(const struct world *world, struct shared_state *state);

#endif
