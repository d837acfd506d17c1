/* When another server's APIServices are taken over, and how. */
#include "reconcile/takeover.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "registered.h"

/* The certificates of replicas that start together come within it: one that is not in the bundle is asked in vain. */
#define SETTLE_MS 5000
#define PRIORITY_BESIDE 50

/* Put back by somebody who left our note on it. */
static bool is_reverted(const struct world *world, const struct view_apiservice *api)
{
	return api != NULL && api->former.noted && !registered_leads_to_us(world, api);
}

bool takeover_wanted(const struct world *world)
{
	const struct settings *settings = world->settings;

	if (!settings_serve(settings) || !settings->metrics_take_over || world->forward_failure != NULL ||
		world->shared->takeover.reverted) {
		return false;
	}
	for (size_t i = 0; i < APISERVICES; i++) {
		if (is_reverted(world, registered(world, apiservices[i]))) {
			return false;
		}
	}
	return true;
}

void takeover_note(const struct world *world, struct takeover_memory *memory)
{
	for (size_t i = 0; i < APISERVICES; i++) {
		const struct view_apiservice *api = registered(world, apiservices[i]);
		bool ours = api != NULL && registered_leads_to_us(world, api);

		/* What is given back leads to another too: then it was not to be ours any more. */
		memory->reverted = memory->reverted || (memory->taken[i] && api != NULL && !ours && memory->wanted);
		memory->taken[i] = ours && api->former.taken;
	}
	memory->wanted = takeover_wanted(world) && !memory->reverted;
	memory->noted = true;
}

int64_t takeover_wait_ms(const struct world *world)
{
	int64_t stands_ms = world->now_ms - world->ca_bundle_since_ms;

	return stands_ms >= 0 && stands_ms < SETTLE_MS ? SETTLE_MS - stands_ms : 0;
}

/* Of an APIService, with the resourceVersion that it is made from. Takes both. */
static json_t *patch_of(const struct view_apiservice *api, json_t *annotations, json_t *spec)
{
	const struct object_meta *meta = &api->view.meta;

	return json_pack("{s:s, s:s, s:{s:s, s:s, s:o}, s:o*}", "apiVersion", "apiregistration.k8s.io/v1", "kind",
		"APIService", "metadata", "name", meta->name, "resourceVersion", meta->resource_version, "annotations",
		annotations, "spec", spec);
}

json_t *takeover_patch(const struct world *world, const struct view_apiservice *api, const char *ca_bundle)
{
	const struct metrics_service *ours = &world->settings->metrics_service;
	auto_free char *service = kube_key(ours->ns, ours->name);

	return patch_of(api,
		json_pack("{s:s, s:s}", ANNOTATION_METRICS_SERVICE, service, ANNOTATION_FORMER, api->as_it_stands),
		json_pack("{s:{s:s, s:s, s:i}, s:s, s:n}", "service", "namespace", ours->ns, "name", ours->name, "port",
			ours->port, "caBundle", ca_bundle, "insecureSkipTLSVerify"));
}

json_t *takeover_undo(const struct view_apiservice *api)
{
	const struct view_former *former = &api->former;
	json_t *spec = NULL;

	if (former->taken) {
		spec = json_pack("{s:{s:s, s:s, s:I}, s:o, s:o}", "service", "namespace", former->service_namespace,
			"name", former->service_name, "port", (json_int_t)former->service_port, "caBundle",
			former->ca_bundle != NULL ? json_string(former->ca_bundle) : json_null(),
			"insecureSkipTLSVerify", former->insecure ? json_true() : json_null());
	}
	return patch_of(api, json_pack("{s:n, s:n}", ANNOTATION_METRICS_SERVICE, ANNOTATION_FORMER), spec);
}

int takeover_priority_beside(const struct view_apiservice *api)
{
	return api->version_priority > PRIORITY_BESIDE ? PRIORITY_BESIDE
	       : api->version_priority > 1             ? (int)api->version_priority - 1
	                                               : 1;
}

char *takeover_resting(const struct world *world, const struct view_apiservice *api)
{
	const char *name = api->view.meta.name;

	if (!world->settings->metrics_take_over) {
		return NULL;
	}
	if (world->forward_failure != NULL) {
		return xasprintf(
			"APIService '%s' was given back to Service '%s/%s', since what others asked could not be passed on "
			"to it (%s): mend that, then restart the operator, which takes it over again within an hour by itself",
			name, api->service_namespace, api->service_name, world->forward_failure);
	}
	if (is_reverted(world, api)) {
		return xasprintf(
			"the operator had taken over APIService '%s', and somebody gave it back to Service '%s/%s': have the "
			"tool that delivers it leave spec.service, spec.caBundle and spec.insecureSkipTLSVerify alone, then "
			"remove its annotation " ANNOTATION_FORMER,
			name, api->service_namespace, api->service_name);
	}
	if (world->shared->takeover.reverted) {
		return xasprintf(
			"the operator had taken over APIService '%s', and somebody gave it back to Service '%s/%s': have the "
			"tool that delivers it leave spec.service, spec.caBundle and spec.insecureSkipTLSVerify alone, then "
			"restart the operator",
			name, api->service_namespace, api->service_name);
	}
	return NULL;
}
