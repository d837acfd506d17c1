/* Reading what prometheus-adapter's Deployment says. */
#include "base/clock.h"
#include "base/memory.h"
#include "reconcile/adapter.h"
#include "reconcile/adapter_find.h"
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

static void survey_deployment(const struct view_workload *deployment, struct adapter_survey *survey)
{
	const char *relist = flag_of(deployment, "--metrics-relist-interval");

	/* When its last rollout ended, by its own account. */
	if (deployment->progressed_ms > 0) {
		survey->since_ms = deployment->progressed_ms;
	}
	/* Without the flag the adapter takes 10 minutes (cmd/adapter/adapter.go). */
	if (clock_parse_duration(relist != NULL ? relist : "10m") > RELIST_USUAL_MS) {
		survey->relist = xstrdup(relist != NULL ? relist : "10m");
	}
	survey->replicas = deployment->replicas >= 0 ? deployment->replicas : 1;
}

struct adapter_survey *adapter_survey_make(const struct world *world)
{
	const struct adapter_found found = adapter_find(world);
	const struct view_workload *deployment = found.deployment;
	const char *url = flag_of(deployment, "--prometheus-url");
	struct adapter_survey *survey = adapter_survey_new();

	survey->ns = xstrdup(found.names.ns);
	survey->deployment = xstrdup(found.names.deployment);
	survey->configmap = xstrdup(found.names.configmap);
	survey->key = xstrdup(found.names.key);
	if (url != NULL) {
		survey->url = xstrdup(url);
		survey->prometheus = prometheus_behind(world, url, &survey->nowhere);
	}
	if (deployment != NULL) {
		survey_deployment(deployment, survey);
	}
	return survey;
}
