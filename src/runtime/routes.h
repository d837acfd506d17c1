/*
 * Which keys a change of an object concerns. Keys of autoscalers are "namespace/name"; the shared one's
 * has no slash.
 */
#ifndef RUNTIME_ROUTES_H
#define RUNTIME_ROUTES_H

#include "api/kinds.h"
#include "base/map.h"
#include "kube/informer.h"
#include "probe/probe.h"
#include "reconcile/reconcile.h"
#include "runtime/queue.h"

/* Where keys are found and put, all borrowed; and what was seen already. */
struct routes {
	const struct kube_cache *autoscalers;
	struct queue *queue;
	struct prober *prober;
	struct map prometheuses;  /* key → struct digest of what is read of the resource */
	struct map inactive_hpas; /* keys of those that said last that they do not scale */
};

void routes_init(struct routes *routes, const struct kube_cache *autoscalers, struct queue *queue,
	struct prober *prober);
void routes_release(struct routes *routes);
/* Queues what must be checked again after this change: nobody, when nobody reads what changed. */
void routes_changed(struct routes *routes, enum kind kind, enum kube_event_type type, const json_t *object);
/* Queues every autoscaler; `wake` also probes each at once. */
void routes_all(const struct routes *routes, bool wake);

#endif
