/*
 * What is read of a Service.
 */
#ifndef VIEW_SERVICE_H
#define VIEW_SERVICE_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "view/view.h"

struct view_service_port {
	const char *name;        /* "" = not given */
	int64_t number;          /* -1 = not given */
	int64_t target_port;     /* -1 = not given as a number */
	const char *target_name; /* "" = not given as a name */
};

struct view_service {
	struct view view;
	const char *own_spec;       /* of ours the spec, for own_object() to read; NULL of all others */
	const char *changed_by;     /* view_changed_by() */
	struct view_pairs selector; /* none = it may lead anywhere */
	const struct view_service_port *ports;
	uint32_t ports_count;
	bool headless; /* it has no address of its own */
};

extern const struct view_type view_service_type;

static inline const struct view_service *view_service(const struct view *view)
{
	assert(view == NULL || view->type == &view_service_type);
	return (const struct view_service *)view;
}

#endif
