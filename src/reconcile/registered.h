/*
 * The APIServices of the custom metrics API as they are registered, and whose they are. Private to src/reconcile.
 */
#ifndef RECONCILE_REGISTERED_H
#define RECONCILE_REGISTERED_H

#include <stdbool.h>

#include "reconcile/world.h"
#include "view/core.h"

/* NULL when it is absent. */
const struct view_apiservice *registered(const struct world *world, const char *name);
/* Whether there is any of them. */
bool registered_any(const struct world *world);
/* Whether they can be read: what cannot be read may be anybody's. */
bool registered_readable(const struct world *world);
/* Whether it leads to our Service. */
bool registered_leads_to_us(const struct world *world, const struct view_apiservice *api);
/* Whether this release or another of ours made it or took it over, and it leads where that wanted it. */
bool registered_by_us(const struct view_apiservice *api);
/* Whether the Service that it leads to is surely not there. */
bool registered_leads_nowhere(const struct world *world, const struct view_apiservice *api);
/* Whether it is of a release of ours whose Service is gone. What is registered and not served keeps namespaces from being
 * deleted. */
bool registered_dead(const struct world *world, const struct view_apiservice *api);
/* The first that another server has; NULL when there is none. */
const struct view_apiservice *registered_others(const struct world *world);
/* The first that another server has, or had before it was taken over; NULL when all are ours alone. */
const struct view_apiservice *registered_shared(const struct world *world);

#endif
