/* The world as the caches and the last probes show it. */
#include "base/clock.h"
#include "controller_parts.h"

const struct kube_cache *controller_cache(const struct controller *c, enum kind kind)
{
	return kube_informer_cache(c->informers[kind]);
}

static json_t *world_get(void *ctx, enum kind kind, const char *ns, const char *name)
{
	return kube_cache_get(controller_cache(ctx, kind), ns, name);
}

static json_t *world_list(void *ctx, enum kind kind, const char *ns)
{
	return kube_cache_list(controller_cache(ctx, kind), ns);
}

static json_t *world_list_by(void *ctx, enum kind kind, const char *value)
{
	return kube_cache_list_by(controller_cache(ctx, kind), value);
}

static const struct view *view_of(void *ctx, enum kind kind, const char *ns, const char *name)
{
	return kube_cache_decoded(controller_cache(ctx, kind), ns, name);
}

static struct view_list views_of(void *ctx, enum kind kind, const char *ns)
{
	struct view_list list = {.count = 0};

	list.items = (const struct view **)kube_cache_decoded_list(controller_cache(ctx, kind), ns, &list.count);
	return list;
}

static struct view_list views_by(void *ctx, enum kind kind, const char *value)
{
	struct view_list list = {.count = 0};

	list.items = (const struct view **)kube_cache_decoded_list_by(controller_cache(ctx, kind), value, &list.count);
	return list;
}

static bool world_missing(void *ctx, enum kind kind)
{
	const struct controller *c = ctx;

	return kube_informer_missing(c->informers[kind]);
}

static const struct evidence *world_evidence(void *ctx, const char *key)
{
	const struct controller *c = ctx;

	return prober_evidence(c->prober, key);
}

static const struct shared_evidence *world_shared_evidence(void *ctx)
{
	const struct controller *c = ctx;

	return prober_shared_evidence(c->prober, SHARED_KEY);
}

static const char *world_failure(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	const struct pass *pass = map_get(&c->passes, key);

	return pass != NULL ? pass->failure : NULL;
}

struct world cached_world(struct controller *c)
{
	return (struct world){
		.now_ms = clock_wall_ms(),
		.settings = c->settings,
		.ctx = c,
		.get = world_get,
		.list = world_list,
		.list_by = world_list_by,
		.view = view_of,
		.views = views_of,
		.views_by = views_by,
		.missing = world_missing,
		.evidence = world_evidence,
		.shared_evidence = world_shared_evidence,
		.failure = world_failure,
		.shared = &c->shared,
	};
}
