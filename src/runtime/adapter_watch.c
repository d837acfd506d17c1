/* Following the adapter to the ConfigMap that it reads. */
#include "adapter_watch.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "cached_views.h"
#include "controller_parts.h"
#include "reconcile/adapter_find.h"
#include "reconcile/registration.h"
#include "view/workload.h"

static struct kube_informer *new_informer(struct controller *c, const char *ns, const char *name)
{
	auto_free char *selector = xasprintf("metadata.name=%s", name);

	return kube_informer_new(c->client, &kinds[KIND_CONFIGMAP].resource, ns, selector, &c->adapter.hooks);
}

void adapter_watch_init(struct controller *c, const struct kube_informer_hooks *hooks)
{
	c->adapter.hooks = *hooks;
	c->informers[KIND_CONFIGMAP] = new_informer(c, NULL, "");
}

static void forget_left(struct adapter_watch *watch)
{
	view_unref(watch->left);
	watch->left = NULL;
}

/* The one that is watched is another from now on: our rules are still in the one of before. */
static void leave(struct controller *c, const struct adapter_names *now)
{
	auto_view_list all = cached_views(controller_cache(c, KIND_CONFIGMAP), now->ns);
	const struct view *before = all.count > 0 ? all.items[0] : NULL;
	const struct view *left = c->adapter.left;

	if (before != NULL && meta_annotation(&before->meta, ANNOTATION_ADAPTER_RULES) != NULL) {
		forget_left(&c->adapter);
		c->adapter.left = view_ref(before);
	} else if (left != NULL && text_equal(left->meta.name, now->configmap)) {
		forget_left(&c->adapter);
	}
}

/* What the one before had is gone with it. */
static void watch(struct controller *c, const struct adapter_names *names)
{
	leave(c, names);
	kube_informer_close(c->informers[KIND_CONFIGMAP], NULL, NULL);
	c->informers[KIND_CONFIGMAP] = new_informer(c, names->ns, names->configmap);
	kube_informer_start(c->informers[KIND_CONFIGMAP]);
}

/* One that is watched already may have our rules. */
static bool is_idle(const struct controller *c, const struct world *world, const struct adapter_found *found)
{
	auto_json *metrics = NULL;

	if (c->adapter.configmap != NULL || found->deployment != NULL || !registration_is_ours(world)) {
		return false;
	}
	metrics = needs_metrics(&c->needs, true);
	return json_object_size(metrics) == 0;
}

bool adapter_watch_follow(struct controller *c)
{
	const struct world world = cached_world(c);
	const struct adapter_found found = adapter_find(&world);
	auto_free char *configmap = kube_key(found.names.ns, found.names.configmap);
	const struct kube_informer *informer;

	free_indirect(&c->adapter.deployment);
	c->adapter.deployment = kube_key(found.names.ns, found.names.deployment);
	c->adapter.rests = is_idle(c, &world, &found);
	if (c->adapter.rests) {
		return true;
	}
	if (!text_equal(configmap, c->adapter.configmap)) {
		free_indirect(&c->adapter.configmap);
		c->adapter.configmap = xstrdup(configmap);
		watch(c, &found.names);
	}
	informer = c->informers[KIND_CONFIGMAP];
	return kube_informer_synced(informer) || kube_informer_refused(informer);
}

static bool is_adapter(const struct view *view)
{
	return view != NULL && view_workload(view)->config != NULL;
}

bool adapter_watch_concerns(const struct adapter_watch *watch, const struct view *before, const struct view *now)
{
	auto_free char *key = meta_key(now != NULL ? &now->meta : &before->meta);

	return is_adapter(before) || is_adapter(now) || text_equal(key, watch->deployment);
}

void adapter_watch_planned(struct adapter_watch *watch, const struct plan *plan)
{
	for (size_t i = 0; i < plan->count && watch->left != NULL; i++) {
		if (plan->writes[i].kind == KIND_CONFIGMAP &&
			text_equal(kube_object_name(plan->writes[i].object), watch->left->meta.name)) {
			forget_left(watch);
		}
	}
}

void adapter_watch_release(struct adapter_watch *watch)
{
	forget_left(watch);
	free_indirect(&watch->configmap);
	free_indirect(&watch->deployment);
}
