/*
 * How long the target's pods took from their creation until they were ready, as the user waits for it:
 * for a node, for the image, for the model.
 */
#ifndef PROBE_POD_START_H
#define PROBE_POD_START_H

#include <jansson.h>

/*
 * {pod, seconds} of the one that took least, among the ready ones ({name: since when, in ms of the
 * wall}) of a PodList; new reference, NULL when none tells. A pod says only since when it has been
 * ready for the last time, so that one which was restarted tells nothing, nor does one that seems to have taken
 * longer than an hour; what was read of a pod before (`last`, may be NULL) stays true of it.
 */
json_t *pod_start_quickest(const json_t *list, const json_t *ready, const json_t *last);

#endif
