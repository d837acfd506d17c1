/*
 * The GPU chain that all autoscalers share: the DCGM exporters they ask for, who scrapes them, the
 * recording rule, and what of it is ours to make.
 *
 * The survey is one document, kept in the shared state:
 *   exporters   by gpu_exporter_id(): {problem?, service: "ns/name", job, ready: pods, -1 = not known,
 *               others: what could be meant as well, local: its namespace when it is believed about that alone,
 *               monitor: who scrapes, since: when that was made, pool: its scrape pool when it is ours,
 *               selectedBy: "ns/name" | selectProblem}
 *   rule        {problem?, name: "ns/name", selectedBy, since: when it was made, or mended last}
 *   prometheus  "ns/name" of the one that scrapes; absent when none does
 *   namespaces  of the exporters that are believed about all pods
 *   trusted     the PromQL of the targets that are believed about all pods (engine/gpu.h)
 *   targets     the same of all exporters
 * A time is in ms of the wall; 0 = it is to be made, -1 = that failed.
 */
#ifndef RECONCILE_GPU_H
#define RECONCILE_GPU_H

#include <jansson.h>

#include "api/autoscaler.h"
#include "reconcile/plan.h"
#include "reconcile/world.h"
#include "view/autoscaler.h"

/* How often exporters are scraped, by our own ServiceMonitors. */
#define GPU_INTERVAL "15s"

/* An exporter that is asked for, by the first autoscaler that does. Borrowed. */
struct gpu_need {
	const char *id; /* of gpu_exporter_id() */
	const struct view_autoscaler *autoscaler;
};

/* Names the exporter that a spec asks for; heap, caller owns. */
char *gpu_exporter_id(const struct autoscaler *spec);
/*
 * Surveys for what is needed (may be nothing) and plans the
 * writes: what is missing, what was edited, what nobody needs any more. `mended_ms` is when
 * the rule was mended last, 0 = never; kept up to date. New reference to the document; NULL when nothing is needed.
 */
json_t *gpu_survey(const struct world *world, const struct gpu_need *needs, size_t needs_count, int64_t *mended_ms,
	struct plan *plan);
/* What to probe, from the survey; new reference, NULL when there is nothing. */
struct shared_request *gpu_request(const struct world *world, const json_t *survey);

#endif
