/*
 * For `render`: targets of kinds that are not watched, from their manifests.
 *
 * Private to src/command.
 */
#ifndef COMMAND_RENDER_TARGET_H
#define COMMAND_RENDER_TARGET_H

#include <jansson.h>

/* What probes of such targets would find by their scale and their pods, as the evidence of a world's document
 * (reconcile/world.h): of each InferenceAutoscaler among the objects whose target is there too. New reference. */
json_t *render_target_evidence(const json_t *objects);

#endif
