/* The verbs of the API server. */
#include "kube/client.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "call.h"
#include "sources.h"

struct kube_client *kube_client_new(uv_loop_t *loop, struct http_client *http, struct kube_config *config)
{
	struct kube_client *client = xcalloc(1, sizeof(*client));

	*client = (struct kube_client){.loop = loop, .http = http, .config = config};
	return client;
}

void kube_client_free(struct kube_client *client)
{
	free(client);
}

void kube_client_guard(struct kube_client *client, bool (*may_write)(void *ctx), void *ctx)
{
	client->may_write = may_write;
	client->guard_ctx = ctx;
}

void kube_client_watch_over(struct kube_client *client, struct http_client *http)
{
	client->watch_http = http;
}

uv_loop_t *kube_client_loop(struct kube_client *client)
{
	return client->loop;
}

char *kube_client_authorization(struct kube_client *client)
{
	char *header;

	return kube_config_authorization(client->config, &header, NULL) == 0 ? header : NULL;
}

struct kube_call *kube_request(struct kube_client *client, const char *method, const char *path,
	const char *content_type, const json_t *body, kube_done_fn *done, void *ctx)
{
	auto_free char *what = xasprintf("%s '%s'", method, path);

	return kube_call_start(client, &(struct kube_call_spec){
					       .method = method,
					       .path = path,
					       .content_type = content_type,
					       .body = body,
					       .what = what,
					       .done = done,
					       .ctx = ctx,
				       });
}

struct kube_call *kube_read_text(struct kube_client *client, const char *path, size_t max_body, kube_text_fn *text,
	kube_done_fn *done, void *ctx)
{
	auto_free char *what = xasprintf("GET '%s'", path);

	return kube_call_start(client, &(struct kube_call_spec){
					       .method = "GET",
					       .path = path,
					       .what = what,
					       .max_body = max_body,
					       .on_text = text,
					       .done = done,
					       .ctx = ctx,
				       });
}

/* What all verbs on one object share: its path, the field manager's query, and the words for
 * errors. */
struct verb {
	const char *word; /* "apply" */
	const char *method;
	const char *suffix;        /* "/status", or NULL */
	const char *field_manager; /* NULL = none */
	const char *query;         /* further "name=value", or NULL */
	const char *content_type;
	bool on_collection; /* the path ends before the name */
	bool missing_ok;
};

/* Of the answer to a write: whose fields these are, and what is to come of them, is seen in the watch. */
static const char *const unread_of_write[] = {"fieldsV1", "status", NULL};

static struct kube_call *start_verb(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *name, const struct verb *verb, const json_t *body, kube_done_fn *done, void *ctx)
{
	auto_free char *base = kube_resource_path(resource, ns, verb->on_collection ? NULL : name);
	auto_free char *key = kube_key(resource->namespaced ? ns : NULL, name);
	auto_free char *what = xasprintf("%s %s '%s'", verb->word, resource->kind, key);
	auto_strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s%s", base, verb->suffix != NULL ? verb->suffix : "");
	if (verb->field_manager != NULL) {
		strbuf_addstr(&path, "?fieldManager=");
		strbuf_add_urlencoded(&path, verb->field_manager);
	}
	if (verb->query != NULL) {
		strbuf_addf(&path, "%c%s", verb->field_manager != NULL ? '&' : '?', verb->query);
	}
	return kube_call_start(client, &(struct kube_call_spec){
					       .method = verb->method,
					       .path = path.buf,
					       .content_type = verb->content_type,
					       .body = body,
					       .what = what,
					       .unread = body != NULL ? unread_of_write : NULL,
					       .missing_ok = verb->missing_ok,
					       .done = done,
					       .ctx = ctx,
				       });
}

struct kube_call *kube_get(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *name, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {.word = "get", .method = "GET"};

	return start_verb(client, resource, ns, name, &verb, NULL, done, ctx);
}

struct kube_call *kube_apply(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	const char *field_manager, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {
		.word = "apply",
		.method = "PATCH",
		.field_manager = field_manager,
		.query = "force=true",
		.content_type = "application/apply-patch+yaml",
	};

	return start_verb(client, resource, kube_object_namespace(object), kube_object_name(object), &verb, object,
		done, ctx);
}

struct kube_call *kube_apply_status(struct kube_client *client, const struct kube_resource *resource,
	const json_t *object, const char *field_manager, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {
		.word = "apply status of",
		.method = "PATCH",
		.suffix = "/status",
		.field_manager = field_manager,
		.query = "force=true",
		.content_type = "application/apply-patch+yaml",
	};

	return start_verb(client, resource, kube_object_namespace(object), kube_object_name(object), &verb, object,
		done, ctx);
}

/* As client-go does it (util/csaupgrade), but for one entry: the server refuses another version with 409. */
struct kube_call *kube_claim(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	unsigned entry, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {
		.word = "claim the fields of",
		.method = "PATCH",
		.content_type = "application/json-patch+json",
	};
	auto_free char *path = xasprintf("/metadata/managedFields/%u/operation", entry);
	auto_json *patch =
		json_pack("[{s:s, s:s, s:s}, {s:s, s:s, s:s}]", "op", "replace", "path", "/metadata/resourceVersion",
			"value", kube_object_resource_version(object), "op", "replace", "path", path, "value", "Apply");

	return start_verb(client, resource, kube_object_namespace(object), kube_object_name(object), &verb, patch, done,
		ctx);
}

struct kube_call *kube_merge_patch(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *name, const json_t *patch, const char *field_manager, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {
		.word = "patch",
		.method = "PATCH",
		.field_manager = field_manager,
		.content_type = "application/merge-patch+json",
	};

	return start_verb(client, resource, ns, name, &verb, patch, done, ctx);
}

struct kube_call *kube_create(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	const char *field_manager, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {
		.word = "create",
		.method = "POST",
		.field_manager = field_manager,
		.on_collection = true,
	};

	return start_verb(client, resource, kube_object_namespace(object), kube_object_name(object), &verb, object,
		done, ctx);
}

struct kube_call *kube_replace(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	const char *field_manager, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {.word = "update", .method = "PUT", .field_manager = field_manager};

	return start_verb(client, resource, kube_object_namespace(object), kube_object_name(object), &verb, object,
		done, ctx);
}

struct kube_call *kube_delete(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *name, const char *uid, kube_done_fn *done, void *ctx)
{
	const struct verb verb = {.word = "delete", .method = "DELETE", .missing_ok = true};
	auto_json *options = json_pack("{s:s, s:s, s:s}", "apiVersion", "v1", "kind", "DeleteOptions",
		"propagationPolicy", "Background");

	if (uid != NULL && uid[0] != '\0') {
		json_object_set_new(options, "preconditions", json_pack("{s:s}", "uid", uid));
	}
	return start_verb(client, resource, ns, name, &verb, options, done, ctx);
}
