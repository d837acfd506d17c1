/*
 * An object of ours as JSON again, to compare it with what is wanted.
 */
#ifndef VIEW_OWN_H
#define VIEW_OWN_H

#include <jansson.h>

#include "view/view.h"

/* What child_matches() and child_patch() read of the object of which this is the view, by its `own_spec`. New reference. */
json_t *own_object(enum kind kind, const struct view *view, const char *own_spec);

#endif
