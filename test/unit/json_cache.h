/* A cache that keeps objects as they are, as JSON: for tests of what keeps any. */
#ifndef UNIT_JSON_CACHE_H
#define UNIT_JSON_CACHE_H

#include "base/json.h"
#include "kube/cache.h"
#include "kube/resource.h"

static inline const void *json_cache_decode(const void *type, const json_t *object)
{
	if (type != NULL) {
		++*(int *)(uintptr_t)type;
	}
	return json_incref((json_t *)(uintptr_t)object);
}

static inline const void *json_cache_ref(const void *object)
{
	return json_incref((json_t *)(uintptr_t)object);
}

static inline void json_cache_unref(const void *object)
{
	json_decref((json_t *)(uintptr_t)object);
}

static inline struct kube_names json_cache_names(const void *object)
{
	return (struct kube_names){kube_object_namespace(object), kube_object_name(object),
		kube_object_resource_version(object)};
}

/* spec.target, in the object's namespace. */
static inline bool json_cache_target(const void *object, const char **ns, const char **name)
{
	*ns = kube_object_namespace(object);
	*name = json_path_string(object, "spec.target", NULL);
	return *name != NULL;
}

/* `counter` counts what is decoded; NULL is allowed. */
static inline struct kube_cache_form json_cache_form(int *counter)
{
	return (struct kube_cache_form){.type = counter,
		.decode = json_cache_decode,
		.ref = json_cache_ref,
		.unref = json_cache_unref,
		.names = json_cache_names};
}

#endif
