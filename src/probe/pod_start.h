/*
 * How long the target's pods took from their creation until they were ready, as the user waits for it:
 * for a node, for the image, for the model.
 */
#ifndef PROBE_POD_START_H
#define PROBE_POD_START_H

#include "evidence/evidence.h"
#include "pods/pods.h"
#include "counted_pods.h"

/*
 * The one that took least among the pods that count and are ready. A pod says only since when it has been ready for the
 * last time, so that one which was restarted tells nothing, nor does one that seems to have taken longer than an hour;
 * what was read of a pod before (`last`, NULL is allowed) stays true of it. `start` is empty, and stays so when none
 * tells.
 */
void pod_start_quickest(const struct pod_list *list, const struct counted_pods *counted, const struct pod_start *last,
	struct pod_start *start);

#endif
