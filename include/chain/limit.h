/*
 * What bounds a signal of one pod, as far as the target's template and the pods' page tell.
 */
#ifndef CHAIN_LIMIT_H
#define CHAIN_LIMIT_H

#include "chain/facts.h"

/* All borrowed. */
struct limit {
	int64_t most;
	const struct view_container *container; /* whose command line or environment says so */
	const char *option;                     /* by this flag or variable */
	const char *series; /* on the page that says so, or what the engine calls it; both NULL = by its nature */
};

enum limit_found {
	LIMIT_NONE,
	LIMIT_FOUND, /* the least that is told */
	LIMIT_UNSEEN /* the page would have to be seen */
};

/* `page`: of the signal's engine; NULL when it was not read. */
enum limit_found limit_find(const struct facts *facts, const struct workload_signal *signal,
	const struct page_seen *page, struct limit *limit);

/* By how much the average must exceed the target before the HPA adds a replica, in thousandths. */
int64_t limit_tolerance_milli(const struct autoscaler *spec);
/* The largest target that the limit exceeds by more than the tolerance, in plain figures. */
int64_t limit_reachable_milli(int64_t limit, int64_t tolerance);

#endif
