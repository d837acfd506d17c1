/* What follows on what the informers report. */
#include "changes.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "cached_views.h"
#include "chain/replicas_fight.h"
#include "controller_parts.h"
#include "pod_feed.h"

void changes_note_needs(struct controller *c, const struct view *autoscaler)
{
	auto_free char *key = meta_key(&autoscaler->meta);

	if (needs_put(&c->needs, c->settings, view_autoscaler(autoscaler), prober_evidence(c->prober, key)) &&
		controller_acts(c)) {
		queue_add(c->queue, SHARED_KEY);
	}
}

static void forget_needs(struct controller *c, const struct view *autoscaler)
{
	auto_free char *key = meta_key(&autoscaler->meta);

	if (needs_remove(&c->needs, key) && controller_acts(c)) {
		queue_add(c->queue, SHARED_KEY);
	}
}

/* Somebody set the replicas of a target back: each autoscaler of it is to know. */
static void note_fights(struct controller *c, const struct view *now)
{
	auto_free char *target = meta_key(&now->meta);
	auto_view_list all = cached_views_by(controller_cache(c, KIND_AUTOSCALER), target);

	for (size_t i = 0; i < all.count; i++) {
		auto_free char *key = meta_key(&all.items[i]->meta);
		struct pass *pass = map_get(&c->passes, key);

		if (pass != NULL) {
			replicas_fight_note(&pass->fight, view_workload(now)->replicas_manager, clock_wall_ms());
		}
	}
}

/* What our own metrics API is asked by, and whether it may serve. */
static void notify(const struct controller *c, const struct kube_informer *informer)
{
	if (c->notify != NULL && informer == c->informers[KIND_APISERVICE]) {
		c->notify(c->notify_ctx);
	}
}

static void on_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	struct controller *c = ctx;

	notify(c, informer);
	for (int i = 0; i < KIND_COUNT && controller_acts(c) && !c->stopped; i++) {
		if (c->informers[i] == informer) {
			if (before != NULL && now != NULL && (i == KIND_DEPLOYMENT || i == KIND_STATEFULSET) &&
				replicas_are_set_back(view_workload(before), view_workload(now))) {
				note_fights(c, now);
			}
			if (i == KIND_DEPLOYMENT && adapter_watch_concerns(&c->adapter, before, now)) {
				queue_add(c->queue, SHARED_KEY);
			}
			routes_changed(&c->routes, (enum kind)i, before, now);
		}
	}
}

/* Also before all is there: the first shared pass is to know them all. */
static void on_autoscaler_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	struct controller *c = ctx;

	if (!c->stopped && now != NULL) {
		changes_note_needs(c, now);
	} else if (!c->stopped) {
		forget_needs(c, before);
	}
	on_changed(ctx, informer, before, now);
}

/* Whether a type was installed, or removed, since this was asked last. */
static bool types_differ(struct controller *c)
{
	bool differ = false;

	for (int i = 0; i < KIND_COUNT; i++) {
		bool missing = kube_informer_missing(c->informers[i]);

		differ = differ || missing != c->missing[i];
		c->missing[i] = missing;
	}
	return differ;
}

/* The API server answers again: what it did not take is not to wait for the end of a long back-off. */
static void queue_failed(struct controller *c)
{
	size_t pos = 0;
	void *value;

	while (map_next(&c->passes, &pos, NULL, &value)) {
		struct pass *pass = value;

		if (pass->failure != NULL) {
			pass->refusals.until_ms = 0;
			queue_add(c->queue, pass->key);
		}
	}
}

void changes_begin(struct controller *c)
{
	types_differ(c); /* they are known from now on */
	/* First, so that the autoscalers are checked with what it finds. */
	queue_add(c->queue, SHARED_KEY);
	routes_all(&c->routes, false);
}

/* Something about a whole resource type moved: that it is there, or is not, changes how everything is checked. An error
 * that comes or goes does not, since the caches stay as they are. */
static void on_state(void *ctx, struct kube_informer *informer)
{
	struct controller *c = ctx;
	const struct error *err = kube_informer_error(informer);
	const struct kube_resource *resource = kube_informer_resource(informer);
	bool was = c->synced;

	if (err != NULL) {
		log_event(LOG_WARN, "cannot watch", "resource", resource->plural, "group", resource->group, "error",
			err->message, NULL);
	} else if (kube_informer_missing(informer)) {
		log_event(LOG_WARN, "resource type is not installed; waiting for it", "resource", resource->plural,
			"group", resource->group, NULL);
	}
	if (c->stopped || !controller_finds_adapter(c) || (!c->synced && !adapter_watch_follow(c))) {
		return;
	}
	c->synced = true;
	if (!was) {
		log_event(LOG_INFO, "caches synced", NULL);
	}
	notify(c, c->informers[KIND_APISERVICE]);
	if (!c->leading) {
		return;
	}
	if (types_differ(c) || !was) {
		changes_begin(c);
	} else if (err == NULL) {
		queue_failed(c);
	}
	if (informer == c->informers[KIND_CONFIGMAP]) {
		queue_add(c->queue, SHARED_KEY);
	}
}

static void on_pod_changed(void *ctx, struct kube_informer *informer, const void *before, const void *now)
{
	const struct controller *c = ctx;

	(void)informer;
	pod_feed_changed(c->pods, before, now);
}

static void on_pod_state(void *ctx, struct kube_informer *informer)
{
	const struct controller *c = ctx;

	if (pod_feed_state(c->pods, informer) && !c->stopped) {
		prober_pods_known(c->prober);
	}
	on_state(ctx, informer);
}

struct kube_informer_hooks changes_hooks(struct controller *c, enum kind kind)
{
	return (struct kube_informer_hooks){
		.changed = kind == KIND_POD          ? on_pod_changed
	                   : kind == KIND_AUTOSCALER ? on_autoscaler_changed
	                                             : on_changed,
		.state = kind == KIND_POD ? on_pod_state : on_state,
		.form = cached_form(kind),
		.ctx = c,
	};
}
