/* Pods that count, by name. */
#include "counted_pods.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void counted_pods_add(struct counted_pods *pods, const char *name, int64_t ready_ms)
{
	pods->items = xgrow(pods->items, &pods->cap, pods->count + 1, sizeof(*pods->items));
	pods->items[pods->count++] = (struct counted_pod){.name = xstrdup(name), .ready_ms = ready_ms};
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(((const struct counted_pod *)one)->name, ((const struct counted_pod *)other)->name);
}

void counted_pods_sort(struct counted_pods *pods)
{
	if (pods->count > 1) {
		qsort(pods->items, pods->count, sizeof(*pods->items), compare_names);
	}
}

static int compare_name(const void *name, const void *pod)
{
	return strcmp(name, ((const struct counted_pod *)pod)->name);
}

const struct counted_pod *counted_pods_find(const struct counted_pods *pods, const char *name)
{
	return pods->count > 0 ? bsearch(name, pods->items, pods->count, sizeof(*pods->items), compare_name) : NULL;
}

void counted_pods_release(struct counted_pods *pods)
{
	for (size_t i = 0; i < pods->count; i++) {
		free_indirect(&pods->items[i].name);
	}
	free_indirect(&pods->items);
	*pods = (struct counted_pods){.items = NULL};
}
