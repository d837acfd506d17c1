/*
 * Where a workload's pods may serve their metrics page: candidates of port and path, the likeliest
 * first, and the one that is taken.
 */
#ifndef RECONCILE_PAGES_H
#define RECONCILE_PAGES_H

#include <jansson.h>
#include <stdint.h>

#include "api/autoscaler.h"
#include "engine/presets.h"

/*
 * [{port, path}, …], at most 12; new reference. What the spec names is the only one; else the ports
 * that containers list (the engine's usual one first, then the one named http) and the engine's
 * paths; with no engine known, every engine's. Empty when spec.engine.port names a port that no
 * container has.
 */
json_t *pages_candidates(const struct autoscaler *spec, const json_t *target, const struct engine *engine);

/* The candidate where the page was found, told by any of `documents` in their order ({port, path},
 * NULLs allowed), else the first one; borrowed, NULL when there is none. */
const json_t *pages_choose(const json_t *candidates, const json_t *const *documents, size_t count);

#endif
