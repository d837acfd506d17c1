/*
 * ConfigMaps that the adapter read before: whoever delivers it by hashed names makes a new one for each version, and our
 * block stays in the old one, which nobody reads any more.
 *
 * The block is taken out once the adapter runs with the new one. Only where it is as we wrote it, only in the adapter's
 * own namespace, and not while any Deployment there still mounts it. What else is in the text stays as it is.
 */
#ifndef RECONCILE_ADAPTER_LEFT_H
#define RECONCILE_ADAPTER_LEFT_H

#include "api/settings.h"
#include "reconcile/plan.h"
#include "reconcile/world.h"

/* Plans it for each such ConfigMap that the world knows. `names`: of the one that is read now. */
void adapter_left_clear(const struct world *world, const struct adapter_names *names, struct plan *plan);

#endif
