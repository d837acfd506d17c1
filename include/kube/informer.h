/*
 * Keeps a cache equal to the server's state of one resource type: list, then watch, for ever.
 *
 * List in pages of 500 from a consistent read, replace the cache, watch from the list's
 * resourceVersion with bookmarks; resume a broken watch at the same resourceVersion; list again on
 * 410 (as HTTP status or as an ERROR event). Objects gone between two lists are reported as
 * deleted. A resource type the server does not know (404 on list: CRD not installed) is not an
 * error: the informer reports `missing`, keeps its cache empty and looks again every 10 s.
 */
#ifndef KUBE_INFORMER_H
#define KUBE_INFORMER_H

#include <stdbool.h>

#include "kube/cache.h"
#include "kube/client.h"

struct kube_informer;

enum kube_event_type { KUBE_ADDED, KUBE_MODIFIED, KUBE_DELETED };

struct kube_informer_hooks {
	/* After the cache took the change. `object` is borrowed; for DELETED its last known state. */
	void (*changed)(void *ctx, struct kube_informer *informer, enum kube_event_type type, const json_t *object);
	/* The first list is in, or the type was found missing, or it appeared, or access was refused or came back:
	 * whatever kube_informer_synced/_missing/_error now say anew. */
	void (*state)(void *ctx, struct kube_informer *informer);
	void *ctx;
};

/* `ns` NULL = all namespaces; `field_selector` NULL = none. Nothing is sent before start. */
struct kube_informer *kube_informer_new(struct kube_client *client, const struct kube_resource *resource, const char *ns,
	const char *field_selector, const struct kube_informer_hooks *hooks);
void kube_informer_start(struct kube_informer *informer);
/* Stops, then closed(ctx) from the loop; freed after it. */
void kube_informer_close(struct kube_informer *informer, void (*closed)(void *ctx), void *ctx);

const struct kube_resource *kube_informer_resource(const struct kube_informer *informer);
const struct kube_cache *kube_informer_cache(const struct kube_informer *informer);
/* A first list succeeded, or the type is known to be missing. */
bool kube_informer_synced(const struct kube_informer *informer);
bool kube_informer_missing(const struct kube_informer *informer);
/* Why lists or watches fail now; NULL when they do not. */
const struct error *kube_informer_error(const struct kube_informer *informer);
/* How far the cache is: it shows every change of this type up to here. "" before the first list. Borrowed. */
const char *kube_informer_resource_version(const struct kube_informer *informer);
/* Monotonic time of the last event, bookmark, list or (re)connect: for liveness. */
int64_t kube_informer_progress_ms(const struct kube_informer *informer);

#endif
