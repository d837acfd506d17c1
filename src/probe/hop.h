/*
 * The pods whose values mismatch at a hop: what the probe before remembers of each, and where it goes on.
 *
 * Private to src/probe.
 */
#ifndef PROBE_HOP_H
#define PROBE_HOP_H

#include <stddef.h>

#include "evidence/evidence.h"

/* Both sorted by pod. */
struct hop {
	const struct pod_mismatch *before;
	size_t count;
	void *now; /* a list of struct pod_mismatch */
};

/* Of struct mismatches and their member; `before` may be NULL. */
#define HOP(before, now, member)                                                                                       \
	(struct hop)                                                                                                   \
	{                                                                                                              \
		(before) != NULL ? (before)->member.items : NULL, (before) != NULL ? (before)->member.count : 0,       \
			&(now)->member                                                                                 \
	}

/* Without `looks` when nothing is remembered. */
struct mismatch hop_remembers(const struct hop *hop, const char *pod);
/* The pods come in order. */
void hop_add(const struct hop *hop, const char *pod, const struct mismatch *mismatch);
/* Of samples sorted by pod; NULL when it has none. */
const struct sample *hop_sample(const struct series_seen *series, const char *pod);

#endif
