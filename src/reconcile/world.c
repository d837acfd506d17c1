/* Asking a world, and one that is made of a JSON document. */
#include "reconcile/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "reconcile/reconcile.h"
#include "view/index.h"

/* What a world made of a document answers from. */
struct document {
	const json_t *json; /* borrowed */
	struct document_object *objects;
	size_t count;
	struct map evidence; /* "ns/name" → struct evidence */
	struct map fights;   /* "ns/name" → struct replicas_fight */
	struct shared_evidence *shared;
};

/* In the order of their keys. */
struct document_object {
	enum kind kind;
	char *key;
	const struct view *view;
};

static const struct shared_state no_shared = {.state = ADAPTER_UNKNOWN};

static const json_t *json_of(const struct document *document)
{
	return document->json;
}

/* The adapter's Deployment is one among the others here. */
static enum kind kind_in_document(enum kind kind)
{
	return kind == KIND_ADAPTER_DEPLOYMENT ? KIND_DEPLOYMENT : kind;
}

static const struct view *document_view(void *ctx, enum kind kind, const char *ns, const char *name)
{
	const struct document *document = ctx;
	auto_free char *key = kube_key(ns, name);

	for (size_t i = 0; i < document->count; i++) {
		const struct document_object *object = &document->objects[i];

		if (object->kind == kind_in_document(kind) && strcmp(object->key, key) == 0) {
			return object->view;
		}
	}
	return NULL;
}

static struct view_list document_views(void *ctx, enum kind kind, const char *ns)
{
	const struct document *document = ctx;
	struct view_list list = {.items = xcalloc(document->count, sizeof(*list.items))};

	for (size_t i = 0; i < document->count; i++) {
		const struct document_object *object = &document->objects[i];

		if (object->kind == kind_in_document(kind) && (ns == NULL || strcmp(object->view->meta.ns, ns) == 0)) {
			list.items[list.count++] = object->view;
		}
	}
	return list;
}

static bool is_index(const struct view *view, const char *value)
{
	auto_free char *index = NULL;
	const char *ns;
	const char *name;

	if (!view_index(view, &ns, &name)) {
		return false;
	}
	index = kube_key(ns, name);
	return strcmp(index, value) == 0;
}

static struct view_list document_views_by(void *ctx, enum kind kind, const char *value)
{
	const struct document *document = ctx;
	struct view_list list = {.items = xcalloc(document->count, sizeof(*list.items))};

	for (size_t i = 0; i < document->count; i++) {
		const struct document_object *object = &document->objects[i];

		if (object->kind == kind && is_index(object->view, value)) {
			list.items[list.count++] = object->view;
		}
	}
	return list;
}

static bool document_missing(void *ctx, enum kind kind)
{
	size_t i;
	json_t *name;

	json_array_foreach(json_object_get(json_of(ctx), "missing"), i, name) {
		if (strcmp(json_string_value(name), kinds[kind].resource.kind) == 0) {
			return true;
		}
	}
	return false;
}

static const struct evidence *document_evidence(void *ctx, const char *key)
{
	const struct document *document = ctx;

	return map_get(&document->evidence, key);
}

static const struct shared_evidence *document_shared_evidence(void *ctx)
{
	const struct document *document = ctx;

	return document->shared;
}

static const char *document_failure(void *ctx, const char *key)
{
	return json_string_value(json_object_get(json_object_get(json_of(ctx), "failures"), key));
}

static const struct replicas_fight *document_fight(void *ctx, const char *key)
{
	const struct document *document = ctx;

	return map_get(&document->fights, key);
}

const struct view *world_view(const struct world *world, enum kind kind, const char *ns, const char *name)
{
	return world->view(world->ctx, kind, ns, name);
}

struct view_list world_views(const struct world *world, enum kind kind, const char *ns)
{
	return world->views(world->ctx, kind, ns);
}

struct view_list world_views_by(const struct world *world, enum kind kind, const char *value)
{
	return world->views_by(world->ctx, kind, value);
}

int64_t world_made_ms(const struct world *world, enum kind kind, const char *ns, const char *name)
{
	const struct view *view = world_view(world, kind, ns, name);

	if (view == NULL) {
		return 0;
	}
	return view->meta.created_ms != 0 ? view->meta.created_ms : -1;
}

static void evidence_free_value(void *value)
{
	evidence_free(value);
}

static void decode_evidence(struct document *document, int64_t now_ms)
{
	const char *key;
	json_t *seen;

	map_init(&document->evidence, evidence_free_value);
	json_object_foreach(json_object_get(document->json, "evidence"), key, seen) {
		if (strcmp(key, SHARED_KEY) == 0) {
			document->shared = shared_evidence_decode(seen, now_ms);
		} else {
			map_put(&document->evidence, key, evidence_decode(seen, now_ms));
		}
	}
}

static void fight_free_value(void *value)
{
	replicas_fight_free(value);
}

static void decode_fights(struct document *document)
{
	const char *key;
	json_t *fight;

	map_init(&document->fights, fight_free_value);
	json_object_foreach(json_object_get(document->json, "fights"), key, fight) {
		map_put(&document->fights, key, replicas_fight_decode(fight));
	}
}

static int compare_objects(const void *a, const void *b)
{
	const struct document_object *left = a;
	const struct document_object *right = b;

	return strcmp(left->key, right->key);
}

static struct document *decode_document(const json_t *json, int64_t now_ms)
{
	const json_t *objects = json_object_get(json, "objects");
	struct document *document = xcalloc(1, sizeof(*document));
	size_t i;
	json_t *object;

	document->json = json;
	document->objects = xcalloc(json_array_size(objects), sizeof(*document->objects));
	json_array_foreach((json_t *)(uintptr_t)objects, i, object) {
		enum kind kind =
			kind_by_name(json_path_string(object, "apiVersion", ""), json_path_string(object, "kind", ""));

		if (kind != KIND_COUNT) {
			document->objects[document->count++] = (struct document_object){
				.kind = kind,
				.key = kube_object_key(object),
				.view = view_decode(kind, object),
			};
		}
	}
	decode_evidence(document, now_ms);
	decode_fights(document);
	qsort(document->objects, document->count, sizeof(*document->objects), compare_objects);
	return document;
}

void world_from_document(struct world *world, const json_t *document, const struct settings *settings)
{
	int64_t now_ms = clock_parse_rfc3339(json_path_string(document, "now", "1970-01-01T00:00:00Z"));

	*world = (struct world){
		.now_ms = now_ms,
		.settings = settings,
		.ctx = decode_document(document, now_ms),
		.view = document_view,
		.views = document_views,
		.views_by = document_views_by,
		.missing = document_missing,
		.evidence = document_evidence,
		.shared_evidence = document_shared_evidence,
		.failure = document_failure,
		.fight = document_fight,
		.shared = &no_shared,
	};
}

void world_release_document(struct world *world)
{
	struct document *document = world->ctx;

	for (size_t i = 0; i < document->count; i++) {
		free(document->objects[i].key);
		view_unref(document->objects[i].view);
	}
	free(document->objects);
	map_release(&document->evidence);
	map_release(&document->fights);
	shared_evidence_free(document->shared);
	free(document);
	world->ctx = NULL;
}
