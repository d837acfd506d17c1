/*
 * The patch of a ConfigMap that the adapter reads, or read before.
 */
#ifndef RECONCILE_ADAPTER_PATCH_H
#define RECONCILE_ADAPTER_PATCH_H

#include <jansson.h>

#include "view/core.h"

/* Sets these keys of its data, and the revision of our rules beside them; NULL takes that away. New reference. */
json_t *adapter_configmap_patch(const struct view_configmap *configmap, const char *revision, json_t *data);

#endif
