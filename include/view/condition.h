/*
 * The conditions of a status.
 */
#ifndef VIEW_CONDITION_H
#define VIEW_CONDITION_H

#include <stdint.h>

struct view_condition {
	const char *type;   /* "" = not given */
	const char *status; /* "" = not given */
	const char *reason; /* NULL = not given, as the next */
	const char *message;
	int64_t transition_ms;       /* lastTransitionTime, wall; -1 = not given, or no time */
	int64_t observed_generation; /* -1 = not given */
};

struct view_conditions {
	const struct view_condition *items; /* in the status' order */
	uint32_t count;
};

/* The first of this type; NULL when there is none. */
const struct view_condition *view_condition(const struct view_conditions *conditions, const char *type);
/* Its status; "" when there is no such condition. */
const char *view_condition_status(const struct view_conditions *conditions, const char *type);

#endif
