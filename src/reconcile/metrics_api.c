/* Checking who serves the custom metrics API. */
#include "reconcile/metrics_api.h"

#include <string.h>

#include "base/memory.h"
#include "reconcile/adapter_find.h"
#include "registered.h"
#include "vacancy.h"
#include "view/core.h"
#include "view/service.h"
#include "view/workload.h"

static void say(struct shared_state *state, const char *reason, char *message)
{
	state->api_reason = reason;
	state->api_message = message;
}

/* Whether the Service leads elsewhere than to the adapter's pods. One without a selector may lead anywhere. */
static bool leads_elsewhere(const struct adapter_found *found, const struct view_service *service)
{
	if (service->selector.count == 0 || found->deployment == NULL) {
		return false;
	}
	return strcmp(service->view.meta.ns, found->names.ns) != 0 ||
	       !view_pairs_cover(&found->deployment->template_labels, &service->selector);
}

void metrics_api_check(const struct world *world, struct shared_state *state)
{
	const struct adapter_found found = adapter_find(world);
	const struct adapter_names *names = &found.names;
	const char *api_name = APISERVICE_V1BETA1;
	const struct view_apiservice *api = view_apiservice(world_view(world, KIND_APISERVICE, NULL, api_name));
	const char *ns = api != NULL ? view_apiservice_owner_namespace(api) : "";
	const char *name = api != NULL ? view_apiservice_owner_name(api) : "";
	const struct view_service *service = view_service(world_view(world, KIND_SERVICE, ns, name));
	const struct view_condition *available = api != NULL ? view_condition(&api->conditions, "Available") : NULL;

	free_indirect(&state->api_message);
	state->api_reason = NULL;
	state->api_away = false;
	state->api_since_ms = available != NULL ? view_condition_since_ms(available) : -1;
	/* Without the right to read it the metric itself tells. */
	if (world->missing(world->ctx, KIND_APISERVICE) || world->refused(world->ctx, KIND_APISERVICE)) {
		return;
	}
	if (api != NULL && service == NULL && !settings_reads(world->settings, ns)) {
		return;
	}
	if (api == NULL && vacancy_wait_ms(world) > 0) {
		say(state, "APIServiceMissing", vacancy_text(world));
	} else if (api == NULL) {
		say(state, "APIServiceMissing",
			xasprintf("APIService '%s' does not exist, so nobody serves metrics to an HPA: install "
				  "prometheus-adapter with it%s",
				api_name,
				settings_serve(world->settings)
					? ", or set spec.source to Direct, so that the operator serves them"
					: ""));
	} else if (settings_serve(world->settings) && registered_leads_to_us(world, api) &&
		   api->former.service_name == NULL) {
		say(state, "OtherServer",
			xasprintf(
				"APIService '%s' is the operator's own, and it serves none of what comes over Prometheus: set "
				"spec.source to Auto or Direct, or give the metrics API to prometheus-adapter: set the chart's "
				"metricsServer.enabled to false, then install the adapter with its APIService",
				api_name));
	} else if (service == NULL) {
		say(state, "APIServiceUnavailable",
			xasprintf(
				"APIService '%s' leads to Service '%s/%s', which does not exist: set its spec.service to the "
				"Service of Deployment '%s/%s'",
				api_name, ns, name, names->ns, names->deployment));
	} else if (leads_elsewhere(&found, service)) {
		say(state, "OtherServer",
			xasprintf(
				"APIService '%s' belongs to another server, behind Service '%s/%s': only one can have it; set "
				"its spec.service to the Service of Deployment '%s/%s', or remove the other server",
				api_name, ns, name, names->ns, names->deployment));
	} else if (available != NULL && strcmp(available->status, "False") == 0) {
		say(state, "APIServiceUnavailable",
			xasprintf("APIService '%s' is not available (%s): see Service '%s/%s' and the pods behind it",
				api_name, available->reason != NULL ? available->reason : "no reason given", ns, name));
		state->api_away = true;
	}
}
