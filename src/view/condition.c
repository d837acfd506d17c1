/* Finding a condition. */
#include "view/condition.h"

#include <stddef.h>
#include <string.h>

int64_t view_condition_since_ms(const struct view_condition *condition)
{
	return condition->transition_s > 0 ? (int64_t)condition->transition_s * 1000 : -1;
}

const struct view_condition *view_condition(const struct view_conditions *conditions, const char *type)
{
	for (uint32_t i = 0; i < conditions->count; i++) {
		if (strcmp(conditions->items[i].type, type) == 0) {
			return &conditions->items[i];
		}
	}
	return NULL;
}

const char *view_condition_status(const struct view_conditions *conditions, const char *type)
{
	const struct view_condition *condition = view_condition(conditions, type);

	return condition != NULL ? condition->status : "";
}
