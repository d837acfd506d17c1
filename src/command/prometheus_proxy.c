/* From the Prometheus resources to a path of the API server's proxy. */
#include "prometheus_proxy.h"

#include <string.h>

#include "api/kinds.h"
#include "base/json.h"
#include "base/memory.h"
#include "chain/monitoring.h"
#include "reconcile/prometheus.h"
#include "reconcile/world.h"

/* Of "SCHEME://NAME.NS.svc:PORT/PREFIX"; heap. */
static char *proxy_of(const char *url)
{
	const char *host = strstr(url, "://") + strlen("://");
	size_t name = strcspn(host, ".");
	const char *ns = host + name + 1;
	const char *port = strrchr(host, ':') + 1;
	size_t digits = strspn(port, "0123456789");

	return xasprintf("/api/v1/namespaces/%.*s/services/%s%.*s:%.*s/proxy%s", (int)strcspn(ns, "."), ns,
		strncmp(url, "https:", 6) == 0 ? "https:" : "", (int)name, host, (int)digits, port, port + digits);
}

/* "ns/name" of the one that counts most; heap, NULL = none. */
static char *first_of(const struct world *world)
{
	struct view_list all = world_views(world, KIND_PROMETHEUS, NULL);
	const struct monitoring_context context = {.prometheuses = &all};
	const struct monitoring_object object = {.kind = &monitoring_servicemonitor, .ns = ""};
	struct view_list ordered = monitoring_order(&context, &object);
	char *key = ordered.count > 0 ? kube_key(ordered.items[0]->meta.ns, ordered.items[0]->meta.name) : NULL;

	view_list_release(&ordered);
	view_list_release(&all);
	return key;
}

/* Those beside it, one of which may tell its port; who may not list them has the usual one. */
static void add_services(struct session *session, const char *key, json_t *objects)
{
	auto_error err = ERROR_INIT;
	auto_free char *ns = xstrndup(key, strcspn(key, "/"));
	auto_json *services = session_list(session, &kinds[KIND_SERVICE].resource, ns, NULL, &err);

	if (services != NULL) {
		json_array_extend(objects, services);
	}
}

char *prometheus_proxy_find(struct session *session, struct error *err)
{
	static const struct settings settings = SETTINGS_DEFAULT;
	auto_json *objects = session_list(session, &kinds[KIND_PROMETHEUS].resource, NULL, NULL, err);
	auto_json *document = NULL;
	auto_free char *key = NULL;
	auto_free char *url = NULL;
	struct world world;

	if (objects == NULL) {
		return NULL;
	}
	document = json_pack("{s:O}", "objects", objects);
	world_from_document(&world, document, &settings);
	key = first_of(&world);
	world_release_document(&world);
	if (key != NULL) {
		add_services(session, key, objects);
		world_from_document(&world, document, &settings);
		url = prometheus_url(&world, key);
		world_release_document(&world);
	}
	if (url == NULL) {
		error_set(err, ERROR_NOT_FOUND, "there is no Prometheus resource");
		return NULL;
	}
	return proxy_of(url);
}
