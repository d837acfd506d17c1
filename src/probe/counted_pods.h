/*
 * The pods of a target that count.
 *
 * Private to src/probe.
 */
#ifndef PROBE_COUNTED_PODS_H
#define PROBE_COUNTED_PODS_H

#include <stddef.h>
#include <stdint.h>

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
