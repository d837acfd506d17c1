/* What is kept of an object of ours, to compare it with what is wanted. */
#include <string.h>

#include "api/kinds.h"
#include "base/json.h"
#include "base/memory.h"
#include "read.h"

static bool has_owner_of_ours(const json_t *metadata)
{
	return json_find(json_object_get(metadata, "ownerReferences"), "kind", kinds[KIND_AUTOSCALER].resource.kind) !=
	       NULL;
}

static bool is_ours(const json_t *metadata)
{
	const json_t *labels = json_object_get(metadata, "labels");
	const char *manager = json_string_value(json_object_get(labels, LABEL_MANAGED_BY));

	return (manager != NULL && strcmp(manager, MANAGED_BY) == 0) || json_object_get(labels, LABEL_SHARED) != NULL ||
	       has_owner_of_ours(metadata);
}

/* Those whose keys are ours. New reference, NULL when there are none. */
static json_t *own_annotations(const json_t *annotations)
{
	json_t *own = json_object();
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)annotations, key, value) {
		if (read_is_ours(key)) {
			json_object_set(own, key, value);
		}
	}
	if (json_object_size(own) == 0) {
		json_decref(own);
		own = NULL;
	}
	return own;
}

/* Copies the reference, where there is one. */
static void keep(json_t *to, const json_t *from, const char *key)
{
	json_t *value = json_object_get(from, key);

	if (value != NULL) {
		json_object_set(to, key, value);
	}
}

const char *read_own(struct arena *arena, const json_t *object)
{
	static const char *const members[] = {"apiVersion", "kind", "spec"};
	static const char *const metadata_members[] = {"name", "namespace", "labels", "ownerReferences",
		"resourceVersion"};
	const json_t *metadata = json_object_get(object, "metadata");
	json_t *annotations;
	json_t *own_metadata;
	auto_json *own = NULL;
	auto_free char *text = NULL;

	if (!is_ours(metadata)) {
		return NULL;
	}
	annotations = own_annotations(json_object_get(metadata, "annotations"));
	own_metadata = json_pack("{s:o*}", "annotations", annotations);
	own = json_pack("{s:o}", "metadata", own_metadata);
	for (size_t i = 0; i < ARRAY_LEN(metadata_members); i++) {
		keep(own_metadata, metadata, metadata_members[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		keep(own, object, members[i]);
	}
	text = json_text(own);
	return arena_text(arena, text);
}
