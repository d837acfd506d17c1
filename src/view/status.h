/*
 * The status of an InferenceAutoscaler. Private to the room.
 */
#ifndef VIEW_STATUS_H
#define VIEW_STATUS_H

#include <jansson.h>

#include "base/arena.h"
#include "view/autoscaler.h"

/* To be released. */
struct view_status read_status(struct arena *arena, const json_t *status);
void read_status_release(const struct view_status *status);

#endif
