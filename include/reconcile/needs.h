/*
 * What live autoscalers need of the part that they share: rules of the adapter, GPU exporters, and our own metrics API.
 *
 * Whose spec.source is Auto needs the one or the other, as it is resolved (reconcile/source.h) when the totals are read.
 *
 * It is kept up with each change of an autoscaler, so that the shared pass reads totals and costs the same however many
 * there are.
 */
#ifndef RECONCILE_NEEDS_H
#define RECONCILE_NEEDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "api/settings.h"
#include "base/heap.h"
#include "base/map.h"
#include "evidence/evidence.h"
#include "reconcile/gpu.h"
#include "reconcile/world.h"
#include "view/autoscaler.h"

struct needs {
	struct map autoscalers; /* "ns/name" → what this one needs */
	/* By spec.source. */
	struct map metrics[SOURCE_COUNT];   /* metric → who needs it */
	struct map exporters[SOURCE_COUNT]; /* gpu_exporter_id() → who asks for it */
	size_t count[SOURCE_COUNT];         /* of autoscalers */
};

void needs_init(struct needs *needs);
void needs_release(struct needs *needs);
#define auto_needs ATTR_CLEANUP(needs_release) struct needs

/* What this autoscaler needs from now on: nothing when it is on its way out, or its spec is refused. `evidence` NULL = it
 * was not probed yet. Keeps a reference to its view. True when the totals may read otherwise now: of a thousand autoscalers
 * that need the same, one is news. */
bool needs_put(struct needs *needs, const struct settings *settings, const struct view_autoscaler *object,
	const struct evidence *evidence);
/* The autoscaler "ns/name" is gone. True as above. */
bool needs_remove(struct needs *needs, const char *key);
/* Those of all autoscalers of a world; the caller releases them. */
struct needs needs_of_world(const struct world *world);

/* In what follows `direct` tells that Auto means our own metrics API. */
/* The set of metrics that somebody needs of the adapter; new reference. */
json_t *needs_metrics(const struct needs *needs, bool direct);
/* The exporters that are asked for, in the order of the first autoscalers that do: a heap array of *count for the caller
 * to free. What is in it is borrowed. */
struct gpu_need *needs_exporters(const struct needs *needs, bool direct, size_t *count);
/* Whether all who are there want Prometheus, and somebody is: then our own metrics API is in nobody's interest. */
bool needs_prometheus_alone(const struct needs *needs);

#endif
