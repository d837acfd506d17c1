/* Objects for tests of views: those of the golden worlds, and files of single ones. */
#ifndef UNIT_VIEW_RIG_H
#define UNIT_VIEW_RIG_H

#include <string.h>

#include "base/json.h"
#include "kube/resource.h"
#include "view/view.h"
#include "yaml_file.h"

/* The object of this kind and name in the golden world `healthy`. New reference. */
static inline json_t *view_rig_object(const char *kind, const char *name)
{
	auto_json *world = yaml_file("golden/healthy/world.yaml");
	size_t i;
	json_t *object;

	json_array_foreach(json_object_get(world, "objects"), i, object) {
		if (strcmp(json_path_string(object, "kind", ""), kind) == 0 &&
			strcmp(kube_object_name(object), name) == 0) {
			return json_incref(object);
		}
	}
	fail_msg("no %s '%s' in the world", kind, name);
	return NULL;
}

/* Takes the object, so that a view that points into it is seen by the sanitizers. */
static inline const struct view *view_rig_decode(const struct view_type *type, json_t *object_take)
{
	const struct view *view = view_decode_as(type, object_take);

	json_decref(object_take);
	return view;
}

static inline const struct view *view_rig_yaml(const struct view_type *type, const char *text)
{
	return view_rig_decode(type, yaml_parse(text, strlen(text), NULL));
}

/* Says what the view takes, and that it is not more than that. */
static inline void view_rig_bound(const char *what, const struct view *view, uint32_t bytes)
{
	print_message("%s: %u bytes\n", what, view->bytes);
	assert_true(view->bytes <= bytes);
}

#endif
