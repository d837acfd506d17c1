/*
 * Children that were seen to be as they should be: from the same they are not made, and compared, again. Private to
 * src/reconcile.
 */
#ifndef RECONCILE_SETTLED_CHILDREN_H
#define RECONCILE_SETTLED_CHILDREN_H

#include "base/digest.h"
#include "reconcile/observe.h"

/* Of all that an autoscaler's children are made of, and of what is compared of them as they stand. */
struct digest settled_children_digest(const struct observation *observation, const struct world *world);

#endif
