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

/* `index` may be NULL; `managers`: of metadata.managedFields the manager and the time are kept. */
struct kube_cache *kube_cache_new(kube_index_fn *index, bool managers);
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
/* All keys in ascending order: a heap array of kube_cache_count() borrowed strings, valid until
 * the cache changes; the caller frees the array. */
const char **kube_cache_keys(const struct kube_cache *cache);
/* Stores a trimmed copy; true when it differs from what was there (resourceVersion included). */
bool kube_cache_put(struct kube_cache *cache, const json_t *object);
/* True when it was there. */
bool kube_cache_remove(struct kube_cache *cache, const char *ns, const char *name);

#endif
