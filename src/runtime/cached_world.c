/* The world as the caches and the last probes show it. */
#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "cached_views.h"
#include "controller_parts.h"

const struct kube_cache *controller_cache(const struct controller *c, enum kind kind)
{
	return kube_informer_cache(c->informers[kind]);
}

static const struct view *world_view_of(void *ctx, enum kind kind, const char *ns, const char *name)
{
	return kube_cache_get(controller_cache(ctx, kind), ns, name);
}

/* The one that is watched, and the one that was left. */
static struct view_list configmaps(const struct controller *c, const char *ns)
{
	struct view_list all = cached_views(controller_cache(c, KIND_CONFIGMAP), ns);
	const struct view *left = c->adapter.left;

	if (left != NULL && (ns == NULL || text_equal(left->meta.ns, ns))) {
		all.items = xrealloc(all.items, (all.count + 1) * sizeof(*all.items));
		all.items[all.count++] = left;
	}
	return all;
}

static struct view_list world_views_of(void *ctx, enum kind kind, const char *ns)
{
	return kind == KIND_CONFIGMAP ? configmaps(ctx, ns) : cached_views(controller_cache(ctx, kind), ns);
}

static struct view_list world_views_of_index(void *ctx, enum kind kind, const char *value)
{
	return cached_views_by(controller_cache(ctx, kind), value);
}

static bool world_missing(void *ctx, enum kind kind)
{
	const struct controller *c = ctx;

	return kube_informer_missing(c->informers[kind]);
}

static bool world_refused(void *ctx, enum kind kind)
{
	const struct controller *c = ctx;

	return kube_informer_refused(c->informers[kind]);
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

static const struct replicas_fight *world_fight(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	const struct pass *pass = map_get(&c->passes, key);

	return pass != NULL ? pass->fight : NULL;
}

static const struct child_fight *world_child_fights(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	const struct pass *pass = map_get(&c->passes, key);

	return pass != NULL ? pass->child_fights : NULL;
}

static struct digest world_settled(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	const struct pass *pass = map_get(&c->passes, key);

	return pass != NULL ? pass->settled : DIGEST_NONE;
}

static bool world_holds_progress(void *ctx, const char *key)
{
	const struct controller *c = ctx;
	const struct pass *pass = map_get(&c->passes, key);

	return pass != NULL && pass_holds_progress(pass, kube_cache_get_key(controller_cache(c, KIND_AUTOSCALER), key),
				       c->running >= CONTROLLER_BUSY);
}

static const char *forward_failure(const struct controller *c)
{
	return c->forward_failure != NULL && clock_monotonic_ms() - c->forward_failure_ms < CONTROLLER_GIVEN_BACK_MS
	               ? c->forward_failure
	               : NULL;
}

struct world cached_world(struct controller *c)
{
	return (struct world){
		.now_ms = clock_wall_ms(),
		.settings = c->settings,
		.ctx = c,
		.view = world_view_of,
		.views = world_views_of,
		.views_by = world_views_of_index,
		.missing = world_missing,
		.refused = world_refused,
		.evidence = world_evidence,
		.shared_evidence = world_shared_evidence,
		.failure = world_failure,
		.fight = world_fight,
		.child_fights = world_child_fights,
		.settled = world_settled,
		.holds_progress = world_holds_progress,
		.ca_bundle = c->ca_bundle,
		.ca_bundle_since_ms = c->ca_bundle_since_ms,
		.forward_failure = forward_failure(c),
		.hpa_period_s = c->hpa_period_s,
		.shared = &c->shared,
	};
}
