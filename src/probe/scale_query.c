/* From a kind to its resource, and from there to the scale of one object. */
#include "scale_query.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "reading.h"

struct scale_query {
	struct api_reads *reads;
	struct api_read *read;
	char *ns;
	char *api_version;
	char *kind;
	char *name;
	char *plural;
	void (*done)(void *ctx, struct target_seen *seen_take);
	void *ctx;
};

static void finish(struct scale_query *query, struct target_seen *seen)
{
	query->done(query->ctx, seen);
	free_indirect(&query->ns);
	free_indirect(&query->api_version);
	free_indirect(&query->kind);
	free_indirect(&query->name);
	free_indirect(&query->plural);
	free_indirect(&query);
}

static void finish_refused(struct scale_query *query, enum cause cause, char *message_take)
{
	struct target_seen seen = {.failure = {.text = reading_text(message_take), .cause = cause}};

	free_indirect(&message_take);
	finish(query, &seen);
}

/* "/api/v1" or "/apis/GROUP/VERSION"; heap. */
static char *root_of(const struct scale_query *query)
{
	return xasprintf("%s/%s", strchr(query->api_version, '/') != NULL ? "/apis" : "/api", query->api_version);
}

/* 2. The scale. */
static void on_scale(void *ctx, json_t *result, const struct error *err)
{
	struct scale_query *query = ctx;
	const char *selector = json_path_string(result, "status.selector", "");

	query->read = NULL;
	if (err != NULL && err->kind == ERROR_NOT_FOUND) {
		finish_refused(query, CAUSE_NOT_FOUND,
			xasprintf("%s '%s/%s' does not exist: create it or correct spec.scaleTargetRef", query->kind,
				query->ns, query->name));
	} else if (err != NULL && err->kind == ERROR_FORBIDDEN) {
		finish_refused(query, CAUSE_FORBIDDEN,
			xasprintf(
				"the operator may not read the scale of %s '%s/%s': allow it to get '%s/scale' of '%s', by the "
				"chart's value scaleTargets",
				query->kind, query->ns, query->name, query->plural, query->api_version));
	} else if (err != NULL) {
		finish_refused(query, CAUSE_FAILED,
			xasprintf("the scale of %s '%s/%s' cannot be read: %s", query->kind, query->ns, query->name,
				err->message));
	} else if (*selector == '\0') {
		finish_refused(query, CAUSE_NOT_SCALABLE,
			xasprintf(
				"the scale of %s '%s/%s' tells no selector, without which an HPA cannot find its pods",
				query->kind, query->ns, query->name));
	} else {
		struct target_seen seen = {.replicas = json_path_int(result, "spec.replicas", 0),
			.current = json_path_int(result, "status.replicas", 0),
			.selector = xstrdup(selector)};

		finish(query, &seen);
	}
}

/* The plural of the kind, if it has a scale subresource; heap, NULL when it has none. */
static char *find_plural(const json_t *resources, const char *kind)
{
	const char *plural = NULL;
	size_t i;
	json_t *resource;

	json_array_foreach(json_object_get(resources, "resources"), i, resource) {
		const char *name = json_path_string(resource, "name", "");

		if (strcmp(json_path_string(resource, "kind", ""), kind) == 0 && strchr(name, '/') == NULL) {
			plural = name;
		}
	}
	json_array_foreach(json_object_get(resources, "resources"), i, resource) {
		auto_free char *wanted = plural != NULL ? xasprintf("%s/scale", plural) : NULL;

		if (wanted != NULL && strcmp(json_path_string(resource, "name", ""), wanted) == 0) {
			return xstrdup(plural);
		}
	}
	return NULL;
}

/* 1. What the API has of this group and version. */
static void on_discovery(void *ctx, json_t *result, const struct error *err)
{
	struct scale_query *query = ctx;
	auto_free char *root = root_of(query);
	auto_strbuf path = STRBUF_INIT;

	query->read = NULL;
	if (err != NULL && err->kind != ERROR_NOT_FOUND) {
		finish_refused(query, CAUSE_FAILED,
			xasprintf("cannot learn what '%s' has: %s", query->api_version, err->message));
		return;
	}
	query->plural = err == NULL ? find_plural(result, query->kind) : NULL;
	if (query->plural == NULL) {
		finish_refused(query, CAUSE_NOT_SCALABLE,
			xasprintf(
				"this cluster has no kind %s of '%s' with a scale subresource: correct spec.scaleTargetRef, or "
				"install it",
				query->kind, query->api_version));
		return;
	}
	strbuf_addf(&path, "%s/namespaces/", root);
	strbuf_add_urlencoded(&path, query->ns);
	strbuf_addf(&path, "/%s/", query->plural);
	strbuf_add_urlencoded(&path, query->name);
	strbuf_addstr(&path, "/scale");
	query->read = api_read_start(query->reads, path.buf, on_scale, query);
}

struct scale_query *scale_query_start(struct api_reads *reads, const char *ns, const struct target_ref *target,
	void (*done)(void *ctx, struct target_seen *seen_take), void *ctx)
{
	struct scale_query *query = xcalloc(1, sizeof(*query));
	auto_free char *root = NULL;

	*query = (struct scale_query){.reads = reads,
		.ns = xstrdup(ns),
		.api_version = xstrdup(target->api_version != NULL ? target->api_version : ""),
		.kind = xstrdup(target->kind != NULL ? target->kind : ""),
		.name = xstrdup(target->name != NULL ? target->name : ""),
		.done = done,
		.ctx = ctx};
	root = root_of(query);
	query->read = api_read_start(reads, root, on_discovery, query);
	return query;
}

void scale_query_cancel(struct scale_query *query)
{
	api_read_cancel(query->read);
}
