/*
 * When a key is probed next. Private to src/probe.
 */
#ifndef PROBE_TIMING_H
#define PROBE_TIMING_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/probe.h"

struct timing {
	enum probe_interval interval;
	bool changed;      /* since the last probe began: the next one is due at once */
	bool anew;         /* that next one wants answers of its own time */
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
bool timing_begin(struct timing *timing);

#endif
