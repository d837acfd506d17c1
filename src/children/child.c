/* What all children share: their order, names and metadata. */
#include "children/child.h"

#include "base/memory.h"

const struct child *const children[] = {&child_service, &child_servicemonitor, &child_hpa};
const size_t children_count = ARRAY_LEN(children);

char *child_name(const struct child *child, const struct autoscaler *spec)
{
	return xasprintf("%s%s", spec->name, child->suffix);
}

json_t *child_base(const struct child *child, const struct autoscaler *spec)
{
	const struct kube_resource *resource = &kinds[child->kind].resource;
	const struct kube_resource *owner = &kinds[KIND_AUTOSCALER].resource;
	auto_free char *api_version = kube_api_version(resource);
	auto_free char *owner_version = kube_api_version(owner);
	auto_free char *name = child_name(child, spec);

	/* A file that was never applied has no uid: `render` prints it without an owner. */
	json_t *owners = spec->uid[0] == '\0' ? NULL
					      : json_pack("[{s:s, s:s, s:s, s:s, s:b, s:b}]", "apiVersion",
							owner_version, "kind", owner->kind, "name", spec->name, "uid",
							spec->uid, "controller", 1, "blockOwnerDeletion", 1);

	return json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s, s:s}, s:o*}}", "apiVersion", api_version, "kind",
		resource->kind, "metadata", "name", name, "namespace", spec->ns, "labels", LABEL_MANAGED_BY, MANAGED_BY,
		LABEL_AUTOSCALER, spec->name, "ownerReferences", owners);
}
