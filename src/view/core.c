/* Decoding the kinds of which little is read. */
#include "view/core.h"

#include <string.h>

#include "api/kinds.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "kube/resource.h"
#include "read.h"
#include "type.h"

#define CUSTOM_METRICS "custom.metrics.k8s.io"

static void decode_namespace(struct arena *arena, const json_t *object, struct view *view)
{
	(void)arena;
	(void)object;
	(void)view;
}

/* What an APIService is to get back; ours is not a part of it. Heap. */
static char *text_as_it_stands(const json_t *object)
{
	const json_t *metadata = json_object_get(object, "metadata");
	auto_json *annotations = json_copy(json_object_get(metadata, "annotations"));
	auto_json *former = json_object();

	json_object_del(annotations, ANNOTATION_FORMER);
	json_object_del(annotations, ANNOTATION_METRICS_SERVICE);
	json_object_set(former, "labels", json_object_get(metadata, "labels"));
	if (json_object_size(annotations) > 0) {
		json_object_set(former, "annotations", annotations);
	}
	json_object_set(former, "spec", json_object_get(object, "spec"));
	return json_text(former);
}

/* Whether it leads where whoever took it over wanted it. */
static bool leads_as_noted(const json_t *object, const struct view_apiservice *api)
{
	const char *noted = kube_object_annotation(object, ANNOTATION_METRICS_SERVICE);
	auto_free char *service = kube_key(api->service_namespace, api->service_name);

	return text_equal(noted, service);
}

static void decode_former(struct arena *arena, const json_t *object, struct view_apiservice *api)
{
	const char *text = kube_object_annotation(object, ANNOTATION_FORMER);
	auto_json *former = text != NULL ? json_parse(text, strlen(text), NULL) : NULL;
	const json_t *spec = json_object_get(former, "spec");
	const json_t *service = json_object_get(spec, "service");

	api->former.noted = text != NULL;
	api->former.taken = text != NULL && leads_as_noted(object, api);
	api->former.service_namespace = read_text(arena, service, "namespace", NULL);
	api->former.service_name = read_text(arena, service, "name", NULL);
	api->former.service_port = read_int(service, "port", 443);
	api->former.ca_bundle = read_text(arena, spec, "caBundle", NULL);
	api->former.insecure = read_bool(spec, "insecureSkipTLSVerify");
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
	api->version_priority = read_int(spec, "versionPriority", -1);
	api->conditions = read_conditions(arena, json_object_get(object, "status"));
	if (strcmp(json_path_string(spec, "group", ""), CUSTOM_METRICS) == 0) {
		auto_free char *text = text_as_it_stands(object);

		api->as_it_stands = read_keep(arena, text);
		decode_former(arena, object, api);
	}
}

static void release_apiservice(const struct view *view)
{
	read_conditions_release(&view_apiservice(view)->conditions);
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

bool view_apiservice_leads_to(const struct view_apiservice *api, const char *ns, const char *name)
{
	return strcmp(api->service_namespace, ns) == 0 && strcmp(api->service_name, name) == 0;
}

const struct view_type view_namespace_type = {.bytes = sizeof(struct view_namespace), .decode = decode_namespace};
const struct view_type view_apiservice_type = {.bytes = sizeof(struct view_apiservice),
	.decode = decode_apiservice,
	.release = release_apiservice};
const struct view_type view_configmap_type = {.bytes = sizeof(struct view_configmap), .decode = decode_configmap};
const struct view_type view_scaledobject_type = {.bytes = sizeof(struct view_scaledobject),
	.decode = decode_scaledobject};
