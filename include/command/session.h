/*
 * One verb's talk with the API server: ask, wait for the answer, ask the next.
 *
 * A loop and a client of its own. All of it together may take options->timeout; then the program
 * says so and ends with EXIT_USAGE.
 */
#ifndef COMMAND_SESSION_H
#define COMMAND_SESSION_H

#include <jansson.h>

#include "command/options.h"
#include "kube/resource.h"
#include "reconcile/plan.h"

struct session;

/* NULL and `err` when the kubeconfig or the timeout is wrong; nothing is sent yet. */
struct session *session_open(const struct options *options, struct error *err);
void session_close(struct session *session);

/* The namespace of the context. */
const char *session_namespace(const struct session *session);
/* New reference, or NULL and `err`. */
json_t *session_get(struct session *session, const struct kube_resource *resource, const char *ns, const char *name,
	struct error *err);
/* What the API server answers at a path. New reference, or NULL and `err`. */
json_t *session_read(struct session *session, const char *path, struct error *err);
/* The same of what is no JSON, up to so many bytes. Heap. */
char *session_read_text(struct session *session, const char *path, size_t max_body, struct error *err);
/* The objects of a namespace (NULL = all), each with its apiVersion and kind. `query`: "labelSelector=…", URL-encoded,
 * or NULL. New reference to an array; NULL and `err`, ERROR_NOT_FOUND when the type is not installed. */
json_t *session_list(struct session *session, const struct kube_resource *resource, const char *ns, const char *query,
	struct error *err);
/* Carries out the writes; takes the plan's contents. */
int session_run(struct session *session, struct plan *plan_take, struct error *err);

#endif
