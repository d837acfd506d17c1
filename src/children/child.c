/* What all children share: their order, names and metadata. */
#include "children/child.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/quantity.h"

const struct child *const children[] = {&child_service, &child_servicemonitor, &child_hpa};
const size_t children_count = ARRAY_LEN(children);

char *workload_target(const struct workload *workload)
{
	int64_t milli = workload->spec->target_milli;

	return quantity_format_milli(milli > 0 ? milli : workload->signal->default_target_milli);
}

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

static bool owner_kept(const json_t *observed, const json_t *wanted)
{
	const json_t *owner = json_array_get(json_path(wanted, "metadata.ownerReferences"), 0);
	size_t i;
	json_t *other;

	json_array_foreach(json_path(observed, "metadata.ownerReferences"), i, other) {
		if (json_covers(other, owner)) {
			return true;
		}
	}
	return owner == NULL;
}

bool child_matches(const struct child *child, const json_t *observed, const json_t *wanted)
{
	auto_json *rest = json_deep_copy(wanted);

	json_object_del(json_object_get(rest, "metadata"), "ownerReferences");
	return owner_kept(observed, wanted) && json_covers(observed, rest) &&
	       (child->exact == NULL || json_equal(json_path(observed, child->exact), json_path(wanted, child->exact)));
}

json_t *child_patch(const struct child *child, const json_t *observed, const json_t *wanted)
{
	json_t *patch = json_deep_copy(wanted);
	json_t *exact = child->exact != NULL ? json_path(patch, child->exact) : NULL;
	const char *key;
	json_t *value;

	json_object_foreach(exact != NULL ? json_path(observed, child->exact) : NULL, key, value) {
		if (json_object_get(exact, key) == NULL) {
			json_object_set_new(exact, key, json_null());
		}
	}
	/* The one observed is meant, not a later one of its name. */
	json_object_set_new(json_object_get(patch, "metadata"), "resourceVersion",
		json_string(kube_object_resource_version(observed)));
	return patch;
}
