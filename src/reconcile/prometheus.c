/* From a Prometheus resource to its address, and back. */
#include "reconcile/prometheus.h"

#include <string.h>

#include "base/memory.h"
#include "view/service.h"

#define SERVICE "prometheus-operated"
#define PORT 9090 /* of the pods, and of the Service that prometheus-operator makes */

const struct view_prometheus *prometheus_by_key(const struct world *world, const char *key)
{
	const char *slash = key != NULL ? strchr(key, '/') : NULL;
	auto_free char *ns = slash != NULL ? xstrndup(key, (size_t)(slash - key)) : NULL;

	return slash != NULL ? view_prometheus(world_view(world, KIND_PROMETHEUS, ns, slash + 1)) : NULL;
}

char *prometheus_base(const char *url)
{
	size_t len = strlen(url);

	while (len > 0 && url[len - 1] == '/') {
		len--;
	}
	return xstrndup(url, len);
}

/* Behind a Service without an address of its own the pods are asked directly. */
static int64_t reached_port(const struct view_service *service, const struct view_service_port *port)
{
	int64_t own = port->number >= 0 ? port->number : PORT;

	return service->headless && port->target_port >= 0 ? port->target_port : own;
}

/* The port that prometheus-operator calls by spec.portName; the only one, whatever its name. `service` NULL = none. */
static int64_t port_of(const struct view_service *service, const char *name)
{
	for (uint32_t i = 0; service != NULL && i < service->ports_count; i++) {
		const struct view_service_port *port = &service->ports[i];

		if (service->ports_count == 1 || strcmp(port->name, name) == 0) {
			return reached_port(service, port);
		}
	}
	return PORT;
}

static const char * or (const char *given, const char *usual)
{
	return given != NULL ? given : usual;
}

char *prometheus_url(const struct world *world, const char *key)
{
	const struct view_prometheus *prometheus = prometheus_by_key(world, key);
	const struct view_service *service;
	auto_free char *prefix = NULL;
	const char *name;
	const char *ns;

	if (world->settings->prometheus_url != NULL) {
		return prometheus_base(world->settings->prometheus_url);
	}
	if (prometheus == NULL) {
		return NULL;
	}
	ns = prometheus->view.meta.ns;
	name = or (prometheus->service_name, SERVICE);
	prefix = prometheus_base(or (prometheus->route_prefix, ""));
	service = view_service(world_view(world, KIND_SERVICE, ns, name));
	return xasprintf("%s://%s.%s.svc:%lld%s%s", prometheus->tls ? "https" : "http", name, ns,
		(long long)port_of(service, or (prometheus->port_name, "web")),
		prefix[0] == '\0' || prefix[0] == '/' ? "" : "/", prefix);
}

/* Whether prometheus-operator's pods of this Prometheus are behind the Service. */
static bool is_behind(const struct view_prometheus *prometheus, const struct view_service *service)
{
	static const char *const labels[] = {"operator.prometheus.io/name", "prometheus"};
	const struct object_meta *meta = &prometheus->view.meta;

	if (strcmp(meta->ns, service->view.meta.ns) != 0) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		const char *wanted = view_pairs_get(&service->selector, labels[i]);

		if (wanted != NULL) {
			return strcmp(wanted, meta->name) == 0;
		}
	}
	return strcmp(or (prometheus->service_name, SERVICE), service->view.meta.name) == 0;
}

/* Of http://NAME.NAMESPACE.svc… and http://NAME.NAMESPACE only: any other host may be anything. */
static bool split_host(const char *url, char **name, char **ns)
{
	const char *host = strstr(url, "://");
	const char *dot;
	const char *rest;
	size_t len;

	host = host != NULL ? host + 3 : url;
	dot = host + strcspn(host, ".:/");
	if (*dot != '.') {
		return false;
	}
	rest = dot + 1;
	len = strcspn(rest, ".:/");
	if (rest[len] == '.' && strncmp(rest + len, ".svc", 4) != 0) {
		return false;
	}
	*name = xstrndup(host, (size_t)(dot - host));
	*ns = xstrndup(rest, len);
	return true;
}

char *prometheus_behind(const struct world *world, const char *url, bool *nowhere)
{
	auto_view_list all = world_views(world, KIND_PROMETHEUS, NULL);
	const struct view_service *service;
	auto_free char *name = NULL;
	auto_free char *ns = NULL;
	const struct view *found[2] = {NULL, NULL}; /* of those that do not run, and of those that do */
	size_t count[2] = {0, 0};
	bool running;

	if (!split_host(url, &name, &ns)) {
		return NULL;
	}
	service = view_service(world_view(world, KIND_SERVICE, ns, name));
	*nowhere = service == NULL;
	for (size_t i = 0; service != NULL && i < all.count; i++) {
		const struct view_prometheus *prometheus = view_prometheus(all.items[i]);

		if (is_behind(prometheus, service)) {
			running = prometheus->replicas != 0;
			found[running] = all.items[i];
			count[running]++;
		}
	}
	/* Several may be behind a Service that all of a namespace share; without pods none answers there. */
	running = count[true] > 0;
	return count[running] == 1 ? meta_key(&found[running]->meta) : NULL;
}
