/*
 * How long the HPA's controller takes from one reading of a metric to the next: what is believed of it, from what is seen
 * of it minute by minute.
 *
 * What is seen may be false for some minutes, as when many HPAs were just made, or the controller has just started again,
 * so that something longer is believed after ten minutes only, and then the least of them. That it is shorter takes twenty:
 * reads that wander from one replica to another are believed to be twice as many for fifteen. Private to src/runtime.
 */
#ifndef RUNTIME_HPA_PERIOD_H
#define RUNTIME_HPA_PERIOD_H

#include <stdbool.h>
#include <stdint.h>

#define HPA_PERIOD_LONGER_ROUNDS 10
#define HPA_PERIOD_SHORTER_ROUNDS 20

/* All zeros is nothing known. */
struct hpa_period {
	int64_t believed_s; /* 0 = nothing yet; else one of the steps, which is no more than what was seen */
	int64_t seen_s;     /* the nearest to what is believed, of the rounds that speak against it; 0 = none does */
	unsigned rounds;    /* that have, one after the other */
	char *who; /* which replicas were asked in the round before, as a text; owned. NULL = it was the first */
};

void hpa_period_release(struct hpa_period *period);

/* The mean of `pairs` that are read so often within five rounds, in seconds; 0 = it is not known. */
int64_t hpa_period_mean_s(int64_t pairs, int64_t reads, int64_t round_ms);
/* One more round, in which the mean was at least this, in seconds; 0 = it was not seen, and what was before counts no
 * more. So it is when others were asked than in the round before: the reads of one that is gone are others' from then on,
 * who have not counted them yet. `who` is taken. True when something else is believed now. */
bool hpa_period_round(struct hpa_period *period, char *who_take, int64_t mean_s);

#endif
