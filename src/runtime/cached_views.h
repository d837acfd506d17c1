/*
 * Caches of views: how they are kept, and lists of them. Private to src/runtime.
 */
#ifndef RUNTIME_CACHED_VIEWS_H
#define RUNTIME_CACHED_VIEWS_H

#include "kube/cache.h"
#include "view/view.h"

/* How the objects of a kind are kept. */
struct kube_cache_form cached_form(enum kind kind);
/* Those of a namespace (NULL = all), ordered by key; the caller releases the list, not the views. */
struct view_list cached_views(const struct kube_cache *cache, const char *ns);
/* Those whose index is `value`. */
struct view_list cached_views_by(const struct kube_cache *cache, const char *value);

#endif
