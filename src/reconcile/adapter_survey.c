/* Reading what prometheus-adapter's Deployment says. */
#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "reconcile/adapter.h"
#include "reconcile/prometheus.h"
#include "view/workload.h"

#define RELIST_USUAL_MS 60000

static const char *flag_of(const struct view_workload *deployment, const char *flag)
{
	for (uint32_t i = 0; deployment != NULL && i < deployment->containers_count; i++) {
		const char *value = view_container_flag(&deployment->containers[i], flag);

		if (value != NULL) {
			return value;
		}
	}
	return NULL;
}

static void survey_url(const struct world *world, const char *url, json_t *survey)
{
	bool nowhere = false;
	auto_free char *found = prometheus_behind(world, url, &nowhere);

	json_object_set_new(survey, "url", json_string(url));
	if (nowhere) {
		json_object_set_new(survey, "nowhere", json_true());
	}
	if (found != NULL) {
		json_object_set_new(survey, "prometheus", json_string(found));
	}
}

static void survey_deployment(const struct view_workload *deployment, json_t *survey)
{
	const char *relist = flag_of(deployment, "--metrics-relist-interval");

	/* When its last rollout ended, by its own account. */
	if (deployment->progressed_ms > 0) {
		json_object_set_new(survey, "since", json_integer(deployment->progressed_ms));
	}
	/* Without the flag the adapter takes 10 minutes (cmd/adapter/adapter.go). */
	if (clock_parse_duration(relist != NULL ? relist : "10m") > RELIST_USUAL_MS) {
		json_object_set_new(survey, "relist", json_string(relist != NULL ? relist : "10m"));
	}
	json_object_set_new(survey, "replicas", json_integer(deployment->replicas >= 0 ? deployment->replicas : 1));
}

json_t *adapter_survey(const struct world *world)
{
	const struct settings *s = world->settings;
	const struct view_workload *deployment =
		view_workload(world_view(world, KIND_ADAPTER_DEPLOYMENT, s->adapter_namespace, s->adapter_deployment));
	const char *url = flag_of(deployment, "--prometheus-url");
	json_t *survey = json_object();

	if (url != NULL) {
		survey_url(world, url, survey);
	}
	if (deployment != NULL) {
		survey_deployment(deployment, survey);
	}
	return survey;
}
