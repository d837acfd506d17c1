/*
 * The pods of a selector, as a probe gets them: behind a small interface, so that they need not be listed for each probe.
 *
 * Private to src/probe.
 */
#ifndef PROBE_POD_LIST_H
#define PROBE_POD_LIST_H

#include <stddef.h>
#include <stdint.h>

#include "kube/client.h"
#include "view/pod.h"

/* In the order of the API server, which is that of their names. */
struct pod_list {
	const struct view_pod **pods;
	size_t count;
};

/* `list` is the receiver's then; NULL exactly when `err` is set. */
typedef void pods_done_fn(void *ctx, struct pod_list *list_take, const struct error *err);

/* Where the pods come from. */
struct pods_source {
	/* `done` comes once, from the loop. What it returns is valid until then. */
	void *(*ask)(void *ctx, const char *ns, const char *selector, pods_done_fn *done, void *done_ctx);
	/* `done` comes all the same. */
	void (*cancel)(void *asked);
	void *ctx;
};

/* From a list of the API server. Borrows the client. */
struct pods_source pod_list_source(struct kube_client *client);
/* What is no PodList has no pods. */
struct pod_list *pod_list_read(const json_t *list);
/* NULL is allowed. */
void pod_list_free(struct pod_list *list);

/* A pod that counts: it is ready, or was so with the containers that it runs now. */
struct counted_pod {
	char *name;
	int64_t ready_ms; /* since when, wall; -1 = it is not ready any more */
};

/* Sorted by name; all zeros is empty. */
struct counted_pods {
	struct counted_pod *items;
	size_t count;
	size_t cap;
};

void counted_pods_add(struct counted_pods *pods, const char *name, int64_t ready_ms);
/* NULL when it does not count. */
const struct counted_pod *counted_pods_find(const struct counted_pods *pods, const char *name);
/* After the last is added. */
void counted_pods_sort(struct counted_pods *pods);
void counted_pods_release(struct counted_pods *pods);

#endif
