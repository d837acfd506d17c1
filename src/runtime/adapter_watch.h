/*
 * The watch of the adapter's ConfigMap, which follows the adapter: a ConfigMap whose name has a hash is another one after
 * each change of whoever delivers it, and only the Deployment says which. Of the others in its namespace none is read; the
 * one that was watched before is remembered until our rules are taken out of it. Where there is no adapter and nobody needs
 * one, since the metrics API is our own, none is watched.
 */
#ifndef RUNTIME_ADAPTER_WATCH_H
#define RUNTIME_ADAPTER_WATCH_H

#include <stdbool.h>

#include "kube/informer.h"
#include "reconcile/plan.h"
#include "view/view.h"

struct controller;

struct adapter_watch {
	struct kube_informer_hooks hooks;
	char *configmap;         /* owned: the one that is watched, "ns/name"; NULL = none yet */
	char *deployment;        /* owned: of the adapter, "ns/name"; NULL = not known yet */
	bool rests;              /* nobody needs an adapter, and there is none */
	const struct view *left; /* one reference: the ConfigMap with our rules that it read before; NULL = none */
};

/* Makes an informer that is not started, so that there is one. */
void adapter_watch_init(struct controller *controller, const struct kube_informer_hooks *hooks);
/* Watches what the caches say that the adapter reads, if there is one or somebody needs it; the caches of all other kinds
 * have to be filled. False while it is not known yet what is there: the state hook is called then. */
bool adapter_watch_follow(struct controller *controller);
/* Whether the change of a Deployment is the adapter's, or may make another one the adapter's. */
bool adapter_watch_concerns(const struct adapter_watch *watch, const struct view *before, const struct view *now);
/* Forgets the one that was left when the plan writes to it: what comes of that is not seen. */
void adapter_watch_planned(struct adapter_watch *watch, const struct plan *plan);
void adapter_watch_release(struct adapter_watch *watch);

#endif
