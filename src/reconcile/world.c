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

/* What a world made of a document answers from: `render` may be given thousands of objects, and each is asked for. */
struct document {
	const json_t *json; /* borrowed */
	/* In the order of kinds, then keys, then of the document. */
	struct document_object *objects;
	size_t count;
	size_t first[KIND_COUNT + 1]; /* of each kind */
	/* Those with an index, in the order of kinds, then indexes, then as above. */
	const struct document_object **indexed;
	size_t indexed_count;
	struct map evidence; /* "ns/name" → struct evidence */
	struct map fights;   /* "ns/name" → struct replicas_fight */
	struct shared_evidence *shared;
};

struct document_object {
	enum kind kind;
	char *key;
	char *index; /* "ns/name" of view/index.h; NULL = none */
	size_t at;   /* in the document */
	const struct view *view;
};

static const struct shared_state no_shared = {.state = ADAPTER_UNKNOWN};

static const json_t *json_of(const struct document *document)
{
	return document->json;
}

/* The first of the kind whose key is not before this one, in the order of keys; the kind's end if there is none. */
static size_t find_key(const struct document *document, enum kind kind, const char *key)
{
	size_t begin = document->first[kind];
	size_t end = document->first[kind + 1];

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (strcmp(document->objects[middle].key, key) < 0) {
			begin = middle + 1;
		} else {
			end = middle;
		}
	}
	return begin;
}

static const struct view *document_view(void *ctx, enum kind kind, const char *ns, const char *name)
{
	const struct document *document = ctx;
	auto_free char *key = kube_key(ns, name);
	size_t at = find_key(document, kind, key);

	if (at == document->first[kind + 1] || strcmp(document->objects[at].key, key) != 0) {
		return NULL;
	}
	return document->objects[at].view;
}

static struct view_list document_views(void *ctx, enum kind kind, const char *ns)
{
	const struct document *document = ctx;
	size_t begin = document->first[kind];
	size_t end = document->first[kind + 1];
	struct view_list list = {.items = xcalloc(end - begin, sizeof(*list.items))};

	for (size_t i = begin; i < end; i++) {
		const struct view *view = document->objects[i].view;

		if (ns == NULL || strcmp(view->meta.ns, ns) == 0) {
			list.items[list.count++] = view;
		}
	}
	return list;
}

static int compare_indexed(const struct document_object *object, enum kind kind, const char *index)
{
	return object->kind != kind ? (object->kind < kind ? -1 : 1) : strcmp(object->index, index);
}

static size_t find_index(const struct document *document, enum kind kind, const char *index)
{
	size_t begin = 0;
	size_t end = document->indexed_count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;

		if (compare_indexed(document->indexed[middle], kind, index) < 0) {
			begin = middle + 1;
		} else {
			end = middle;
		}
	}
	return begin;
}

static struct view_list document_views_by(void *ctx, enum kind kind, const char *value)
{
	const struct document *document = ctx;
	size_t begin = find_index(document, kind, value);
	size_t end = begin;
	struct view_list list = {.items = NULL};

	while (end < document->indexed_count && compare_indexed(document->indexed[end], kind, value) == 0) {
		end++;
	}
	list.items = xcalloc(end - begin, sizeof(*list.items));
	for (size_t i = begin; i < end; i++) {
		list.items[list.count++] = document->indexed[i]->view;
	}
	return list;
}

/* Whether one of the names is the kind's. */
static bool names_kind(const json_t *names, enum kind kind)
{
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)(uintptr_t)names, i, name) {
		if (strcmp(json_string_value(name), kinds[kind].resource.kind) == 0) {
			return true;
		}
	}
	return false;
}

static bool document_missing(void *ctx, enum kind kind)
{
	return names_kind(json_object_get(json_of(ctx), "missing"), kind);
}

static bool document_refused(void *ctx, enum kind kind)
{
	return names_kind(json_object_get(json_of(ctx), "refused"), kind);
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
	int order = left->kind != right->kind ? (left->kind < right->kind ? -1 : 1) : strcmp(left->key, right->key);

	return order != 0 ? order : left->at < right->at ? -1 : 1;
}

/* The objects lie in their order, so that of two of one index the pointers have it too. */
static int compare_indexes(const void *a, const void *b)
{
	const struct document_object *const *left = a;
	const struct document_object *const *right = b;
	int order = compare_indexed(*left, (*right)->kind, (*right)->index);

	return order != 0 ? order : *left < *right ? -1 : 1;
}

/* Heap; NULL = it has none. */
static char *index_of(const struct view *view)
{
	const char *ns;
	const char *name;

	return view_index(view, &ns, &name) ? kube_key(ns, name) : NULL;
}

static void sort_document(struct document *document)
{
	size_t kind = 0;

	qsort(document->objects, document->count, sizeof(*document->objects), compare_objects);
	document->indexed = xcalloc(document->count, sizeof(*document->indexed));
	for (size_t i = 0; i < document->count; i++) {
		const struct document_object *object = &document->objects[i];

		while (kind <= object->kind) {
			document->first[kind++] = i;
		}
		if (object->index != NULL) {
			document->indexed[document->indexed_count++] = object;
		}
	}
	while (kind <= KIND_COUNT) {
		document->first[kind++] = document->count;
	}
	qsort(document->indexed, document->indexed_count, sizeof(*document->indexed), compare_indexes);
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
			const struct view *view = view_decode(kind, object);

			document->objects[document->count++] = (struct document_object){
				.kind = kind,
				.key = kube_object_key(object),
				.index = index_of(view),
				.at = i,
				.view = view,
			};
		}
	}
	sort_document(document);
	decode_evidence(document, now_ms);
	decode_fights(document);
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
		.refused = document_refused,
		.evidence = document_evidence,
		.shared_evidence = document_shared_evidence,
		.failure = document_failure,
		.fight = document_fight,
		.ca_bundle = json_path_string(document, "caBundle", NULL),
		.ca_bundle_since_ms =
			clock_parse_rfc3339(json_path_string(document, "caBundleSince", "1970-01-01T00:00:00Z")),
		.forward_failure = json_path_string(document, "forwardFailure", NULL),
		.hpa_period_s = json_path_int(document, "hpaPeriodSeconds", 0),
		.shared = &no_shared,
	};
}

void world_release_document(struct world *world)
{
	struct document *document = world->ctx;

	for (size_t i = 0; i < document->count; i++) {
		free(document->objects[i].key);
		free(document->objects[i].index);
		view_unref(document->objects[i].view);
	}
	free(document->objects);
	free(document->indexed);
	map_release(&document->evidence);
	map_release(&document->fights);
	shared_evidence_free(document->shared);
	free(document);
	world->ctx = NULL;
}
