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
	struct map objects; /* key → struct entry */
	kube_index_fn *index;
	bool managers;
	struct map by_value; /* of the index → the first struct entry, borrowed */
};

struct entry {
	char *text; /* compact JSON with sorted keys */
	char *key;
	char *value;        /* of the index; NULL = none */
	struct entry *next; /* of the same value, in no order: keeping one would walk them at each change */
	struct entry *previous;
};

static void entry_free(void *value)
{
	struct entry *entry = value;

	free(entry->text);
	free(entry->key);
	free(entry->value);
	free(entry);
}

struct kube_cache *kube_cache_new(kube_index_fn *index, bool managers)
{
	struct kube_cache *cache = xcalloc(1, sizeof(*cache));

	cache->index = index;
	cache->managers = managers;
	map_init(&cache->objects, entry_free);
	map_init(&cache->by_value, NULL);
	return cache;
}

void kube_cache_free(struct kube_cache *cache)
{
	if (cache == NULL) {
		return;
	}
	map_release(&cache->by_value);
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
	const struct entry *entry = map_get(&cache->objects, key);

	return entry != NULL ? decode(entry->text) : NULL;
}

bool kube_cache_has(const struct kube_cache *cache, const char *ns, const char *name)
{
	auto_free char *key = kube_key(ns, name);

	return kube_cache_has_key(cache, key);
}

bool kube_cache_has_key(const struct kube_cache *cache, const char *key)
{
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

static bool in_namespace(const char *key, const char *ns)
{
	size_t len = ns != NULL ? strlen(ns) : 0;

	return ns == NULL || (strncmp(key, ns, len) == 0 && key[len] == '/');
}

json_t *kube_cache_list(const struct kube_cache *cache, const char *ns)
{
	auto_free const char **keys = kube_cache_keys(cache);
	json_t *list = json_array();

	for (size_t i = 0; i < kube_cache_count(cache); i++) {
		if (in_namespace(keys[i], ns)) {
			json_array_append_new(list, kube_cache_get_key(cache, keys[i]));
		}
	}
	return list;
}

static int compare_entries(const void *a, const void *b)
{
	const struct entry *const *left = a;
	const struct entry *const *right = b;

	return strcmp((*left)->key, (*right)->key);
}

json_t *kube_cache_list_by(const struct kube_cache *cache, const char *value)
{
	const struct entry *first = map_get(&cache->by_value, value);
	auto_free const struct entry **found = NULL;
	json_t *list = json_array();
	size_t count = 0;

	for (const struct entry *entry = first; entry != NULL; entry = entry->next) {
		count++;
	}
	found = xcalloc(count, sizeof(*found));
	count = 0;
	for (const struct entry *entry = first; entry != NULL; entry = entry->next) {
		found[count++] = entry;
	}
	qsort(found, count, sizeof(*found), compare_entries);
	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, decode(found[i]->text));
	}
	return list;
}

static void index_add(struct kube_cache *cache, struct entry *entry)
{
	entry->next = map_get(&cache->by_value, entry->value);
	if (entry->next != NULL) {
		entry->next->previous = entry;
	}
	map_put(&cache->by_value, entry->value, entry);
}

static void index_remove(struct kube_cache *cache, const struct entry *entry)
{
	if (entry->next != NULL) {
		entry->next->previous = entry->previous;
	}
	if (entry->previous != NULL) {
		entry->previous->next = entry->next;
	} else if (entry->next != NULL) {
		map_put(&cache->by_value, entry->value, entry->next);
	} else {
		map_remove(&cache->by_value, entry->value);
	}
}

/* Who wrote when, without what: that is most of the bytes. New reference. */
static json_t *managers_of(const json_t *fields)
{
	json_t *managers = json_array();
	size_t i;
	json_t *entry;

	json_array_foreach((json_t *)(uintptr_t)fields, i, entry) {
		json_array_append_new(managers,
			json_pack("{s:s, s:s}", "manager", json_path_string(entry, "manager", ""), "time",
				json_path_string(entry, "time", "")));
	}
	return managers;
}

/* Copies just the levels that change: the object, its metadata, its annotations. */
static char *trimmed_text(const json_t *object, bool managers)
{
	auto_json *copy = json_copy((json_t *)(uintptr_t)object);
	json_t *metadata = json_copy(json_object_get(copy, "metadata"));
	json_t *annotations = json_object_get(metadata, "annotations");

	json_object_set_new(copy, "metadata", metadata);
	if (managers) {
		json_object_set_new(metadata, "managedFields", managers_of(json_object_get(metadata, "managedFields")));
	} else {
		json_object_del(metadata, "managedFields");
	}
	if (json_object_get(annotations, LAST_APPLIED) != NULL) {
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
	struct entry *entry;

	/* An object without a name cannot be found again; the server never sends one. */
	if (kube_object_name(object)[0] == '\0') {
		return false;
	}
	text = trimmed_text(object, cache->managers);
	entry = map_get(&cache->objects, key);
	if (entry != NULL && strcmp(entry->text, text) == 0) {
		return false;
	}
	kube_cache_remove(cache, kube_object_namespace(object), kube_object_name(object));
	entry = xcalloc(1, sizeof(*entry));
	*entry = (struct entry){.text = text, .key = key, .value = cache->index != NULL ? cache->index(object) : NULL};
	map_put(&cache->objects, key, entry);
	if (entry->value != NULL) {
		index_add(cache, entry);
	}
	text = key = NULL;
	return true;
}

bool kube_cache_remove(struct kube_cache *cache, const char *ns, const char *name)
{
	auto_free char *key = kube_key(ns, name);
	const struct entry *entry = map_get(&cache->objects, key);

	if (entry != NULL && entry->value != NULL) {
		index_remove(cache, entry);
	}
	return map_remove(&cache->objects, key);
}
