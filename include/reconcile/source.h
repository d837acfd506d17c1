/*
 * Where the figures of an autoscaler come from: our own metrics API, or Prometheus and its adapter.
 */
#ifndef RECONCILE_SOURCE_H
#define RECONCILE_SOURCE_H

#include <stdbool.h>

#include "api/autoscaler.h"
#include "reconcile/world.h"

/* Whether its pods' pages are read by us when the HPA asks. Auto means so where the metrics API is ours, or nobody's and we
 * serve it. */
bool source_is_direct(const struct world *world, const struct autoscaler *spec);

#endif
