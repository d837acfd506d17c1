/*
 * The registration of our own metrics API: the APIServices of both its versions.
 *
 * They are made where there are none, by a create, which fails where somebody else was faster: another server's are never
 * touched, unless they are to be taken over (reconcile/takeover.h). Ours have our label and lead to our Service; the certificates that the API server is to trust are kept in step.
 */
#ifndef RECONCILE_REGISTRATION_H
#define RECONCILE_REGISTRATION_H

#include <stdbool.h>

#include "reconcile/plan.h"
#include "reconcile/reconcile.h"
#include "reconcile/world.h"

/* Whether the metrics API is ours, or nobody's and we serve it: then spec.source Auto means Direct. */
bool registration_is_ours(const struct world *world);
/* Plans that the APIServices are as they should be. `wanted`: they are also to be made where they are missing. */
void registration_plan(const struct world *world, bool wanted, struct plan *plan);
/* Plans that ours go. */
void registration_plan_removal(const struct world *world, struct plan *plan);
/* Sets what state->own says: why our metrics API cannot be reached, or is awaited. */
void registration_check(const struct world *world, struct shared_state *state);

#endif
