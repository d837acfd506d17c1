/*
 * Keeps a cache equal to the server's state of one resource type: list, then watch, for ever.
 *
 * The list comes as a stream (sendInitialEvents, Kubernetes ≥ 1.32) that goes on as the watch, or
 * in pages of 50 where the server cannot give that; both from a consistent read. Watches carry
 * bookmarks and a random timeout of 5–10 minutes; a broken one (also 429, 5xx, connection refused)
 * is resumed at the same resourceVersion after a back-off (net/backoff.h), and so is one that ends
 * at once without an event. A server's Retry-After is waited out, up to a minute; one of ten seconds
 * or more is reported by the state hook. Listed again is on 410 and "too large resource version" (as HTTP
 * status or as an ERROR event), after an event that cannot be read, and when the last list is ten
 * hours old. Objects gone between two lists are reported as deleted. A resource type the server
 * does not know (404 on list: CRD not installed) is not an error: the informer reports `missing`,
 * keeps its cache empty and looks again every 10 s.
 *
 * Of several namespaces each has an informer of its own behind the one that is given out; their objects are in one cache.
 * One of them that the API server refuses holds up none of the others: the namespace, and the right with it, may be gone.
 *
 * These are client-go's rules: tools/cache/reflector.go, tools/pager/pager.go;
 * https://kubernetes.io/docs/reference/using-api/api-concepts/
 */
#ifndef KUBE_INFORMER_H
#define KUBE_INFORMER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/texts.h"
#include "kube/cache.h"
#include "kube/client.h"

struct kube_informer;

struct kube_informer_hooks {
	/* After the cache took the change: what it had before (NULL = it is new) and has now (NULL = it is gone), borrowed. */
	void (*changed)(void *ctx, struct kube_informer *informer, const void *before, const void *now);
	/* The first list is in, or the type was found missing, or it appeared, or access was refused or came back:
	 * whatever kube_informer_synced/_missing/_error now say anew. */
	void (*state)(void *ctx, struct kube_informer *informer);
	struct kube_cache_form form; /* of its cache */
	void *ctx;
};

/* `ns` NULL = all namespaces; `field_selector` NULL = none. Nothing is sent before start. */
struct kube_informer *kube_informer_new(struct kube_client *client, const struct kube_resource *resource,
	const char *ns, const char *field_selector, const struct kube_informer_hooks *hooks);
/* The same of these namespaces alone; of none = of all. */
struct kube_informer *kube_informer_new_in(struct kube_client *client, const struct kube_resource *resource,
	const struct texts *namespaces, const char *field_selector, const struct kube_informer_hooks *hooks);
void kube_informer_start(struct kube_informer *informer);
/* Forgets that it was refused and asks at once: until the answer nothing is said of the right, which may be there by now. */
void kube_informer_retry(struct kube_informer *informer);
/* Stops, then closed(ctx) from the loop; freed after it. */
void kube_informer_close(struct kube_informer *informer, void (*closed)(void *ctx), void *ctx);

const struct kube_resource *kube_informer_resource(const struct kube_informer *informer);
const struct kube_cache *kube_informer_cache(const struct kube_informer *informer);
/* A first list succeeded, or the type is known to be missing. */
bool kube_informer_synced(const struct kube_informer *informer);
bool kube_informer_missing(const struct kube_informer *informer);
/* Why lists or watches fail now; NULL when they do not. */
const struct error *kube_informer_error(const struct kube_informer *informer);
/* Whether that is since we have not the right. */
bool kube_informer_refused(const struct kube_informer *informer);
/* A namespace in few bytes, as it is for this process. */
uint32_t kube_namespace_mark(const char *ns);
/* How far the cache is: it shows every change of this type in the namespace of this mark up to here. "" before the first
 * list. Borrowed. */
const char *kube_informer_resource_version(const struct kube_informer *informer, uint32_t mark);
/* Monotonic time of the last event, bookmark, list or (re)connect: for liveness. */
int64_t kube_informer_progress_ms(const struct kube_informer *informer);

#endif
