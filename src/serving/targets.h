/*
 * Whose metric is asked for: the pods that a request means and that count, each with the autoscaler whose target it belongs
 * to. Private to src/serving.
 */
#ifndef SERVING_TARGETS_H
#define SERVING_TARGETS_H

#include <stdbool.h>

#include "base/attr.h"
#include "pods/pods.h"
#include "request.h"
#include "serving/metrics_api.h"

struct target_pod {
	const struct view_pod *pod;
	const struct view_autoscaler *autoscaler;
	bool ready; /* false = it was, and counts while it has load */
};

/* All zeros is empty. */
struct targets {
	struct pod_list pods; /* that holds their references */
	struct target_pod *items;
	size_t count;
	/* One that has the metric, whether or not its pods count: whose diagnosis is told. NULL = there is none. A reference. */
	const struct view *autoscaler;
	bool prometheus;  /* there is one, but Prometheus has its figures */
	size_t uncounted; /* pods of its that do not count */
};

/* `targets` is always to be released. -1 when the request cannot be understood, or what it needs is not known yet. */
int targets_find(const struct metrics_api_hooks *hooks, const struct pods *pods, const struct metrics_request *request,
	struct targets *targets, struct error *err);
void targets_release(struct targets *targets);
#define auto_targets ATTR_CLEANUP(targets_release) struct targets

#endif
