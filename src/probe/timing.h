/*
 * When a key is probed next. Private to src/probe.
 */
#ifndef PROBE_TIMING_H
#define PROBE_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/probe.h"

/* How much of what was seen last may be left as it is by the probe that begins. */
enum timing_calm {
	TIMING_UNREST, /* nothing: something changed, or is broken */
	TIMING_WAITS,  /* what is not awaited: something young is */
	TIMING_CALM    /* all that nothing casts doubt on: all was well, and nothing has changed */
};

struct timing {
	enum probe_interval interval;
	bool changed; /* since the last probe began: the next one is due at once, and wants answers of its own time */
	bool anew;    /* the next one does */
	bool pods_changed; /* since the last probe began: the next one is due soon */
	bool healed;       /* while a probe was under way: the next one, the first healthy one, is due soon */
	int64_t begun_ms;  /* when that was, monotonic */
	int64_t delay_ms;
};

/* After a probe, or when something changed: in how many ms the next one begins. `last` is the evidence of the last one,
 * NULL = none; `seed` is of the jitter. */
uint64_t timing_next(struct timing *timing, const struct evidence *last, unsigned *seed);
/* Soon, and not all in one moment. */
uint64_t timing_soon(unsigned *seed);
/* In how many ms the next one may begin because of a pod: a rollout of many changes one after the other. */
uint64_t timing_after_pods(const struct timing *timing);
/* A probe begins now; whether it is a healthy one, which is content with answers that others got lately. */
bool timing_begin(struct timing *timing, enum timing_calm *calm);
/* So long, ± 20 %, for this key always the same: so that what lasts so long does not end for many in one moment. */
int64_t timing_of_key(int64_t ms, const char *ns, const char *name);
/* A part of that time, from none to less than all of it, of this key always the same. */
int64_t timing_part_of_key(int64_t ms, const char *ns, const char *name);

#endif
