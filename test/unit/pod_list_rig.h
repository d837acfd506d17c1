/* Lists of pods from JSON. */
#ifndef UNIT_POD_LIST_RIG_H
#define UNIT_POD_LIST_RIG_H

#include "base/memory.h"
#include "pods/pods.h"

/* The pods of an array of objects, in its order. */
static inline struct pod_list pod_list_read(const json_t *items)
{
	struct pod_list list = {.pods = xcalloc(json_array_size(items) + 1, sizeof(const struct view_pod *))};
	size_t i;
	json_t *item;

	json_array_foreach((json_t *)(uintptr_t)items, i, item) {
		list.pods[list.count++] = view_pod(view_decode_as(&view_pod_type, item));
	}
	return list;
}

#endif
