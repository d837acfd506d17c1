/* Asking a world, and one that is made of a JSON document. */
#include "reconcile/world.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "reconcile/reconcile.h"

static const struct shared_state no_shared = {.state = ADAPTER_UNKNOWN};

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

static json_t *document_list(void *ctx, enum kind kind, const char *ns)
{
	json_t *found = json_array();
	size_t i;
	json_t *object;

	json_array_foreach(json_object_get(ctx, "objects"), i, object) {
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

	json_array_foreach(json_object_get(ctx, "missing"), i, name) {
		if (strcmp(json_string_value(name), kinds[kind].resource.kind) == 0) {
			return true;
		}
	}
	return false;
}

static const json_t *document_evidence(void *ctx, const char *key)
{
	return json_object_get(json_object_get(ctx, "evidence"), key);
}

static const char *document_failure(void *ctx, const char *key)
{
	return json_string_value(json_object_get(json_object_get(ctx, "failures"), key));
}

int64_t world_made_ms(const struct world *world, enum kind kind, const char *ns, const char *name)
{
	auto_json *object = world->get(world->ctx, kind, ns, name);

	return object != NULL ? clock_parse_rfc3339(json_path_string(object, "metadata.creationTimestamp", "")) : 0;
}

void world_from_document(struct world *world, const json_t *document, const struct settings *settings)
{
	*world = (struct world){
		.now_ms = clock_parse_rfc3339(json_path_string(document, "now", "1970-01-01T00:00:00Z")),
		.settings = settings,
		.ctx = (void *)(uintptr_t)document,
		.get = document_get,
		.list = document_list,
		.list_by = document_list_by,
		.missing = document_missing,
		.evidence = document_evidence,
		.failure = document_failure,
		.shared = &no_shared,
	};
}
