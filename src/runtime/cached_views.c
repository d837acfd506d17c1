/* Views in the caches of the API server's objects. */
#include "cached_views.h"

#include "view/index.h"

static const void *form_decode(const void *type, const json_t *object)
{
	return view_decode_as(type, object);
}

static const void *form_ref(const void *view)
{
	return view_ref(view);
}

static void form_unref(const void *view)
{
	view_unref(view);
}

static struct kube_names form_names(const void *view)
{
	const struct object_meta *meta = &((const struct view *)view)->meta;

	return (struct kube_names){meta->ns, meta->name, meta->resource_version};
}

static bool form_index(const void *view, const char **ns, const char **name)
{
	return view_index(view, ns, name);
}

struct kube_cache_form cached_form(enum kind kind)
{
	return (struct kube_cache_form){.type = view_types[kind],
		.decode = form_decode,
		.unread = view_unread(view_types[kind]),
		.ref = form_ref,
		.unref = form_unref,
		.names = form_names,
		.index = form_index};
}

struct view_list cached_views(const struct kube_cache *cache, const char *ns)
{
	struct view_list list = {.count = 0};

	list.items = (const struct view **)kube_cache_list(cache, ns, &list.count);
	return list;
}

struct view_list cached_views_by(const struct kube_cache *cache, const char *value)
{
	struct view_list list = {.count = 0};

	list.items = (const struct view **)kube_cache_list_by(cache, value, &list.count);
	return list;
}
