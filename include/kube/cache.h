/*
 * The last known objects of one resource type, as trimmed JSON bytes (no last-applied annotation, no
 * managedFields, or of these only who wrote when), by "namespace/name".
 *
 * Bytes, not trees: ten thousand objects must fit in a few tens of MiB.
 */
#ifndef KUBE_CACHE_H
#define KUBE_CACHE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct kube_cache;

/* What an object can be found by beside its key: heap, NULL leaves it out. It has the namespace in it
 * ("namespace/name") where there is one: objects of many namespaces often have one name. */
typedef char *kube_index_fn(const json_t *object);

/* What a cache keeps of its objects. */
struct kube_cache_form {
	kube_index_fn *index; /* NULL = they are found by key only */
	bool managers;        /* of metadata.managedFields the manager and the time are kept */
	/* What an object is decoded to, once, with everything that the server sent of it; NULL = nothing. */
	const void *(*decode)(const void *type, const json_t *object);
	void (*unref)(const void *decoded);
	const void *type;
};

struct kube_cache *kube_cache_new(const struct kube_cache_form *form);
void kube_cache_free(struct kube_cache *cache);
/* New reference, decoded; NULL when absent. */
json_t *kube_cache_get(const struct kube_cache *cache, const char *ns, const char *name);
/* The same by its key, "namespace/name". */
json_t *kube_cache_get_key(const struct kube_cache *cache, const char *key);
bool kube_cache_has(const struct kube_cache *cache, const char *ns, const char *name);
bool kube_cache_has_key(const struct kube_cache *cache, const char *key);
size_t kube_cache_count(const struct kube_cache *cache);
/* New reference: an array of all objects of a namespace (NULL = all), ordered by key. */
json_t *kube_cache_list(const struct kube_cache *cache, const char *ns);
/* Of all, those whose index is `value`: costs what is found, not what there is. */
json_t *kube_cache_list_by(const struct kube_cache *cache, const char *value);
/* What the object was decoded to; borrowed, valid until the cache changes. NULL when absent. */
const void *kube_cache_decoded(const struct kube_cache *cache, const char *ns, const char *name);
const void *kube_cache_decoded_key(const struct kube_cache *cache, const char *key);
/* The same of all objects of a namespace (NULL = all), ordered by key: a heap array of *count, which the caller frees. */
const void **kube_cache_decoded_list(const struct kube_cache *cache, const char *ns, size_t *count);
/* Of all, those whose index is `value`. */
const void **kube_cache_decoded_list_by(const struct kube_cache *cache, const char *value, size_t *count);
/* All keys in ascending order: a heap array of kube_cache_count() borrowed strings, valid until
 * the cache changes; the caller frees the array. */
const char **kube_cache_keys(const struct kube_cache *cache);
/* Stores a trimmed copy; true when it differs from what was there (resourceVersion included). */
bool kube_cache_put(struct kube_cache *cache, const json_t *object);
/* The same with an object of another cache of the same form. */
bool kube_cache_put_from(struct kube_cache *cache, struct kube_cache *other, const char *key);
/* True when it was there. */
bool kube_cache_remove(struct kube_cache *cache, const char *ns, const char *name);

#endif
