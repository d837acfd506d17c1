/* Following the adapter to the ConfigMap that it reads. */
#include "adapter_watch.h"

#include "base/memory.h"
#include "base/text.h"
#include "controller_parts.h"
#include "reconcile/adapter_find.h"
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

/* What the one before had is gone with it. */
static void watch(struct controller *c, const struct adapter_names *names)
{
	kube_informer_close(c->informers[KIND_CONFIGMAP], NULL, NULL);
	c->informers[KIND_CONFIGMAP] = new_informer(c, names->ns, names->configmap);
	kube_informer_start(c->informers[KIND_CONFIGMAP]);
}

bool adapter_watch_follow(struct controller *c)
{
	const struct world world = cached_world(c);
	const struct adapter_found found = adapter_find(&world);
	auto_free char *configmap = kube_key(found.names.ns, found.names.configmap);
	const struct kube_informer *informer;

	free_indirect(&c->adapter.deployment);
	c->adapter.deployment = kube_key(found.names.ns, found.names.deployment);
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

void adapter_watch_release(struct adapter_watch *watch)
{
	free_indirect(&watch->configmap);
	free_indirect(&watch->deployment);
}
