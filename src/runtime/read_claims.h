/*
 * What all replicas together say of the reads that they were asked for. Private to src/runtime.
 */
#ifndef RUNTIME_READ_CLAIMS_H
#define RUNTIME_READ_CLAIMS_H

#include <stdbool.h>
#include <stdint.h>

#include "view/meta.h"

struct read_claims {
	int64_t reads;     /* at most so many; -1 = not all say */
	int64_t oldest_ms; /* of what is said by others, the moment up to which the first is; INT64_MAX = there are none */
	int64_t newest_ms; /* the last; INT64_MIN = there are none */
	char *who;         /* heap, the caller's: who says so, the same text for the same replicas */
};

/* Whether this entry is one of a replica that may be asked. */
typedef bool read_claims_live_fn(void *ctx, const struct view_pair *entry);

/* Of the entries by identity; of the own one, `own` is what counts, since `reads` of it are known (-1 = not yet). */
struct read_claims read_claims_add_up(const struct view_pairs *entries, const char *own, int64_t reads,
	read_claims_live_fn *live, void *ctx);
/* Whether those of others are no older than so many milliseconds, and none is of a time to come. */
bool read_claims_fresh(const struct read_claims *claims, int64_t age_ms, int64_t now_ms);

#endif
