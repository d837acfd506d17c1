/*
 * The GPU chain that all autoscalers share: the DCGM exporters they ask for, who scrapes them, the
 * recording rule, and what of it is ours to make.
 */
#ifndef RECONCILE_GPU_H
#define RECONCILE_GPU_H

#include "api/autoscaler.h"
#include "evidence/survey.h"
#include "reconcile/plan.h"
#include "reconcile/world.h"
#include "view/autoscaler.h"

/* How often exporters are scraped, by our own ServiceMonitors. */
#define GPU_INTERVAL "15s"
/* So many exporters of type Custom are looked for that autoscalers of one namespace describe: a namespace has one or two,
 * and each may cost a ServiceMonitor beside the Prometheus. */
#define GPU_OWN_MAX 8

/* An exporter that is asked for, by the first autoscaler that does. Borrowed. */
struct gpu_need {
	const char *id; /* of gpu_exporter_id() */
	const struct view_autoscaler *autoscaler;
	bool scraped; /* it has to come to Prometheus, and its figures to be recorded there */
};

/* Names the exporter that a spec asks for; heap, caller owns. */
char *gpu_exporter_id(const struct autoscaler *spec);
/* What is remembered from one survey to the next. All zeros is nothing. */
struct gpu_memory {
	int64_t mended_ms; /* when the rule was mended last, wall; 0 = never */
	struct texts
		scraped; /* "ns/name" of the exporters' Services that were seen to have a scrape that no ServiceMonitor
	                       * shows */
};

/* Surveys for what is needed (may be nothing) and plans the writes: what is missing, what was edited, what nobody needs any
 * more. The caller frees it; NULL when nothing is needed. */
struct gpu_survey *gpu_survey_make(const struct world *world, const struct gpu_need *needs, size_t needs_count,
	struct gpu_memory *memory, struct plan *plan);
/* What to probe, from the survey; new reference, NULL when there is nothing. */
struct shared_request *gpu_request(const struct world *world, const struct gpu_survey *survey);

#endif
