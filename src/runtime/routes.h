/*
 * Which keys a change of an object concerns. Keys of autoscalers are "namespace/name"; the stack's
 * has no slash.
 */
#ifndef RUNTIME_ROUTES_H
#define RUNTIME_ROUTES_H

#include "api/kinds.h"
#include "kube/informer.h"
#include "probe/probe.h"
#include "reconcile/reconcile.h"
#include "runtime/queue.h"

/* Where keys are found and put; all borrowed. */
struct routes {
	const struct kube_cache *autoscalers;
	struct queue *queue;
	struct prober *prober;
};

/* Queues what must be looked at again after this change. */
void routes_changed(const struct routes *routes, enum kind kind, enum kube_event_type type, const json_t *object);
/* Queues every autoscaler; `kick` also probes each at once. */
void routes_all(const struct routes *routes, bool kick);

#endif
