/* From what there is to tell of an object to its Event. */
#include "object_event.h"

#include "base/json.h"
#include "base/memory.h"

/* What an Event tells of the object that it is about. New reference. */
static json_t *reference_to(enum kind kind, const struct object_meta *meta)
{
	const struct kube_resource *resource = &kinds[kind].resource;
	auto_free char *api_version = kube_api_version(resource);

	return json_pack("{s:s, s:s, s:{s:s*, s:s, s:s, s:s}}", "apiVersion", api_version, "kind", resource->kind,
		"metadata", "namespace", meta->ns, "name", meta->name, "uid", meta->uid, "resourceVersion",
		meta->resource_version);
}

void object_event(struct kube_recorder *recorder, enum kind kind, const struct object_meta *meta,
	const struct transition *told)
{
	auto_json *regarding = reference_to(kind, meta);

	kube_recorder_report(recorder, regarding,
		&(struct kube_event){.warning = told->warning,
			.reason = told->reason,
			.action = told->action,
			.note = told->note});
}
