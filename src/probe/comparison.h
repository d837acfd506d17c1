/*
 * Whether two hops of the chain report the same of a pod, although both move and are never probed in
 * the same moment.
 *
 * Values that come from the same load are drawn from the same heap, whoever draws: sooner or later
 * one side says what the other side said too, or lies between two of its values. As long as all values of the
 * one side lie on the same side of all values of the other, the two mismatch. By chance that happens to n
 * and m draws of a load however wild in 2 of (n + m over n) cases; a load that moves slowly is met by
 * the very next scrape. So how long they mismatch is all that has to be remembered, and the memory
 * is evidence: struct mismatch. `near` are the probes within half a second of a scrape: what the load does in time with
 * the scrapes shows there.
 */
#ifndef PROBE_COMPARISON_H
#define PROBE_COMPARISON_H

#include <stdbool.h>
#include <stdint.h>

#include "evidence/evidence.h"
#include "evidence/range.h"

/* One probe: thousandths, and when they were. */
struct comparison {
	int64_t value; /* at the pod's page, in the metrics API, or in the HPA's status */
	int64_t look_at_ms;
	struct range sample;  /* in Prometheus; beside the HPA's, what the metrics API serves for all pods */
	int64_t sample_time;  /* by Prometheus' clock, exactly */
	int64_t sample_at_ms; /* by ours, about */
	int64_t interval_ms;  /* of the scrapes */
};

/* `memory` is what was remembered before this probe, and becomes what is remembered after it; without `looks` the two
 * match. */
void comparison_step(struct mismatch *memory, const struct comparison *now);

/* Whether the two mismatch for longer than it happens now and then. */
bool comparison_is_mismatch(const struct mismatch *memory);

/* How soon to probe again two that mismatch: just before or just after the next scrape, and halfway
 * between two, by turns. 0 when there is no hurry: a few samples may well mismatch. */
int64_t comparison_again_ms(const struct mismatch *memory, int64_t interval_ms, int64_t now_ms);

#endif
