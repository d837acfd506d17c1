/* Names and values. */
#include "figures.h"

#include <string.h>

#include "base/memory.h"

void figures_add(struct figures *figures, const char *name, int64_t milli)
{
	if (figures->count < FIGURES_MAX) {
		figures->items = xgrow(figures->items, &figures->cap, figures->count + 1, sizeof(*figures->items));
		figures->items[figures->count++] = (struct figure){.name = xstrdup(name), .milli = milli};
	}
}

bool figures_find(const struct figures *figures, const char *name, int64_t *milli)
{
	for (size_t i = 0; i < figures->count; i++) {
		if (strcmp(figures->items[i].name, name) == 0) {
			*milli = figures->items[i].milli;
			return true;
		}
	}
	return false;
}

void figures_release(struct figures *figures)
{
	for (size_t i = 0; i < figures->count; i++) {
		free_indirect(&figures->items[i].name);
	}
	free_indirect(&figures->items);
	*figures = (struct figures){.items = NULL};
}
