/*
 * How objects of one type are decoded. Private to the room.
 */
#ifndef VIEW_TYPE_H
#define VIEW_TYPE_H

#include "base/arena.h"
#include "view/view.h"

struct view_type {
	size_t bytes; /* of the struct, which begins with the struct view */
	bool no_labels;
	bool no_uids;              /* and of owners nothing but their names */
	const char *const *unread; /* NULL = as of most kinds; see view_unread() */
	size_t own_spec_at;        /* where the struct has its `own_spec`; 0 = it has none */
	size_t changed_by_at;      /* likewise its `changed_by` */
	/* Fills what is behind the struct view; all zero before. */
	void (*decode)(struct arena *arena, const json_t *object, struct view *view);
	/* Gives back what read_shared() returned; NULL = none of it was called. */
	void (*release)(const struct view *view);
};

#endif
