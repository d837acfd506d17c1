/*
 * The status in a plan: none while nothing is known yet, or while it would wait for the next. Private to src/reconcile.
 */
#ifndef RECONCILE_STATUS_PLAN_H
#define RECONCILE_STATUS_PLAN_H

#include "chain/links.h"
#include "reconcile/observe.h"
#include "reconcile/plan.h"
#include "reconcile/world.h"

/* Sets the plan's status, and whether it is progress, or held; `first`: of the verdicts the first that is not True, or
 * links_count. */
void status_plan(const struct observation *observation, const struct world *world, const struct verdict *verdicts,
	size_t first, struct plan *plan);

#endif
