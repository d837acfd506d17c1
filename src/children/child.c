/* What all children share: names, metadata, and how one is compared and mended. */
#include "children/child.h"

#include <stdint.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "view/own.h"

bool workload_complete(const struct workload *w)
{
	size_t pages = autoscaler_uses_pages(w->spec) ? w->spec->signals_count : 0;
	size_t wanted = pages + (autoscaler_uses_gpus(w->spec) ? 1u : 0u);

	return w->signals_count == wanted;
}

char *workload_signal_field(const struct workload *w, const struct workload_signal *signal, const char *member)
{
	return signal->gpu ? xasprintf("spec.gpu.%s", member)
	                   : autoscaler_signal_field(w->spec, (size_t)(signal - w->signals), member);
}

bool child_wanted(const struct child *child, const struct workload *w)
{
	return !child->for_pages || (autoscaler_uses_pages(w->spec) && !w->direct);
}

const char *child_namespace(const struct child *child, const struct autoscaler *spec)
{
	bool moved = child->form.kind == KIND_SERVICEMONITOR && spec->monitor_namespace != NULL;

	return moved ? spec->monitor_namespace : spec->ns;
}

static bool in_foreign_namespace(const struct child *child, const struct autoscaler *spec)
{
	return strcmp(child_namespace(child, spec), spec->ns) != 0;
}

char *child_name(const struct child *child, const struct autoscaler *spec)
{
	/* A namespace's name has no dot, so that no two autoscalers can mean the same name. */
	return in_foreign_namespace(child, spec) ? xasprintf("%s.%s%s", spec->ns, spec->name, child->suffix)
	                                         : xasprintf("%s%s", spec->name, child->suffix);
}

json_t *child_base(const struct child *child, const struct autoscaler *spec)
{
	const struct kube_resource *resource = &kinds[child->form.kind].resource;
	const struct kube_resource *owner = &kinds[KIND_AUTOSCALER].resource;
	auto_free char *api_version = kube_api_version(resource);
	auto_free char *owner_version = kube_api_version(owner);
	auto_free char *name = child_name(child, spec);
	bool foreign = in_foreign_namespace(child, spec);

	/* A file that was never applied has no uid: `render` prints it without an owner. */
	json_t *owners = spec->uid[0] == '\0' || foreign
	                         ? NULL
	                         : json_pack("[{s:s, s:s, s:s, s:s, s:b, s:b}]", "apiVersion", owner_version, "kind",
					   owner->kind, "name", spec->name, "uid", spec->uid, "controller", 1,
					   "blockOwnerDeletion", 1);

	return json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s, s:s, s:s*}, s:o*}}", "apiVersion", api_version, "kind",
		resource->kind, "metadata", "name", name, "namespace", child_namespace(child, spec), "labels",
		LABEL_MANAGED_BY, MANAGED_BY, LABEL_AUTOSCALER, spec->name, LABEL_AUTOSCALER_NAMESPACE,
		foreign ? spec->ns : NULL, "ownerReferences", owners);
}

static bool label_is(const struct view *object, const char *key, const char *value)
{
	const char *found = meta_label(&object->meta, key);

	return found != NULL && strcmp(found, value) == 0;
}

bool child_owned(const struct view *observed, const struct autoscaler *spec)
{
	const struct object_meta *meta = &observed->meta;

	if (strcmp(meta->ns, spec->ns) != 0) {
		return label_is(observed, LABEL_MANAGED_BY, MANAGED_BY) &&
		       label_is(observed, LABEL_AUTOSCALER, spec->name) &&
		       label_is(observed, LABEL_AUTOSCALER_NAMESPACE, spec->ns);
	}
	for (uint32_t i = 0; i < meta->owners_count; i++) {
		if (meta->owners[i].controller && strcmp(meta->owners[i].uid, spec->uid) == 0) {
			return true;
		}
	}
	return false;
}

void child_stamp(json_t *wanted)
{
	auto_free char *text = json_text(wanted);
	auto_free char *hash = text_hash(text);

	json_object_set_new(json_child(json_object_get(wanted, "metadata"), "annotations"), ANNOTATION_APPLIED,
		json_string(hash));
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

/* As json_covers(), but for one member. */
static bool covers_but(const json_t *observed, const json_t *wanted, const char *left_out)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)wanted, key, value) {
		if (strcmp(key, left_out) != 0 && !json_covers(json_object_get(observed, key), value)) {
			return false;
		}
	}
	return true;
}

static bool covers_but_owners(const json_t *observed, const json_t *wanted)
{
	return covers_but(observed, wanted, "metadata") &&
	       covers_but(json_object_get(observed, "metadata"), json_object_get(wanted, "metadata"),
		       "ownerReferences");
}

bool child_matches(const struct child_form *form, const struct view *view, const json_t *wanted)
{
	auto_json *observed = own_object(form->kind, view);

	return observed != NULL && owner_kept(observed, wanted) && covers_but_owners(observed, wanted) &&
	       (form->exact == NULL || json_equal(json_path(observed, form->exact), json_path(wanted, form->exact)));
}

json_t *child_patch(const struct child_form *form, const struct view *view, const json_t *wanted)
{
	auto_json *observed = own_object(form->kind, view);
	json_t *patch = json_deep_copy(wanted);
	json_t *exact = form->exact != NULL ? json_path(patch, form->exact) : NULL;
	const char *key;
	json_t *value;

	json_object_foreach(exact != NULL ? json_path(observed, form->exact) : NULL, key, value) {
		if (json_object_get(exact, key) == NULL) {
			json_object_set_new(exact, key, json_null());
		}
	}
	/* The one observed is meant, not a later one of its name. */
	json_object_set_new(json_object_get(patch, "metadata"), "resourceVersion",
		json_string(view->meta.resource_version));
	return patch;
}
