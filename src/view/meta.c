/* Metadata, and maps of texts. */
#include "view/meta.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "kube/resource.h"
#include "read.h"

#define OURS "inference-autoscaler.io/"

static int compare_pairs(const void *a, const void *b)
{
	const struct view_pair *left = a;
	const struct view_pair *right = b;

	return strcmp(left->key, right->key);
}

const char *view_pairs_get(const struct view_pairs *pairs, const char *key)
{
	const struct view_pair wanted = {.key = key};
	const struct view_pair *found = NULL;

	if (pairs->count > 0) {
		found = bsearch(&wanted, pairs->items, pairs->count, sizeof(wanted), compare_pairs);
	}
	return found != NULL ? found->value : NULL;
}

bool view_pairs_cover(const struct view_pairs *observed, const struct view_pairs *wanted)
{
	for (uint32_t i = 0; i < wanted->count; i++) {
		const char *value = view_pairs_get(observed, wanted->items[i].key);

		if (value == NULL || wanted->items[i].value == NULL || strcmp(value, wanted->items[i].value) != 0) {
			return false;
		}
	}
	return true;
}

bool view_pairs_equal(const struct view_pairs *a, const struct view_pairs *b)
{
	if (a->count != b->count) {
		return false;
	}
	for (uint32_t i = 0; i < a->count; i++) {
		if (strcmp(a->items[i].key, b->items[i].key) != 0 ||
			!text_equal(a->items[i].value, b->items[i].value)) {
			return false;
		}
	}
	return true;
}

json_t *view_pairs_json(const struct view_pairs *pairs)
{
	json_t *map = json_object();

	for (uint32_t i = 0; i < pairs->count; i++) {
		if (pairs->items[i].value != NULL) {
			json_object_set_new(map, pairs->items[i].key, json_string(pairs->items[i].value));
		}
	}
	return map;
}

bool read_is_ours(const char *key)
{
	return strncmp(key, OURS, sizeof(OURS) - 1) == 0;
}

static uint32_t count_pairs(const json_t *map, bool (*keeps)(const char *key))
{
	uint32_t count = 0;
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)map, key, value) {
		count += keeps == NULL || keeps(key);
	}
	return count;
}

struct view_pairs read_pairs(struct arena *arena, const json_t *map, bool (*keeps)(const char *key))
{
	struct view_pairs pairs = {.count = count_pairs(map, keeps)};
	struct view_pair *items = arena_items(arena, pairs.count, sizeof(*items));
	uint32_t count = 0;
	const char *key;
	json_t *value;

	pairs.items = items;
	json_object_foreach((json_t *)map, key, value) {
		if (keeps == NULL || keeps(key)) {
			items[count++] = (struct view_pair){.key = read_keep(arena, key),
				.value = read_text(arena, map, key, NULL)};
		}
	}
	if (count > 0) {
		qsort(items, count, sizeof(*items), compare_pairs);
	}
	return pairs;
}

static void read_owners(struct arena *arena, const json_t *list, const struct view_type *type, struct object_meta *meta)
{
	uint32_t count = read_count(list, READ_LIST_MAX);
	struct view_owner *owners = arena_items(arena, count, sizeof(*owners));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *owner = json_array_get(list, i);

		owners[i] = (struct view_owner){
			.api_version = type->no_uids ? "" : read_text(arena, owner, "apiVersion", ""),
			.kind = type->no_uids ? "" : read_text(arena, owner, "kind", ""),
			.name = read_text(arena, owner, "name", ""),
			.uid = type->no_uids ? "" : read_text(arena, owner, "uid", ""),
			.controller = read_bool(owner, "controller"),
			.blocks_deletion = read_bool(owner, "blockOwnerDeletion"),
		};
	}
	meta->owners = owners;
	meta->owners_count = count;
}

struct object_meta read_meta(struct arena *arena, const json_t *object, const struct view_type *type)
{
	const json_t *metadata = json_object_get(object, "metadata");
	struct object_meta meta = {
		.ns = read_text(arena, metadata, "namespace", ""),
		.name = read_text(arena, metadata, "name", ""),
		.uid = type->no_uids ? "" : read_text(arena, metadata, "uid", ""),
		.resource_version = read_text(arena, metadata, "resourceVersion", ""),
		.generation = read_int(metadata, "generation", 0),
		.created_ms = read_time(metadata, "creationTimestamp", 0),
		.deleting = json_object_get(metadata, "deletionTimestamp") != NULL,
	};

	read_owners(arena, json_object_get(metadata, "ownerReferences"), type, &meta);
	if (!type->no_labels) {
		meta.labels = read_pairs(arena, json_object_get(metadata, "labels"), NULL);
	}
	meta.annotations = read_pairs(arena, json_object_get(metadata, "annotations"), read_is_ours);
	return meta;
}

const char *meta_label(const struct object_meta *meta, const char *key)
{
	return view_pairs_get(&meta->labels, key);
}

bool meta_has_labels(const struct object_meta *meta, const json_t *labels)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)labels, key, value) {
		const char *own = meta_label(meta, key);

		if (own == NULL || !json_is_string(value) || strcmp(own, json_string_value(value)) != 0) {
			return false;
		}
	}
	return true;
}

const char *meta_annotation(const struct object_meta *meta, const char *key)
{
	return view_pairs_get(&meta->annotations, key);
}

bool meta_owned_by(const struct object_meta *meta, const char *uid)
{
	for (uint32_t i = 0; i < meta->owners_count; i++) {
		if (strcmp(meta->owners[i].uid, uid) == 0) {
			return true;
		}
	}
	return false;
}

const struct view_owner *meta_controller(const struct object_meta *meta)
{
	for (uint32_t i = 0; i < meta->owners_count; i++) {
		if (meta->owners[i].controller) {
			return &meta->owners[i];
		}
	}
	return NULL;
}

char *meta_key(const struct object_meta *meta)
{
	return kube_key(meta->ns, meta->name);
}
