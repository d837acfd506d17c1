/* What is probed of the shared GPU chain. */
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "children/gpu.h"
#include "engine/gpu.h"
#include "reconcile/gpu.h"
#include "reconcile/prometheus.h"

/* The exporter whose scrape is probed: one that is believed about all pods, if there is any. Borrowed. */
static const json_t *main_exporter(const json_t *survey)
{
	const json_t *exporters = json_object_get(survey, "exporters");
	const char *id;
	json_t *exporter;

	json_object_foreach((json_t *)exporters, id, exporter) {
		if (json_object_get(exporter, "service") != NULL && json_object_get(exporter, "local") == NULL) {
			return exporter;
		}
	}
	return json_object_iter_value(json_object_iter((json_t *)exporters));
}

static char *copied(const json_t *document, const char *path)
{
	return xstrdup(json_path_string(document, path, NULL));
}

struct shared_request *gpu_request(const struct world *world, const json_t *survey)
{
	const char *prometheus =
		json_path_string(survey, "prometheus", json_path_string(survey, "rule.selectedBy", NULL));
	const json_t *first = main_exporter(survey);
	struct shared_request *request;

	if (survey == NULL) {
		return NULL;
	}
	request = shared_request_new();
	request->prometheus = prometheus_url(world, prometheus);
	request->interval_ms = clock_parse_duration(GPU_INTERVAL);
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		texts_add(&request->dcgm, gpu_dcgm_series[i]);
	}
	request->trusted = copied(survey, "trusted");
	request->targets = copied(survey, "targets");
	request->record = xstrdup(GPU_RECORD);
	request->rule = copied(survey, "rule.name");
	request->job = copied(first, "job");
	request->pool = copied(first, "pool");
	return request;
}
