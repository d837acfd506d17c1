/*
 * What there is to tell, as an Event, of an APIService that changed hands between two passes (reconcile/takeover.h). Of what
 * was so when this process began nothing is told.
 *
 *   it leads to us now                      Normal   TakenOver
 *   it leads to its former owner again      Normal   GivenBack   when the option is gone
 *                                           Warning  GivenBack   when passing on fails, or another gave it back
 */
#ifndef RECONCILE_HANDOVER_H
#define RECONCILE_HANDOVER_H

#include "reconcile/reconcile.h"
#include "reconcile/world.h"
#include "report/transitions.h"
#include "view/core.h"

struct handover {
	const struct view_apiservice *api; /* borrowed */
	struct transition told;            /* owned */
};

/* From the memory of the pass before to that of world->shared. Fills `found` and returns how many. */
size_t handovers_find(const struct world *world, const struct takeover_memory *before,
	struct handover found[APISERVICES]);

#endif
