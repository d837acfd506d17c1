/*
 * A target of a kind that is not watched, read through its scale subresource, as the HPA controller
 * does: the replicas, and the selector of its pods.
 */
#ifndef PROBE_SCALE_QUERY_H
#define PROBE_SCALE_QUERY_H

#include "evidence/evidence.h"
#include "api_read.h"

struct scale_query;

/* Asks for the target in the namespace; both are copied. `seen` is the receiver's then, but for the time when. From the
 * loop, once. */
struct scale_query *scale_query_start(struct api_reads *reads, const char *ns, const struct target_ref *target,
	void (*done)(void *ctx, struct target_seen *seen_take), void *ctx);
/* `done` comes all the same. */
void scale_query_cancel(struct scale_query *query);

#endif
