/* What is kept of an object of ours, and how it becomes the object again. */
#include "view/own.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "phrases.h"
#include "read.h"

static bool is_ours(const json_t *metadata)
{
	const json_t *labels = json_object_get(metadata, "labels");
	const char *manager = json_string_value(json_object_get(labels, LABEL_MANAGED_BY));
	const char *owner = kinds[KIND_AUTOSCALER].resource.kind;

	return (manager != NULL && strcmp(manager, MANAGED_BY) == 0) || json_object_get(labels, LABEL_SHARED) != NULL ||
	       json_find(json_object_get(metadata, "ownerReferences"), "kind", owner) != NULL;
}

uint16_t read_created_entry(const json_t *object)
{
	const json_t *entries = json_object_get(json_object_get(object, "metadata"), "managedFields");
	uint16_t found = 0;
	size_t i;
	json_t *entry;

	json_array_foreach((json_t *)entries, i, entry) {
		const char *manager = json_string_value(json_object_get(entry, "manager"));
		const char *operation = json_string_value(json_object_get(entry, "operation"));

		if (manager == NULL || operation == NULL || i >= UINT16_MAX || strcmp(manager, FIELD_MANAGER) != 0 ||
			json_object_get(entry, "subresource") != NULL) {
			continue;
		}
		if (strcmp(operation, "Apply") == 0) {
			return 0;
		}
		found = (uint16_t)(i + 1);
	}
	return found;
}

const char *read_own_spec(struct arena *arena, const json_t *object)
{
	if (!is_ours(json_object_get(object, "metadata"))) {
		return NULL;
	}
	if (arena->block == NULL) { /* it measures */
		auto_free char *text = json_text(json_object_get(object, "spec"));

		arena_carry(arena, phrases_shrink(text));
	}
	return arena_text(arena, arena->carried);
}

static const char *text_at(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text != NULL ? text : "";
}

/* Times are in whole seconds: of two in the same one the other's counts. */
const char *read_changed_by(struct arena *arena, const json_t *object)
{
	const json_t *entries = json_object_get(json_object_get(object, "metadata"), "managedFields");
	const char *ours = "";
	const char *last = "";
	const char *by = NULL;
	size_t i;
	json_t *entry;

	json_array_foreach((json_t *)entries, i, entry) {
		const char *time = text_at(entry, "time");

		if (json_object_get(entry, "subresource") != NULL) {
			continue;
		}
		if (strcmp(text_at(entry, "manager"), FIELD_MANAGER) == 0) {
			ours = strcmp(time, ours) > 0 ? time : ours;
		} else if (strcmp(time, last) >= 0) {
			last = time;
			by = text_at(entry, "manager");
		}
	}
	return by != NULL && strcmp(last, ours) >= 0 ? arena_text(arena, by) : NULL;
}

const char *view_changed_by(const struct view *view)
{
	size_t at = view->type->changed_by_at;

	return at != 0 ? *(const char *const *)(const void *)((const char *)view + at) : NULL;
}

const char *view_own_spec(const struct view *view)
{
	size_t at = view->type->own_spec_at;

	return at != 0 ? *(const char *const *)(const void *)((const char *)view + at) : NULL;
}

static json_t *owners_json(const struct object_meta *meta)
{
	json_t *owners = json_array();

	for (uint32_t i = 0; i < meta->owners_count; i++) {
		const struct view_owner *owner = &meta->owners[i];

		json_array_append_new(owners,
			json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion", owner->api_version, "kind",
				owner->kind, "name", owner->name, "uid", owner->uid, "controller", owner->controller,
				"blockOwnerDeletion", owner->blocks_deletion));
	}
	return owners;
}

json_t *own_object(enum kind kind, const struct view *view)
{
	const struct object_meta *meta = &view->meta;
	const char *own_spec = view_own_spec(view);
	auto_free char *api_version = NULL;
	auto_free char *text = NULL;

	if (own_spec == NULL) {
		return NULL;
	}
	text = phrases_grow(own_spec);
	api_version = kube_api_version(&kinds[kind].resource);
	/* We wrote this text ourselves: it parses. */
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:o, s:o, s:o}, s:o}", "apiVersion", api_version, "kind",
		kinds[kind].resource.kind, "metadata", "name", meta->name, "namespace", meta->ns, "resourceVersion",
		meta->resource_version, "labels", view_pairs_json(&meta->labels), "annotations",
		view_pairs_json(&meta->annotations), "ownerReferences", owners_json(meta), "spec",
		json_parse(text, strlen(text), NULL));
}

static void add_word(struct strbuf *text, const char *word)
{
	strbuf_addstr(text, word != NULL ? word : "-");
	strbuf_addch(text, '\n');
}

static void add_pairs(struct strbuf *text, const struct view_pairs *pairs)
{
	for (uint32_t i = 0; i < pairs->count; i++) {
		add_word(text, pairs->items[i].key);
		add_word(text, pairs->items[i].value);
	}
	add_word(text, NULL);
}

void own_add_read(const struct view *view, struct strbuf *text)
{
	const struct object_meta *meta = &view->meta;

	add_pairs(text, &meta->labels);
	add_pairs(text, &meta->annotations);
	for (uint32_t i = 0; i < meta->owners_count; i++) {
		const struct view_owner *owner = &meta->owners[i];

		add_word(text, owner->api_version);
		add_word(text, owner->kind);
		add_word(text, owner->name);
		add_word(text, owner->uid);
		strbuf_addf(text, "%d%d\n", owner->controller, owner->blocks_deletion);
	}
	add_word(text, view_own_spec(view));
}
