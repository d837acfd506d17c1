/* The last known objects of one resource type, as trimmed JSON bytes. */
#include "kube/cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "kube/resource.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

struct kube_cache {
	struct map objects; /* key → compact JSON text with sorted keys */
};

struct kube_cache *kube_cache_new(void)
{
	struct kube_cache *cache = xcalloc(1, sizeof(*cache));

	map_init(&cache->objects, free);
	return cache;
}

void kube_cache_free(struct kube_cache *cache)
{
	if (!cache)
		return;
	map_release(&cache->objects);
	free(cache);
}

static json_t *decode(const char *text)
{
	/* We wrote this text ourselves: it parses. */
	return json_parse(text, strlen(text), NULL);
}

json_t *kube_cache_get(const struct kube_cache *cache, const char *ns, const char *name)
{
	auto_free char *key = kube_key(ns, name);

	return kube_cache_get_key(cache, key);
}

json_t *kube_cache_get_key(const struct kube_cache *cache, const char *key)
{
	const char *text = map_get(&cache->objects, key);

	return text ? decode(text) : NULL;
}

bool kube_cache_has(const struct kube_cache *cache, const char *ns, const char *name)
{
	auto_free char *key = kube_key(ns, name);

	return map_has(&cache->objects, key);
}

size_t kube_cache_count(const struct kube_cache *cache)
{
	return map_count(&cache->objects);
}

const char **kube_cache_keys(const struct kube_cache *cache)
{
	return map_sorted_keys(&cache->objects);
}

json_t *kube_cache_list(const struct kube_cache *cache, const char *ns)
{
	auto_free const char **keys = kube_cache_keys(cache);
	auto_free char *prefix = ns ? xasprintf("%s/", ns) : xstrdup("");
	size_t prefix_len = strlen(prefix);
	json_t *list = json_array();

	for (size_t i = 0; i < kube_cache_count(cache); i++)
		if (strncmp(keys[i], prefix, prefix_len) == 0)
			json_array_append_new(list, decode(map_get(&cache->objects, keys[i])));
	return list;
}

/* Copies just the levels that change: the object, its metadata, its annotations. */
static char *trimmed_text(const json_t *object)
{
	auto_json *copy = json_copy((json_t *)(uintptr_t)object);
	json_t *metadata = json_copy(json_object_get(copy, "metadata"));
	json_t *annotations = json_object_get(metadata, "annotations");

	json_object_set_new(copy, "metadata", metadata);
	json_object_del(metadata, "managedFields");
	if (json_object_get(annotations, LAST_APPLIED)) {
		annotations = json_copy(annotations);
		json_object_del(annotations, LAST_APPLIED);
		json_object_set_new(metadata, "annotations", annotations);
	}
	return json_text(copy);
}

bool kube_cache_put(struct kube_cache *cache, const json_t *object)
{
	auto_free char *key = kube_object_key(object);
	auto_free char *text = NULL;
	const char *old;

	/* An object without a name cannot be found again; the server never sends one. */
	if (kube_object_name(object)[0] == '\0')
		return false;
	text = trimmed_text(object);
	old = map_get(&cache->objects, key);
	if (old && strcmp(old, text) == 0)
		return false;
	map_put(&cache->objects, key, text);
	text = NULL;
	return true;
}

bool kube_cache_remove(struct kube_cache *cache, const char *ns, const char *name)
{
	auto_free char *key = kube_key(ns, name);

	return map_remove(&cache->objects, key);
}
