/*
 * Whether a pod counts for its autoscaler, and where it is reached.
 *
 * A pod counts when it is ready, or was so with the containers that it runs now: an engine that is overloaded may fail its
 * readiness probe, and is needed the most then. Such a pod has a value only while it has load; one that still loads its
 * model has none.
 */
#ifndef PODS_POD_COUNTS_H
#define PODS_POD_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "view/pod.h"

enum pod_counts {
	POD_COUNTS_NOT,
	POD_COUNTS,          /* it is ready */
	POD_COUNTS_WITH_LOAD /* it was ready */
};

/* `since_ms` becomes since when it is ready, or is not any more, in ms of the wall; 0 = for ever. */
enum pod_counts pod_counts(const struct view_pod *pod, int64_t *since_ms);
/* Whether the target of this kind and name made the pod: a StatefulSet itself, a Deployment by a ReplicaSet that has its name
 * and the hash of its template. Of other kinds it is not known how they make their pods: then it is true. */
bool pod_made_by(const struct view_pod *pod, const char *kind, const char *name);
/* "http://10.0.0.1", "http://[fd00::1]"; heap, caller owns. */
char *pod_authority(const struct view_pod *pod, const char *scheme);

#endif
