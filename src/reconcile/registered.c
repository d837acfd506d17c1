/* Whose APIServices they are. */
#include "registered.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

const struct view_apiservice *registered(const struct world *world, const char *name)
{
	return view_apiservice(world_view(world, KIND_APISERVICE, NULL, name));
}

bool registered_any(const struct world *world)
{
	for (size_t i = 0; i < APISERVICES; i++) {
		if (registered(world, apiservices[i]) != NULL) {
			return true;
		}
	}
	return false;
}

bool registered_readable(const struct world *world)
{
	return !world->missing(world->ctx, KIND_APISERVICE) && !world->refused(world->ctx, KIND_APISERVICE);
}

bool registered_leads_to_us(const struct world *world, const struct view_apiservice *api)
{
	const struct metrics_service *ours = &world->settings->metrics_service;

	return settings_serve(world->settings) && view_apiservice_leads_to(api, ours->ns, ours->name);
}

bool registered_by_us(const struct view_apiservice *api)
{
	const struct object_meta *meta = &api->view.meta;
	auto_free char *service = kube_key(api->service_namespace, api->service_name);

	return (api->former.noted || text_equal(meta_label(meta, LABEL_MANAGED_BY), MANAGED_BY)) &&
	       text_equal(meta_annotation(meta, ANNOTATION_METRICS_SERVICE), service);
}

bool registered_leads_nowhere(const struct world *world, const struct view_apiservice *api)
{
	return settings_reads(world->settings, api->service_namespace) &&
	       world_view(world, KIND_SERVICE, api->service_namespace, api->service_name) == NULL;
}

bool registered_dead(const struct world *world, const struct view_apiservice *api)
{
	return !registered_leads_to_us(world, api) && registered_by_us(api) && registered_leads_nowhere(world, api);
}

const struct view_apiservice *registered_others(const struct world *world)
{
	for (size_t i = 0; i < APISERVICES; i++) {
		const struct view_apiservice *api = registered(world, apiservices[i]);

		if (api != NULL && !registered_leads_to_us(world, api)) {
			return api;
		}
	}
	return NULL;
}

const struct view_apiservice *registered_shared(const struct world *world)
{
	const struct view_apiservice *found = registered_others(world);

	for (size_t i = 0; i < APISERVICES && found == NULL; i++) {
		const struct view_apiservice *api = registered(world, apiservices[i]);

		found = api != NULL && api->former.service_name != NULL ? api : NULL;
	}
	return found;
}
