/*
 * Pods in groups of the same labels. Private to the room.
 */
#ifndef PODS_STORE_H
#define PODS_STORE_H

#include "label_index.h"
#include "pods/pods.h"

/* All zeros is empty. */
struct pod_store {
	struct hash_table pods;   /* struct pod, by namespace and name */
	struct hash_table groups; /* struct group, by namespace and labels */
	struct label_index index; /* struct group, by its namespace and each of its labels */
};

void pod_store_release(struct pod_store *store);
/* Takes the reference. The pod of this name as it was before, which is the caller's; NULL = there was none. */
const struct view *pod_store_put(struct pod_store *store, const struct view *pod_take);
/* The pod as it was, likewise. */
const struct view *pod_store_take(struct pod_store *store, const char *ns, const char *name);
struct pod_list pod_store_find(const struct pod_store *store, const char *ns, const struct view_selector *selector);

#endif
