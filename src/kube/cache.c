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
	struct kube_cache_form form;
	struct map by_value; /* of the index → the first struct entry, borrowed */
};

struct entry {
	const struct kube_cache_form *form;
	char *text;          /* compact JSON with sorted keys */
	const void *decoded; /* NULL = the form has none */
	char *key;
	char *value;        /* of the index; NULL = none */
	struct entry *next; /* of the same value, in no order: keeping one would walk them at each change */
	struct entry *previous;
};

static void entry_free(void *value)
{
	struct entry *entry = value;

	if (entry->decoded != NULL) {
		entry->form->unref(entry->decoded);
	}
	free(entry->text);
	free(entry->key);
	free(entry->value);
	free(entry);
}

struct kube_cache *kube_cache_new(const struct kube_cache_form *form)
{
	struct kube_cache *cache = xcalloc(1, sizeof(*cache));

	cache->form = *form;
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

/* A heap array of all of this value, ordered by key. */
static const struct entry **entries_by(const struct kube_cache *cache, const char *value, size_t *count)
{
	const struct entry *first = map_get(&cache->by_value, value);
	const struct entry **found;

	*count = 0;
	for (const struct entry *entry = first; entry != NULL; entry = entry->next) {
		*count += 1;
	}
	found = xcalloc(*count, sizeof(*found));
	*count = 0;
	for (const struct entry *entry = first; entry != NULL; entry = entry->next) {
		found[(*count)++] = entry;
	}
	qsort(found, *count, sizeof(*found), compare_entries);
	return found;
}

json_t *kube_cache_list_by(const struct kube_cache *cache, const char *value)
{
	size_t count;
	auto_free const struct entry **found = entries_by(cache, value, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(list, decode(found[i]->text));
	}
	return list;
}

const void *kube_cache_decoded(const struct kube_cache *cache, const char *ns, const char *name)
{
	auto_free char *key = kube_key(ns, name);

	return kube_cache_decoded_key(cache, key);
}

const void *kube_cache_decoded_key(const struct kube_cache *cache, const char *key)
{
	const struct entry *entry = map_get(&cache->objects, key);

	return entry != NULL ? entry->decoded : NULL;
}

const void **kube_cache_decoded_list(const struct kube_cache *cache, const char *ns, size_t *count)
{
	auto_free const char **keys = kube_cache_keys(cache);
	const void **list = xcalloc(kube_cache_count(cache), sizeof(*list));

	*count = 0;
	for (size_t i = 0; i < kube_cache_count(cache); i++) {
		if (in_namespace(keys[i], ns)) {
			const struct entry *entry = map_get(&cache->objects, keys[i]);

			list[(*count)++] = entry->decoded;
		}
	}
	return list;
}

const void **kube_cache_decoded_list_by(const struct kube_cache *cache, const char *value, size_t *count)
{
	auto_free const struct entry **found = entries_by(cache, value, count);
	const void **list = xcalloc(*count, sizeof(*list));

	for (size_t i = 0; i < *count; i++) {
		list[i] = found[i]->decoded;
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

static void take_entry(struct kube_cache *cache, struct entry *entry)
{
	entry->form = &cache->form;
	map_put(&cache->objects, entry->key, entry);
	if (entry->value != NULL) {
		index_add(cache, entry);
	}
}

bool kube_cache_put(struct kube_cache *cache, const json_t *object)
{
	const struct kube_cache_form *form = &cache->form;
	auto_free char *key = kube_object_key(object);
	auto_free char *text = NULL;
	struct entry *entry;

	/* An object without a name cannot be found again; the server never sends one. */
	if (kube_object_name(object)[0] == '\0') {
		return false;
	}
	text = trimmed_text(object, form->managers);
	entry = map_get(&cache->objects, key);
	if (entry != NULL && strcmp(entry->text, text) == 0) {
		return false;
	}
	kube_cache_remove(cache, kube_object_namespace(object), kube_object_name(object));
	entry = xcalloc(1, sizeof(*entry));
	*entry = (struct entry){
		.text = text,
		.decoded = form->decode != NULL ? form->decode(form->type, object) : NULL,
		.key = key,
		.value = form->index != NULL ? form->index(object) : NULL,
	};
	text = key = NULL;
	take_entry(cache, entry);
	return true;
}

/* Takes the entry out, for its caller to free or to put elsewhere; NULL when absent. */
static struct entry *evict(struct kube_cache *cache, const char *key)
{
	struct entry *entry = map_take(&cache->objects, key);

	if (entry != NULL && entry->value != NULL) {
		index_remove(cache, entry);
		entry->next = entry->previous = NULL;
	}
	return entry;
}

bool kube_cache_put_from(struct kube_cache *cache, struct kube_cache *other, const char *key)
{
	struct entry *entry = evict(other, key);
	struct entry *had;

	if (entry == NULL) {
		return false;
	}
	had = map_get(&cache->objects, entry->key);
	if (had != NULL && strcmp(had->text, entry->text) == 0) {
		entry_free(entry);
		return false;
	}
	if (had != NULL) {
		entry_free(evict(cache, entry->key));
	}
	take_entry(cache, entry);
	return true;
}

bool kube_cache_remove(struct kube_cache *cache, const char *ns, const char *name)
{
	auto_free char *key = kube_key(ns, name);
	struct entry *entry = evict(cache, key);

	if (entry == NULL) {
		return false;
	}
	entry_free(entry);
	return true;
}
