/* What is probed of the shared GPU chain. */
#include "base/clock.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "reconcile/gpu.h"
#include "reconcile/prometheus.h"

/* How Prometheus knows the exporters that are believed about all pods, or else about their own namespace. */
static void name_scrapes(struct exporters_request *request, const struct gpu_survey *survey, bool own)
{
	for (size_t i = 0; i < survey->exporters.count && request->jobs.count < EXPORTERS_JOBS_MAX; i++) {
		const struct exporter_survey *exporter = &survey->exporters.items[i];

		if (exporter->service == NULL || (exporter->local != NULL) != own) {
			continue;
		}
		if (!texts_hold(&request->jobs, exporter->job)) {
			texts_add(&request->jobs, exporter->job);
		}
		if (request->pool == NULL) {
			request->pool = xstrdup(exporter->pool);
		}
	}
}

struct shared_request *gpu_request(const struct world *world, const struct gpu_survey *survey)
{
	struct shared_request *request;

	if (survey == NULL || !survey->scraped) {
		return NULL;
	}
	request = shared_request_new();
	request->prometheus =
		prometheus_url(world, survey->prometheus != NULL ? survey->prometheus : survey->rule.selected_by);
	request->interval_ms = clock_parse_duration(GPU_INTERVAL);
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		texts_add(&request->dcgm, gpu_dcgm_series[i]);
	}
	request->believed.targets = xstrdup(survey->trusted);
	name_scrapes(&request->believed, survey, false);
	request->own.targets = xstrdup(survey->own);
	name_scrapes(&request->own, survey, true);
	request->record = xstrdup(GPU_RECORD);
	request->rule = xstrdup(survey->rule.name);
	return request;
}
