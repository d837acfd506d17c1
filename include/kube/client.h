/*
 * Requests to the API server: JSON in, JSON out, errors worded from the Status it answers.
 *
 * A call completes exactly once, from the loop. 429 and 5xx with Retry-After are retried inside
 * (at most 10 times, as client-go's rest/with_retry.go; every body here can be sent again);
 * everything else is the caller's to decide. Where credentials have to be fetched first
 * (kube/config.h), the call waits for them.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "kube/config.h"
#include "kube/resource.h"
#include "net/http_client.h"

struct kube_client;
struct kube_call;

/* `result` is borrowed (json_incref to keep); NULL exactly when `err` is set. */
typedef void kube_done_fn(void *ctx, json_t *result, const struct error *err);

/* A whole body of 2xx, heap. */
typedef void kube_text_fn(void *ctx, char *text_take, size_t len);

/* Borrows all three for its life. */
struct kube_client *kube_client_new(uv_loop_t *loop, struct http_client *http, struct kube_config *config);
/* Every call must have completed. */
void kube_client_free(struct kube_client *client);
/* From now on each request that may change something is asked about in the moment it leaves, on a
 * connection that stands, also when it is sent again: where the answer is no, it fails with
 * ERROR_CANCELLED. For whoever may write only while it holds a Lease: a process that was stopped between
 * the start of a request and its leaving must not send it when it wakes. */
void kube_client_guard(struct kube_client *client, bool (*may_write)(void *ctx), void *ctx);
/* Watches go over this one from now on (borrowed), and so over connections of their own. An API server ends a watch that
 * does not take an event at once, and beside a hundred writes on the same connection it would not. */
void kube_client_watch_over(struct kube_client *client, struct http_client *http);
uv_loop_t *kube_client_loop(struct kube_client *client);
/* Our credentials as a header "Authorization: …", for another server of the cluster that knows us by them; heap, caller owns.
 * NULL when there are none, or a certificate is the credential. */
char *kube_client_authorization(struct kube_client *client);

/* Any request by path ("/apis/…?query"). `content_type` and `body` may be NULL. A body that is not JSON gives ERROR_INTERNAL. */
struct kube_call *kube_request(struct kube_client *client, const char *method, const char *path,
	const char *content_type, const json_t *body, kube_done_fn *done, void *ctx);

/* GET of what is no JSON, such as a pod's page through the API server's proxy: an answer of at most so many bytes goes to
 * `text`, then comes done. */
struct kube_call *kube_read_text(struct kube_client *client, const char *path, size_t max_body, kube_text_fn *text,
	kube_done_fn *done, void *ctx);

struct kube_call *kube_get(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *name, kube_done_fn *done, void *ctx);
/* Server-side apply, forced, by `field_manager`. The object holds only the fields we own. */
struct kube_call *kube_apply(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	const char *field_manager, kube_done_fn *done, void *ctx);
/* Server-side apply of the status subresource. */
struct kube_call *kube_apply_status(struct kube_client *client, const struct kube_resource *resource,
	const json_t *object, const char *field_manager, kube_done_fn *done, void *ctx);
/* Makes of an entry of the object's metadata.managedFields, by its index, one of a server-side apply: what that manager
 * made by a create it can take away by an apply then. The object's resourceVersion is a precondition. */
struct kube_call *kube_claim(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	unsigned entry, kube_done_fn *done, void *ctx);
/* JSON merge patch; a metadata.resourceVersion in the patch is a precondition. */
struct kube_call *kube_merge_patch(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *name, const json_t *patch, const char *field_manager, kube_done_fn *done, void *ctx);
struct kube_call *kube_create(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	const char *field_manager, kube_done_fn *done, void *ctx);
/* PUT of the whole object; its metadata.resourceVersion is a precondition. */
struct kube_call *kube_replace(struct kube_client *client, const struct kube_resource *resource, const json_t *object,
	const char *field_manager, kube_done_fn *done, void *ctx);
/* Deletes with a UID precondition (NULL = none), propagation Background. Not found is success with result {}. */
struct kube_call *kube_delete(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *name, const char *uid, kube_done_fn *done, void *ctx);
/* done is called later with ERROR_CANCELLED. */
void kube_call_cancel(struct kube_call *call);

#endif
