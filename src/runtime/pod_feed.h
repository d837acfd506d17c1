/*
 * The pods (pods/pods.h) as their informer shows them.
 */
#ifndef RUNTIME_POD_FEED_H
#define RUNTIME_POD_FEED_H

#include <stdbool.h>

#include "kube/informer.h"
#include "pods/pods.h"

/* Both are called from the informer's hooks of the same name, also before it has synced. The second is true when the pods
 * were not known, or could be, and now it is otherwise. */
void pod_feed_changed(struct pods *pods, const struct view *before, const struct view *now);
bool pod_feed_state(struct pods *pods, const struct kube_informer *informer);

#endif
