/* Finding a condition. */
#include "view/condition.h"

#include <stddef.h>
#include <string.h>

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
