/* Asking a world, and one that is made of a JSON document. */
#include "reconcile/world.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "reconcile/reconcile.h"

static const struct shared_state no_shared = {.state = ADAPTER_UNKNOWN};

/* What such a world is made of. */
struct document {
	const json_t *root;
	struct map evidence; /* "ns/name" → struct evidence */
	struct shared_evidence *shared;
};

static bool is_kind(const json_t *object, enum kind kind)
{
	auto_free char *api_version = kube_api_version(&kinds[kind].resource);

	return strcmp(json_path_string(object, "kind", ""), kinds[kind].resource.kind) == 0 &&
	       strcmp(json_path_string(object, "apiVersion", ""), api_version) == 0;
}

/* Where an object of this key belongs in an ordered list. */
static size_t place(const json_t *list, const char *key)
{
	size_t i = 0;

	for (; i < json_array_size(list); i++) {
		auto_free char *other = kube_object_key(json_array_get(list, i));

		if (strcmp(other, key) > 0) {
			break;
		}
	}
	return i;
}

static const json_t *member_of(const void *ctx, const char *name)
{
	const struct document *document = ctx;

	return json_object_get(document->root, name);
}

static json_t *document_list(void *ctx, enum kind kind, const char *ns)
{
	json_t *found = json_array();
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)member_of(ctx, "objects"), i, object) {
		if (is_kind(object, kind) && (ns == NULL || strcmp(kube_object_namespace(object), ns) == 0)) {
			auto_free char *key = kube_object_key(object);

			json_array_insert(found, place(found, key), object);
		}
	}
	return found;
}

static json_t *document_list_by(void *ctx, enum kind kind, const char *value)
{
	auto_json *all = document_list(ctx, kind, NULL);
	json_t *found = json_array();
	size_t i;
	json_t *object;

	json_array_foreach(all, i, object) {
		auto_free char *own = kinds[kind].index(object);

		if (own != NULL && strcmp(own, value) == 0) {
			json_array_append(found, object);
		}
	}
	return found;
}

static json_t *document_get(void *ctx, enum kind kind, const char *ns, const char *name)
{
	auto_json *all = document_list(ctx, kind, ns);
	size_t i;
	json_t *object;

	json_array_foreach(all, i, object) {
		if (strcmp(kube_object_name(object), name) == 0) {
			return json_incref(object);
		}
	}
	return NULL;
}

static bool document_missing(void *ctx, enum kind kind)
{
	size_t i;
	json_t *name;

	json_array_foreach((json_t *)member_of(ctx, "missing"), i, name) {
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
	return json_string_value(json_object_get(member_of(ctx, "failures"), key));
}

int64_t world_made_ms(const struct world *world, enum kind kind, const char *ns, const char *name)
{
	auto_json *object = world->get(world->ctx, kind, ns, name);

	return object != NULL ? clock_parse_rfc3339(json_path_string(object, "metadata.creationTimestamp", "")) : 0;
}

static void evidence_free_value(void *value)
{
	evidence_free(value);
}

static struct document *document_new(const json_t *root, int64_t now_ms)
{
	struct document *document = xcalloc(1, sizeof(*document));
	const char *key;
	json_t *seen;

	document->root = root;
	map_init(&document->evidence, evidence_free_value);
	json_object_foreach(json_object_get(root, "evidence"), key, seen) {
		if (strcmp(key, SHARED_KEY) == 0) {
			document->shared = shared_evidence_decode(seen, now_ms);
		} else {
			map_put(&document->evidence, key, evidence_decode(seen, now_ms));
		}
	}
	return document;
}

void world_from_document(struct world *world, const json_t *document, const struct settings *settings)
{
	int64_t now_ms = clock_parse_rfc3339(json_path_string(document, "now", "1970-01-01T00:00:00Z"));

	*world = (struct world){
		.now_ms = now_ms,
		.settings = settings,
		.ctx = document_new(document, now_ms),
		.get = document_get,
		.list = document_list,
		.list_by = document_list_by,
		.missing = document_missing,
		.evidence = document_evidence,
		.shared_evidence = document_shared_evidence,
		.failure = document_failure,
		.shared = &no_shared,
	};
}

void world_release(struct world *world)
{
	struct document *document = world->ctx;

	map_release(&document->evidence);
	shared_evidence_free(document->shared);
	free_indirect(&document);
	world->ctx = NULL;
}
