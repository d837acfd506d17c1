/*
 * Where a workload's pods may serve their metrics page: candidates of port and path, the likeliest
 * first, and the one that is taken.
 */
#ifndef RECONCILE_PAGES_H
#define RECONCILE_PAGES_H

#include <stddef.h>

#include "api/autoscaler.h"
#include "engine/presets.h"
#include "evidence/request.h"
#include "view/workload.h"

/*
 * At most 24; the caller owns them. What the spec names is the only one; else the ports that containers are told by
 * an option or a variable, those that they list (the engine's usual one first, then the one named http), each with the
 * engine's paths, and where a container lists none the engine's usual places; with no engine known, every engine's.
 * Empty when spec.engine.port names a port that no
 * container has.
 */
struct page_places pages_candidates(const struct autoscaler *spec, const struct view_workload *target,
	const struct engine *engine);

/* The candidate that is one of `seen`, where the page was found, in their order; else the first one. Borrowed, NULL when
 * there is none. */
const struct page_place *pages_choose(const struct page_places *candidates, const struct page_place *seen,
	size_t count);

#endif
