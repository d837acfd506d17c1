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
	/* Small, since each object has several. */
	uint32_t transition_s;       /* lastTransitionTime, wall, in seconds; 0 = not given, or no time */
	int32_t observed_generation; /* -1 = not given, or more than fit */
};

/* Its lastTransitionTime in ms; -1 = not given, or no time. */
int64_t view_condition_since_ms(const struct view_condition *condition);

struct view_conditions {
	const struct view_condition *items; /* in the status' order */
	uint32_t count;
};

/* The first of this type; NULL when there is none. */
const struct view_condition *view_condition(const struct view_conditions *conditions, const char *type);
/* Its status; "" when there is no such condition. */
const char *view_condition_status(const struct view_conditions *conditions, const char *type);

#endif
