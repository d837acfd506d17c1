/*
 * From what the informers report to keys in the queue, and to what is kept of all autoscalers. Private to src/runtime.
 */
#ifndef RUNTIME_CHANGES_H
#define RUNTIME_CHANGES_H

#include "api/kinds.h"
#include "kube/informer.h"
#include "view/view.h"

struct controller;

/* Of the informer of this kind. */
struct kube_informer_hooks changes_hooks(struct controller *controller, enum kind kind);
/* Queues all there is: the replica acts from now on, or a resource type is there, or is not, since the last time. */
void changes_begin(struct controller *controller);
/* Keeps what this autoscaler needs of the shared part, by its spec and by what its probe saw last; queues the shared key
 * when that is something else now. */
void changes_note_needs(struct controller *controller, const struct view *autoscaler);

#endif
