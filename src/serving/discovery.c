/* What is listed. */
#include "discovery.h"

#include "base/json.h"
#include "base/memory.h"
#include "engine/custom.h"
#include "engine/gpu.h"
#include "engine/presets.h"
#include "request.h"

static void add_resource(json_t *list, const char *resource, const char *metric)
{
	auto_free char *name = xasprintf("%s/%s", resource, metric);

	json_array_append_new(list, json_pack("{s:s, s:s, s:b, s:s, s:[s]}", "name", name, "singularName", "",
					    "namespaced", 1, "kind", "MetricValueList", "verbs", "get"));
}

static void add_metric(json_t *list, const char *metric)
{
	add_resource(list, "pods", metric);
	add_resource(list, "inferenceautoscalers.inference-autoscaler.io", metric);
}

char *discovery_list(const char *version)
{
	auto_free char *group_version = xasprintf(SERVING_GROUP "/%s", version);
	json_t *list = json_array();
	auto_json *document = json_pack("{s:s, s:s, s:s, s:o}", "kind", "APIResourceList", "apiVersion", "v1",
		"groupVersion", group_version, "resources", list);

	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			/* Two engines may have a metric in common. */
			if (engine_signal_by_metric(engines[e].signals[i].metric) == &engines[e].signals[i]) {
				add_metric(list, engines[e].signals[i].metric);
			}
		}
	}
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX; i++) {
		add_metric(list, custom_rules.signals[i].metric);
	}
	add_metric(list, gpu_utilization.metric);
	return json_text(document);
}

char *discovery_openapi_v2(void)
{
	return xstrdup("{\"info\":{\"title\":\"inference-autoscaler\",\"version\":\"" INFERENCE_AUTOSCALER_VERSION
		       "\"},\"paths\":{},\"swagger\":\"2.0\"}");
}

char *discovery_openapi_v3(void)
{
	return xstrdup("{\"paths\":{}}");
}
