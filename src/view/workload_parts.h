/*
 * Parts of a workload's template. Private to the room.
 */
#ifndef VIEW_WORKLOAD_PARTS_H
#define VIEW_WORKLOAD_PARTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/arena.h"
#include "view/workload.h"

/* Fills the first `count` from the list of a container's ports. */
void read_ports(struct arena *arena, const json_t *list, struct view_port *ports, uint32_t count);

/* What the file is of that the container of this pod spec sees at `path`; NULL = the path is not told. */
const struct view_config *read_config(struct arena *arena, const json_t *spec, const json_t *container,
	const char *path);

#endif
