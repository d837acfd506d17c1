/*
 * spec.fallback: more replicas than usual while the chain is broken, and no figure can ask for them.
 */
#ifndef RECONCILE_FALLBACK_H
#define RECONCILE_FALLBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "chain/facts.h"
#include "chain/links.h"

struct fallback {
	bool active;
	int64_t again_ms; /* in so many ms it may begin; 0 = not by time alone */
};

/* `first` is what links_check() returned. It begins when a link is proven broken for as long as the spec says, and ends when
 * every link works: what is not known in between changes nothing. While the replicas are held by spec.paused there is none. */
struct fallback fallback_find(const struct facts *facts, const struct verdict *verdicts, size_t first);

#endif
