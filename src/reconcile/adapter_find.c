/* Finding prometheus-adapter behind the registration of the metrics API. */
#include "reconcile/adapter_find.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "reconcile/reconcile.h"
#include "view/core.h"
#include "view/service.h"

static const struct adapter_names usual = {"monitoring", "prometheus-adapter", "prometheus-adapter", "config.yaml"};

/* The Service that the metrics API leads to, or led to before we took it over; NULL when there is none, or it does not tell its pods. */
static const struct view_service *service_of_api(const struct world *world)
{
	const struct view_apiservice *api =
		view_apiservice(world_view(world, KIND_APISERVICE, NULL, APISERVICE_V1BETA1));
	const struct view_service *service =
		api != NULL ? view_service(world_view(world, KIND_SERVICE, view_apiservice_owner_namespace(api),
				      view_apiservice_owner_name(api)))
			    : NULL;

	return service != NULL && service->selector.count > 0 ? service : NULL;
}

/* Of several, such as one that was left behind: the one whose rules can be told, then the one of the usual name. */
static int rank(const struct view_workload *deployment)
{
	return (deployment->config->configmap != NULL ? 2 : 0) +
	       (strcmp(deployment->view.meta.name, usual.deployment) == 0 ? 1 : 0);
}

/* Behind the metrics API, in the namespace that the settings name, if they do. */
static const struct view_workload *deployment_of_api(const struct world *world)
{
	const char *ns = world->settings->adapter.ns;
	const struct view_service *service = service_of_api(world);
	const struct view_workload *best = NULL;
	auto_view_list all = {.items = NULL};

	if (service == NULL || (ns != NULL && strcmp(ns, service->view.meta.ns) != 0)) {
		return NULL;
	}
	all = world_views(world, KIND_DEPLOYMENT, service->view.meta.ns);
	for (size_t i = 0; i < all.count; i++) {
		const struct view_workload *one = view_workload(all.items[i]);

		if (one->config != NULL && view_pairs_cover(&one->template_labels, &service->selector) &&
			(best == NULL || rank(one) > rank(best))) {
			best = one;
		}
	}
	return best;
}

static const struct view_workload *usual_deployment(const struct world *world)
{
	const struct adapter_names *told = &world->settings->adapter;

	return view_workload(world_view(world, KIND_DEPLOYMENT, told->ns != NULL ? told->ns : usual.ns,
		told->deployment != NULL ? told->deployment : usual.deployment));
}

/* The one that mounts a ConfigMap with our rules. A tenant's annotation makes no Deployment ours: of ConfigMaps only the
 * one that the adapter was seen to read is watched. */
static const struct view_workload *marked_deployment(const struct world *world)
{
	auto_view_list configmaps = world_views(world, KIND_CONFIGMAP, world->settings->adapter.ns);

	for (size_t i = 0; i < configmaps.count; i++) {
		const struct object_meta *meta = &configmaps.items[i]->meta;
		bool marked = meta_annotation(meta, ANNOTATION_ADAPTER_RULES) != NULL;
		auto_view_list all = {.items = NULL};

		if (marked) {
			all = world_views(world, KIND_DEPLOYMENT, meta->ns);
		}
		for (size_t k = 0; k < all.count; k++) {
			const struct view_workload *one = view_workload(all.items[k]);

			if (one->config != NULL && text_equal(one->config->configmap, meta->name)) {
				return one;
			}
		}
	}
	return NULL;
}

/* While the metrics API is not registered, or is another server's, the adapter stays the one that it was. */
static const struct view_workload *find_deployment(const struct world *world)
{
	const struct view_workload *found = deployment_of_api(world);

	if (found == NULL) {
		found = usual_deployment(world);
	}
	return found != NULL ? found : marked_deployment(world);
}

static const char *first_of(const char *one, const char *other, const char *third)
{
	return one != NULL ? one : other != NULL ? other : third;
}

struct adapter_found adapter_find(const struct world *world)
{
	const struct adapter_names *told = &world->settings->adapter;
	const struct view_workload *by = told->ns == NULL || told->deployment == NULL ? find_deployment(world) : NULL;
	const struct object_meta *meta = by != NULL ? &by->view.meta : NULL;
	struct adapter_found found = {.deployment = NULL};
	struct adapter_names *names = &found.names;
	const struct view_config *config;

	names->ns = first_of(told->ns, meta != NULL ? meta->ns : NULL, usual.ns);
	names->deployment = first_of(told->deployment, meta != NULL ? meta->name : NULL, usual.deployment);
	found.deployment = view_workload(world_view(world, KIND_DEPLOYMENT, names->ns, names->deployment));
	config = found.deployment != NULL ? found.deployment->config : NULL;
	names->configmap = first_of(told->configmap, config != NULL ? config->configmap : NULL, usual.configmap);
	/* The key is of the ConfigMap that is mounted, and says nothing of another. */
	if (config != NULL && !text_equal(names->configmap, config->configmap)) {
		config = NULL;
	}
	names->key = first_of(told->key, config != NULL ? config->key : NULL, usual.key);
	return found;
}

struct adapter_names adapter_names_known(const struct world *world)
{
	const struct adapter_survey *survey = world->shared->adapter;

	if (survey == NULL || survey->ns == NULL) {
		return adapter_find(world).names;
	}
	return (struct adapter_names){survey->ns, survey->deployment, survey->configmap, survey->key};
}

bool adapter_is_usual(const struct adapter_names *names)
{
	return strcmp(names->ns, usual.ns) == 0 && strcmp(names->deployment, usual.deployment) == 0;
}

char *adapter_reads_other(const struct adapter_found *found)
{
	const struct view_config *config = found->deployment != NULL ? found->deployment->config : NULL;
	const char *key = config != NULL && config->key != NULL ? config->key : found->names.key;
	bool same = config != NULL && text_equal(config->configmap, found->names.configmap) &&
	            strcmp(key, found->names.key) == 0;

	if (config == NULL || !config->certain || same) {
		return NULL;
	}
	return xasprintf("%s '%s/%s', key '%s'", config->secret != NULL ? "Secret" : "ConfigMap", found->names.ns,
		config->secret != NULL ? config->secret : config->configmap, key);
}
