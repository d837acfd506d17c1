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

static bool world_missing(void *ctx, enum kind kind)
{
	const struct controller *c = ctx;

	return kube_informer_missing(c->informers[kind]);
}

static const json_t *world_evidence(void *ctx, const char *key)
{
	const struct controller *c = ctx;

	return prober_evidence(c->prober, key);
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
		.missing = world_missing,
		.evidence = world_evidence,
		.failure = world_failure,
		.shared = &c->shared,
	};
}
