/*
 * An object of ours as JSON again, to compare it with what is wanted.
 */
#ifndef VIEW_OWN_H
#define VIEW_OWN_H

#include <jansson.h>

#include "base/strbuf.h"
#include "view/view.h"

/* Its own_spec; borrowed, NULL of an object that is not ours. */
const char *view_own_spec(const struct view *view);
/* Who changed an object of ours after we wrote it, by managedFields; borrowed, NULL when nobody did, or nothing tells. */
const char *view_changed_by(const struct view *view);
/* What child_matches() and child_patch() read of the object of which this is the view. New reference; NULL of an object that
 * is not ours. */
json_t *own_object(enum kind kind, const struct view *view);

/* Adds all that child_matches() reads of the object, to see whether that is the same. */
void own_add_read(const struct view *view, struct strbuf *text);

#endif
