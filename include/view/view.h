/*
 * Objects of the API server as structs of the fields that are read of them.
 *
 * A view is one heap block that nobody changes, shared by counted references; all that it points to lies in the block,
 * is static, or is a text that many views have and share. What an object lacks, or has in another type than the API says,
 * reads as absent. Each type's own header (view/workload.h …) has its struct, which begins with the struct view, and a
 * function view_…() that turns a struct view into it.
 */
#ifndef VIEW_VIEW_H
#define VIEW_VIEW_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kinds.h"
#include "base/attr.h"
#include "view/meta.h"

struct view_type;

struct view {
	const struct view_type *type;
	uint32_t references;
	uint32_t bytes; /* of the whole block */
	struct object_meta meta;
};

/* The type that objects of each kind have. */
extern const struct view_type *const view_types[KIND_COUNT];

/* New reference, never NULL: an object that is none at all has no name. */
const struct view *view_decode(enum kind kind, const json_t *object);
const struct view *view_decode_as(const struct view_type *type, const json_t *object);
/* Keys whose objects no view of this type is made of, wherever they are; NULL ends them, and stands for none at all. */
const char *const *view_unread(const struct view_type *type);
/* Takes one more reference; NULL is allowed. Not for several threads. */
const struct view *view_ref(const struct view *view);
/* Gives one back; NULL is allowed. */
void view_unref(const struct view *view);

void view_unref_indirect(const struct view **view);
#define auto_view ATTR_CLEANUP(view_unref_indirect) const struct view

/* Some views, borrowed; the array is the list's own. */
struct view_list {
	const struct view **items;
	size_t count;
};

void view_list_release(struct view_list *list);
#define auto_view_list ATTR_CLEANUP(view_list_release) struct view_list

#endif
