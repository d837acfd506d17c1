/*
 * What a workload's template and a Pod have in common. Private to the room.
 */
#ifndef VIEW_WORKLOAD_PARTS_H
#define VIEW_WORKLOAD_PARTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "view/workload.h"

/* Fills the first `count` from the list of a container's ports. */
void read_ports(struct arena *arena, const json_t *list, struct view_port *ports, uint32_t count);

#endif
