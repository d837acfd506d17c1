/* Comparing what was written with what the API server answers. */
#include "not_kept.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static json_t *without_nulls(const json_t *patch);

/* Whether all that the patch does here is to take fields away: the API server leaves out what is empty then. */
static bool only_takes_away(const json_t *patch)
{
	auto_json *rest = json_is_object(patch) ? without_nulls(patch) : NULL;

	return rest != NULL && json_object_size(patch) > 0 && json_object_size(rest) == 0;
}

/* A merge patch's null takes a field away. New reference to what is to be there. */
static json_t *without_nulls(const json_t *patch)
{
	json_t *rest;
	const char *key;
	json_t *value;

	if (!json_is_object(patch)) {
		return json_incref((json_t *)(uintptr_t)patch);
	}
	rest = json_object();
	json_object_foreach((json_t *)(uintptr_t)patch, key, value) {
		if (!json_is_null(value) && !only_takes_away(value)) {
			json_object_set_new(rest, key, without_nulls(value));
		}
	}
	return rest;
}

/* The first field that was to be taken away and is there still; heap, NULL when there is none. */
static char *first_left(const json_t *observed, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)patch, key, value) {
		const json_t *there = json_object_get(observed, key);
		auto_free char *rest = NULL;

		if (json_is_null(value) && there != NULL) {
			return xstrdup(key);
		}
		rest = json_is_object(value) ? first_left(there, value) : NULL;
		if (rest != NULL) {
			return xasprintf("%s.%s", key, rest);
		}
	}
	return NULL;
}

/* The path of the first field under `member` that is not as it was written; heap, NULL when there is none. */
static char *first_lost(const json_t *result, const json_t *written, const char *member)
{
	const json_t *observed = json_path(result, member);
	const json_t *part = json_path(written, member);
	auto_json *wanted = NULL;
	auto_free char *path = NULL;

	if (part == NULL) {
		return NULL;
	}
	wanted = without_nulls(part);
	path = only_takes_away(part) ? NULL : json_first_uncovered(observed, wanted);
	if (path == NULL) {
		path = first_left(observed, part);
	}
	return path != NULL ? xasprintf("%s%s%s", member, path[0] != '\0' ? "." : "", path) : NULL;
}

/* Of a whole object. Owners are merged with others', and what the server adds by itself is not read. */
static char *first_of_all(const json_t *result, const json_t *written)
{
	static const char *const members[] = {"spec", "data", "metadata.labels", "metadata.annotations"};
	char *path = NULL;

	for (size_t i = 0; i < ARRAY_LEN(members) && path == NULL; i++) {
		path = first_lost(result, written, members[i]);
	}
	return path;
}

/* A server of a version that does not have a field, or has it switched off, drops it without a word. */
static bool is_dropped(const struct plan_write *write, const json_t *result, const char *path)
{
	return (write->verb == PLAN_CREATE || write->verb == PLAN_APPLY) &&
	       strncmp(path, "spec.", strlen("spec.")) == 0 && strchr(path, '[') == NULL &&
	       json_path(result, path) == NULL;
}

bool not_kept(const struct plan_write *write, const json_t *result, struct error *error)
{
	auto_free char *path = first_of_all(result, write->object);

	if (path == NULL) {
		return false;
	}
	error_set(error, ERROR_INVALID, "%s '%s/%s': the API server did not keep '%s': %s",
		kinds[write->kind].resource.kind, kube_object_namespace(write->object), kube_object_name(write->object),
		path,
		is_dropped(write, result, path)
			? "its version does not have this field, or has it switched off; take it out of the "
			  "InferenceAutoscaler"
			: "a webhook or a policy changes what is written; let it leave this object alone");
	return true;
}
