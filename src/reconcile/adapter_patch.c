/* The patch of a ConfigMap that the adapter reads, or read before. */
#include "adapter_patch.h"

#include "api/kinds.h"

json_t *adapter_configmap_patch(const struct view_configmap *configmap, const char *revision, json_t *data)
{
	const struct object_meta *meta = &configmap->view.meta;

	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:{s:s?}}, s:O}", "apiVersion", "v1", "kind", "ConfigMap",
		"metadata", "name", meta->name, "namespace", meta->ns, "resourceVersion", meta->resource_version,
		"annotations", ANNOTATION_ADAPTER_RULES, revision, "data", data);
}
