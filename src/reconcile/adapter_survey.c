/* Reading what prometheus-adapter's Deployment says. */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/words.h"
#include "reconcile/adapter.h"
#include "reconcile/prometheus.h"

#define RELIST_USUAL_MS 60000

static const char *flag_of(const json_t *deployment, const char *flag)
{
	size_t i;
	json_t *container;

	json_array_foreach(json_path(deployment, "spec.template.spec.containers"), i, container) {
		const char *value = words_flag(json_object_get(container, "args"), flag);

		value = value != NULL ? value : words_flag(json_object_get(container, "command"), flag);
		if (value != NULL) {
			return value;
		}
	}
	return NULL;
}

static void survey_url(const struct world *world, const char *url, json_t *survey)
{
	auto_json *all = world->list(world->ctx, KIND_PROMETHEUS, NULL);
	bool nowhere = false;
	auto_free char *found = prometheus_behind(world, all, url, &nowhere);

	json_object_set_new(survey, "url", json_string(url));
	if (nowhere) {
		json_object_set_new(survey, "nowhere", json_true());
	}
	if (found != NULL) {
		json_object_set_new(survey, "prometheus", json_string(found));
	}
}

/* When its last rollout ended, by the Deployment's own account; -1 when it does not tell. */
static int64_t rolled_out_ms(const json_t *deployment)
{
	const json_t *progressing = kube_object_condition(deployment, "Progressing");

	return clock_parse_rfc3339(json_path_string(progressing, "lastUpdateTime", ""));
}

json_t *adapter_survey(const struct world *world)
{
	const struct settings *s = world->settings;
	auto_json *deployment =
		world->get(world->ctx, KIND_ADAPTER_DEPLOYMENT, s->adapter_namespace, s->adapter_deployment);
	const char *url = flag_of(deployment, "--prometheus-url");
	const char *relist = flag_of(deployment, "--metrics-relist-interval");
	json_t *survey = json_object();

	if (url != NULL) {
		survey_url(world, url, survey);
	}
	if (rolled_out_ms(deployment) > 0) {
		json_object_set_new(survey, "since", json_integer(rolled_out_ms(deployment)));
	}
	/* Without the flag the adapter takes 10 minutes (cmd/adapter/adapter.go). */
	if (deployment != NULL && clock_parse_duration(relist != NULL ? relist : "10m") > RELIST_USUAL_MS) {
		json_object_set_new(survey, "relist", json_string(relist != NULL ? relist : "10m"));
	}
	if (deployment != NULL) {
		json_object_set_new(survey, "replicas", json_integer(json_path_int(deployment, "spec.replicas", 1)));
	}
	return survey;
}
