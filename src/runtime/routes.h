/*
 * Which keys a change of an object concerns. Keys of autoscalers are "namespace/name"; the shared one's
 * has no slash.
 */
#ifndef RUNTIME_ROUTES_H
#define RUNTIME_ROUTES_H

#include "api/kinds.h"
#include "kube/informer.h"
#include "probe/probe.h"
#include "reconcile/reconcile.h"
#include "runtime/queue.h"

/* Where keys are found and put, all borrowed. */
struct routes {
	const struct kube_cache *autoscalers;
	struct queue *queue;
	struct prober *prober;
};

void routes_init(struct routes *routes, const struct kube_cache *autoscalers, struct queue *queue,
	struct prober *prober);
/* Queues what must be checked again after this change: nobody, when nobody reads what changed. `before` NULL = it is new,
 * `now` NULL = it is gone. */
void routes_changed(const struct routes *routes, enum kind kind, const struct view *before, const struct view *now);
/* Queues every autoscaler; `notify` also probes each soon, unless all of it is well. */
void routes_all(const struct routes *routes, bool notify);
/* Queues those that were given advice. */
void routes_advised(const struct routes *routes);

#endif
