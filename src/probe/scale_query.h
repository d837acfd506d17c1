/*
 * A target of a kind that is not watched, read through its scale subresource, as the HPA controller
 * does: the replicas, and the selector of its pods.
 */
#ifndef PROBE_SCALE_QUERY_H
#define PROBE_SCALE_QUERY_H

#include <jansson.h>

#include "kube/client.h"

struct scale_query;

/*
 * Asks for `target` {apiVersion, kind, name} in the namespace. `document_take`, from the loop, once:
 * {replicas, current, selector: "a=b,c=d"}, or {error, cause}, where cause is NotFound, NotScalable (the kind
 * is not there, or has no scale subresource, or no selector in it), Forbidden or Failed.
 */
struct scale_query *scale_query_start(struct kube_client *client, const char *ns, const json_t *target,
	void (*done)(void *ctx, json_t *document_take), void *ctx);
/* `done` comes all the same. */
void scale_query_cancel(struct scale_query *query);

#endif
