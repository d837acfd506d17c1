/* What is probed of the shared GPU chain. */
#include "base/clock.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "reconcile/gpu.h"
#include "reconcile/prometheus.h"

/* The exporter whose scrape is probed: one that is believed about all pods, if there is any. Borrowed, NULL when there is
 * none at all. */
static const struct exporter_survey *main_exporter(const struct gpu_survey *survey)
{
	for (size_t i = 0; i < survey->exporters.count; i++) {
		const struct exporter_survey *exporter = &survey->exporters.items[i];

		if (exporter->service != NULL && exporter->local == NULL) {
			return exporter;
		}
	}
	return survey->exporters.count > 0 ? &survey->exporters.items[0] : NULL;
}

struct shared_request *gpu_request(const struct world *world, const struct gpu_survey *survey)
{
	const struct exporter_survey *exporter;
	struct shared_request *request;

	if (survey == NULL || !survey->scraped) {
		return NULL;
	}
	exporter = main_exporter(survey);
	request = shared_request_new();
	request->prometheus =
		prometheus_url(world, survey->prometheus != NULL ? survey->prometheus : survey->rule.selected_by);
	request->interval_ms = clock_parse_duration(GPU_INTERVAL);
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		texts_add(&request->dcgm, gpu_dcgm_series[i]);
	}
	request->trusted = xstrdup(survey->trusted);
	request->targets = xstrdup(survey->targets);
	request->record = xstrdup(GPU_RECORD);
	request->rule = xstrdup(survey->rule.name);
	request->job = xstrdup(exporter != NULL ? exporter->job : NULL);
	request->pool = xstrdup(exporter != NULL ? exporter->pool : NULL);
	return request;
}
