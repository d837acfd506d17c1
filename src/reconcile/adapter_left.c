/* Taking our block out of a ConfigMap that the adapter read before. */
#include "adapter_left.h"

#include <string.h>

#include "adapter/adapter_config.h"
#include "adapter/adapter_rules.h"
#include "adapter_patch.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "reconcile/reconcile.h"
#include "view/core.h"
#include "view/workload.h"

/* By any Deployment of its namespace: another adapter, or one that is rolled back to. */
static bool is_mounted(const struct world *world, const struct object_meta *configmap)
{
	auto_view_list all = world_views(world, KIND_DEPLOYMENT, configmap->ns);

	for (size_t i = 0; i < all.count; i++) {
		const struct view_config *config = view_workload(all.items[i])->config;

		if (config != NULL && text_equal(config->configmap, configmap->name)) {
			return true;
		}
	}
	return false;
}

/* The text without our block; heap, NULL when there is none, or it is not as we wrote it. */
static char *text_without(const char *text)
{
	size_t count;
	auto_free struct adapter_rule *rules = adapter_rules_all(&count);
	auto_json *left_out = json_object();
	auto_error err = ERROR_INIT;
	auto_free char *written = adapter_config_splice(text, rules, count, left_out, &err);
	auto_free char *without = NULL;

	if (written == NULL || strcmp(written, text) != 0) {
		return NULL;
	}
	without = adapter_config_splice(text, NULL, 0, NULL, &err);
	return without != NULL && strcmp(without, text) != 0 ? xstrdup(without) : NULL;
}

/* New reference; NULL when nothing is to be taken out. */
static json_t *make_patch(const struct view_configmap *configmap)
{
	auto_json *data = json_object();

	for (uint32_t i = 0; i < configmap->data.count; i++) {
		const struct view_pair *pair = &configmap->data.items[i];
		auto_free char *without = text_without(pair->value);

		if (without != NULL) {
			json_object_set_new(data, pair->key, json_string(without));
		}
	}
	return json_object_size(data) > 0 ? adapter_configmap_patch(configmap, NULL, data) : NULL;
}

void adapter_left_clear(const struct world *world, const struct adapter_names *names, struct plan *plan)
{
	auto_view_list all = world_views(world, KIND_CONFIGMAP, names->ns);

	for (size_t i = 0; i < all.count; i++) {
		const struct view_configmap *configmap = view_configmap(all.items[i]);
		const struct object_meta *meta = &configmap->view.meta;
		json_t *patch = NULL;

		if (strcmp(meta->name, names->configmap) != 0 && !configmap->immutable &&
			meta_annotation(meta, ANNOTATION_ADAPTER_RULES) != NULL && !is_mounted(world, meta)) {
			patch = make_patch(configmap);
		}
		if (patch != NULL) {
			plan_add_take(plan, PLAN_PATCH, KIND_CONFIGMAP, patch);
		}
	}
}
