/* Checking who serves the custom metrics API. */
#include "reconcile/metrics_api.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static void say(struct shared_state *state, const char *reason, char *message)
{
	state->api_reason = reason;
	state->api_message = message;
}

/* Whether the Service leads elsewhere than to the adapter's pods. One without a selector may lead anywhere. */
static bool leads_elsewhere(const struct world *world, const json_t *service)
{
	const struct settings *s = world->settings;
	const json_t *selector = json_path(service, "spec.selector");
	auto_json *deployment =
		world->get(world->ctx, KIND_ADAPTER_DEPLOYMENT, s->adapter_namespace, s->adapter_deployment);

	if (json_object_size(selector) == 0 || deployment == NULL) {
		return false;
	}
	return strcmp(kube_object_namespace(service), s->adapter_namespace) != 0 ||
	       !json_covers(json_path(deployment, "spec.template.metadata.labels"), selector);
}

void metrics_api_check(const struct world *world, struct shared_state *state)
{
	const struct settings *s = world->settings;
	const char *api_name = kinds[KIND_APISERVICE].only;
	auto_json *api = world->get(world->ctx, KIND_APISERVICE, NULL, api_name);
	const char *ns = json_path_string(api, "spec.service.namespace", "");
	const char *name = json_path_string(api, "spec.service.name", "");
	auto_json *service = world->get(world->ctx, KIND_SERVICE, ns, name);
	const json_t *available = kube_object_condition(api, "Available");

	free_indirect(&state->api_message);
	state->api_reason = NULL;
	state->api_away = false;
	if (world->missing(world->ctx, KIND_APISERVICE)) {
		return;
	}
	if (api == NULL) {
		say(state, "APIServiceMissing",
			xasprintf("APIService '%s' does not exist, so nobody serves metrics to an HPA: install "
				  "prometheus-adapter with it",
				api_name));
	} else if (service == NULL) {
		say(state, "APIServiceUnavailable",
			xasprintf(
				"APIService '%s' leads to Service '%s/%s', which does not exist: set its spec.service to the "
				"Service of Deployment '%s/%s'",
				api_name, ns, name, s->adapter_namespace, s->adapter_deployment));
	} else if (leads_elsewhere(world, service)) {
		say(state, "OtherServer",
			xasprintf(
				"APIService '%s' belongs to another server, behind Service '%s/%s': only one can have it; set "
				"its spec.service to the Service of Deployment '%s/%s', or remove the other server",
				api_name, ns, name, s->adapter_namespace, s->adapter_deployment));
	} else if (strcmp(json_path_string(available, "status", "True"), "False") == 0) {
		say(state, "APIServiceUnavailable",
			xasprintf("APIService '%s' is not available (%s): see Service '%s/%s' and the pods behind it",
				api_name, json_path_string(available, "reason", "no reason given"), ns, name));
		state->api_away = true;
	}
}
