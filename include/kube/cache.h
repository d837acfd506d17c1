/*
 * The last known objects of one resource type, as their owner decodes them, by namespace and name.
 *
 * They stand in two sorted arrays, by name and by what else they are found by, so that one costs a pointer or two beside
 * what it is decoded to: ten thousand must fit in a few tens of MiB. A list of the API server comes in order, so that
 * most of them are appended.
 */
#ifndef KUBE_CACHE_H
#define KUBE_CACHE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct kube_cache;

/* Borrowed from what is decoded; `ns` is "" of what is in no namespace. */
struct kube_names {
	const char *ns;
	const char *name;
	const char *resource_version;
};

/* What a cache makes of objects: something whose references are counted, and that never changes. */
struct kube_cache_form {
	const void *type; /* given to decode() */
	const void *(*decode)(const void *type, const json_t *object);
	/* Keys whose objects and arrays decode() does not read (json_cut.h); NULL = it may read all. */
	const char *const *unread;
	const void *(*ref)(const void *decoded);
	void (*unref)(const void *decoded);
	struct kube_names (*names)(const void *decoded);
	/* What it can be found by beside its name, false = nothing; `ns` may become "". NULL = all by their names only. */
	bool (*index)(const void *decoded, const char **ns, const char **name);
};

struct kube_cache *kube_cache_new(const struct kube_cache_form *form);
void kube_cache_free(struct kube_cache *cache);
size_t kube_cache_count(const struct kube_cache *cache);
/* All that is returned is borrowed, and valid until the cache changes. `ns` may be NULL. NULL when absent. */
const void *kube_cache_get(const struct kube_cache *cache, const char *ns, const char *name);
/* The same by its key, "namespace/name" or "name". */
const void *kube_cache_get_key(const struct kube_cache *cache, const char *key);
/* The first whose key comes after this one, in the order of strcmp(); NULL as the key = the first of all. */
const void *kube_cache_after(const struct kube_cache *cache, const char *key);
/* All of a namespace (NULL = all), ordered by key: a heap array of *count, which the caller frees. */
const void **kube_cache_list(const struct kube_cache *cache, const char *ns, size_t *count);
/* Of all, those whose index is "ns/name", or "name": costs what is found, not what there is. */
const void **kube_cache_list_by(const struct kube_cache *cache, const char *value, size_t *count);
/* True when it differs from what was there, by its resourceVersion; *before is that, as one reference for the caller to
 * give back, or NULL. What `known` (NULL = none), a cache of the same form, has of this resourceVersion is not decoded
 * again. */
bool kube_cache_put(struct kube_cache *cache, const json_t *object, const struct kube_cache *known,
	const void **before);
/* The same of what is decoded already, whatever its resourceVersion; takes the reference. What was there, as one reference
 * for the caller to give back, or NULL. */
const void *kube_cache_place(struct kube_cache *cache, const void *decoded_take);
/* What one cache has and another has not, or has otherwise, in the order of names: NULL = nothing. Borrowed of both. */
struct kube_difference {
	const void *before;
	const void *now;
};

/* A heap array of *count, which the caller frees. */
struct kube_difference *kube_cache_differences(const struct kube_cache *before, const struct kube_cache *now,
	size_t *count);
/* Each has what the other had. */
void kube_cache_swap(struct kube_cache *a, struct kube_cache *b);
/* What was there, as one reference for the caller to give back; NULL when nothing was. */
const void *kube_cache_take(struct kube_cache *cache, const char *ns, const char *name);

#endif
