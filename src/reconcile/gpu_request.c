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

json_t *gpu_request(const struct world *world, const json_t *survey)
{
	const char *prometheus =
		json_path_string(survey, "prometheus", json_path_string(survey, "rule.selectedBy", NULL));
	auto_free char *url = prometheus_url(world, prometheus);
	const json_t *first = main_exporter(survey);
	json_t *series = json_array();

	if (survey == NULL) {
		json_decref(series);
		return NULL;
	}
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		json_array_append_new(series, json_string(gpu_dcgm_series[i]));
	}
	return json_pack("{s:s*, s:I, s:o, s:s*, s:s*, s:s, s:s*, s:s*, s:s*}", "prometheus", url, "intervalMs",
		(json_int_t)clock_parse_duration(GPU_INTERVAL), "dcgm", series, "trusted",
		json_path_string(survey, "trusted", NULL), "targets", json_path_string(survey, "targets", NULL),
		"record", GPU_RECORD, "rule", json_path_string(survey, "rule.name", NULL), "job",
		json_path_string(first, "job", NULL), "pool", json_path_string(first, "pool", NULL));
}
