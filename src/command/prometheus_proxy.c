/* From the Prometheus resources to a path of the API server's proxy. */
#include "prometheus_proxy.h"

#include <string.h>

#include "api/kinds.h"
#include "base/json.h"
#include "base/memory.h"
#include "chain/monitoring.h"
#include "reconcile/prometheus.h"
#include "reconcile/world.h"

struct prometheuses {
	struct session *session;
	json_t *document; /* of a world: with the namespaces, and Services of those that were asked for */
	json_t *known;    /* {namespace: null} whose Services are in it */
};

/* Of "SCHEME://NAME.NS.svc:PORT/PREFIX"; heap. */
static char *proxy_of(const char *url)
{
	const char *host = strstr(url, "://") + strlen("://");
	size_t name = strcspn(host, ".");
	const char *ns = host + name + 1;
	const char *port = strchr(ns, ':') + 1;
	size_t digits = strspn(port, "0123456789");

	return xasprintf("/api/v1/namespaces/%.*s/services/%s%.*s:%.*s/proxy%s", (int)strcspn(ns, "."), ns,
		strncmp(url, "https:", 6) == 0 ? "https:" : "", (int)name, host, (int)digits, port, port + digits);
}

/* Adds what may be listed of a kind; who may not does without. */
static void add(struct prometheuses *all, enum kind kind, const char *ns)
{
	auto_error err = ERROR_INIT;
	auto_json *found = session_list(all->session, &kinds[kind].resource, ns, NULL, &err);

	if (found != NULL) {
		json_array_extend(json_object_get(all->document, "objects"), found);
	}
}

struct prometheuses *prometheuses_read(struct session *session, struct error *err)
{
	json_t *objects = session_list(session, &kinds[KIND_PROMETHEUS].resource, NULL, NULL, err);
	struct prometheuses *all;

	if (objects == NULL) {
		return NULL;
	}
	if (json_array_size(objects) == 0) {
		json_decref(objects);
		error_set(err, ERROR_NOT_FOUND, "there is no Prometheus resource");
		return NULL;
	}
	all = xcalloc(1, sizeof(*all));
	*all = (struct prometheuses){.session = session,
		.document = json_pack("{s:o}", "objects", objects),
		.known = json_object()};
	add(all, KIND_NAMESPACE, NULL);
	return all;
}

void prometheuses_free(struct prometheuses *all)
{
	if (all == NULL) {
		return;
	}
	json_decref(all->document);
	json_decref(all->known);
	free_indirect(&all);
}

/* The autoscaler's own; new reference, NULL when it has none or it cannot be read. */
static json_t *read_monitor(const struct prometheuses *all, const struct view_autoscaler *autoscaler)
{
	const struct kube_resource *resource = &kinds[KIND_SERVICEMONITOR].resource;

	for (uint32_t i = 0; i < autoscaler->status.children_count; i++) {
		const struct view_child *child = &autoscaler->status.children[i];
		auto_error err = ERROR_INIT;

		if (strcmp(child->kind, resource->kind) == 0) {
			return session_get(all->session, resource, child->ns, child->name, &err);
		}
	}
	return NULL;
}

/* "ns/name" of the one that counts most; heap. */
static char *first_for(const struct world *world, const json_t *monitor)
{
	auto_view *view = monitor != NULL ? view_decode(KIND_SERVICEMONITOR, monitor) : NULL;
	auto_view_list all = world_views(world, KIND_PROMETHEUS, NULL);
	auto_view_list namespaces = world_views(world, KIND_NAMESPACE, NULL);
	const struct monitoring_context context = {.prometheuses = &all, .namespaces = &namespaces};
	const struct monitoring_object object = {.kind = &monitoring_servicemonitor,
		.ns = view != NULL ? view->meta.ns : "",
		.current = view != NULL ? &view->meta.labels : NULL};
	auto_view_list ordered = monitoring_order(&context, &object);

	return kube_key(ordered.items[0]->meta.ns, ordered.items[0]->meta.name);
}

char *prometheus_proxy(struct prometheuses *all, const struct view_autoscaler *autoscaler)
{
	static const struct settings settings = SETTINGS_DEFAULT;
	auto_json *monitor = read_monitor(all, autoscaler);
	auto_free char *key = NULL;
	auto_free char *ns = NULL;
	auto_free char *url = NULL;
	struct world world;

	world_from_document(&world, all->document, &settings);
	key = first_for(&world, monitor);
	world_release_document(&world);
	ns = xstrndup(key, strcspn(key, "/"));
	/* A Service may tell another port than the usual one. */
	if (json_object_get(all->known, ns) == NULL) {
		json_object_set_new(all->known, ns, json_null());
		add(all, KIND_SERVICE, ns);
	}
	world_from_document(&world, all->document, &settings);
	url = prometheus_url(&world, key);
	world_release_document(&world);
	return proxy_of(url);
}
