/* Decoding the kinds of which little is read. */
#include "view/core.h"

#include "base/json.h"
#include "read.h"
#include "type.h"

static void decode_namespace(struct arena *arena, const json_t *object, struct view *view)
{
	(void)arena;
	(void)object;
	(void)view;
}

static void decode_apiservice(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_apiservice *api = (struct view_apiservice *)view;
	const json_t *spec = json_object_get(object, "spec");
	const json_t *service = json_object_get(spec, "service");

	api->service_namespace = read_text(arena, service, "namespace", "");
	api->service_name = read_text(arena, service, "name", "");
	api->service_port = read_int(service, "port", -1);
	api->ca_bundle = read_text(arena, spec, "caBundle", NULL);
	api->insecure = read_bool(spec, "insecureSkipTLSVerify");
	api->conditions = read_conditions(arena, json_object_get(object, "status"));
}

static void read_managers(struct arena *arena, const json_t *list, struct view_configmap *configmap)
{
	uint32_t count = read_count(list, UINT32_MAX);
	struct view_manager *managers = arena_items(arena, count, sizeof(*managers));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *entry = json_array_get(list, i);

		managers[i] = (struct view_manager){.name = read_text(arena, entry, "manager", ""),
			.time = read_text(arena, entry, "time", "")};
	}
	configmap->managers = managers;
	configmap->managers_count = count;
}

static void decode_configmap(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_configmap *configmap = (struct view_configmap *)view;

	configmap->immutable = read_bool(object, "immutable");
	configmap->data = read_pairs(arena, json_object_get(object, "data"), NULL);
	read_managers(arena, json_object_get(json_object_get(object, "metadata"), "managedFields"), configmap);
}

static void decode_scaledobject(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_scaledobject *scaled = (struct view_scaledobject *)view;
	const json_t *target = json_object_get(json_object_get(object, "spec"), "scaleTargetRef");

	scaled->target_kind = read_text(arena, target, "kind", NULL);
	scaled->target_name = read_text(arena, target, "name", "");
}

const struct view_type view_namespace_type = {.bytes = sizeof(struct view_namespace), .decode = decode_namespace};
const struct view_type view_apiservice_type = {.bytes = sizeof(struct view_apiservice), .decode = decode_apiservice};
const struct view_type view_configmap_type = {.bytes = sizeof(struct view_configmap), .decode = decode_configmap};
const struct view_type view_scaledobject_type = {.bytes = sizeof(struct view_scaledobject),
	.decode = decode_scaledobject};
