/* The pods of a target, by its scale subresource. */
#include "target_scale.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"

/* Of the kind, borrowed; NULL = there is none. */
static const char *plural_of(const json_t *resources, const char *kind)
{
	size_t i;
	json_t *resource;

	json_array_foreach(json_object_get(resources, "resources"), i, resource) {
		const char *name = json_path_string(resource, "name", "");

		if (strcmp(json_path_string(resource, "kind", ""), kind) == 0 && strchr(name, '/') == NULL) {
			return name;
		}
	}
	return NULL;
}

char *target_scale_selector(struct session *session, const char *ns, const char *api_version, const char *kind,
	const char *name, struct error *err)
{
	auto_free char *root = xasprintf("%s/%s", strchr(api_version, '/') != NULL ? "/apis" : "/api", api_version);
	auto_json *resources = session_read(session, root, err);
	const char *plural = plural_of(resources, kind);
	auto_free char *path = NULL;
	auto_json *scale = NULL;
	const char *selector;

	if (plural == NULL) {
		if (resources != NULL) {
			error_set(err, ERROR_NOT_FOUND, "this cluster has no kind %s of '%s'", kind, api_version);
		}
		return NULL;
	}
	path = xasprintf("%s/namespaces/%s/%s/%s/scale", root, ns, plural, name);
	scale = session_read(session, path, err);
	selector = json_path_string(scale, "status.selector", "");
	if (scale != NULL && selector[0] == '\0') {
		error_set(err, ERROR_NOT_FOUND, "the scale of %s '%s/%s' tells no selector", kind, ns, name);
	}
	return selector[0] != '\0' ? xstrdup(selector) : NULL;
}
