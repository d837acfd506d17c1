/* From a Prometheus resource to its address. */
#include "reconcile/prometheus.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"

#define PORT 9090 /* of the pods, and of the Service that prometheus-operator makes */

const json_t *prometheus_by_key(const json_t *prometheuses, const char *key)
{
	size_t i;
	json_t *prometheus;

	json_array_foreach((json_t *)prometheuses, i, prometheus) {
		auto_free char *own = kube_object_key(prometheus);

		if (key != NULL && strcmp(own, key) == 0) {
			return prometheus;
		}
	}
	return NULL;
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
static json_int_t reached_port(const json_t *service, const json_t *port)
{
	bool headless = strcmp(json_path_string(service, "spec.clusterIP", ""), "None") == 0;
	json_int_t own = json_path_int(port, "port", PORT);

	return headless ? json_path_int(port, "targetPort", own) : own;
}

/* The port that prometheus-operator calls by spec.portName; the only one, whatever its name. */
static json_int_t port_of(const json_t *service, const char *name)
{
	const json_t *ports = json_path(service, "spec.ports");
	size_t i;
	json_t *port;

	json_array_foreach((json_t *)ports, i, port) {
		if (json_array_size(ports) == 1 || strcmp(json_path_string(port, "name", ""), name) == 0) {
			return reached_port(service, port);
		}
	}
	return PORT;
}

char *prometheus_url(const struct world *world, const json_t *prometheuses, const char *key)
{
	const json_t *prometheus = prometheus_by_key(prometheuses, key);
	const char *name = json_path_string(prometheus, "spec.serviceName", "prometheus-operated");
	auto_free char *prefix = prometheus_base(json_path_string(prometheus, "spec.routePrefix", ""));
	bool tls = json_path(prometheus, "spec.web.tlsConfig") != NULL;
	auto_json *service = NULL;

	if (world->settings->prometheus_url != NULL) {
		return prometheus_base(world->settings->prometheus_url);
	}
	if (prometheus == NULL) {
		return NULL;
	}
	service = world->get(world->ctx, KIND_SERVICE, kube_object_namespace(prometheus), name);
	return xasprintf("%s://%s.%s.svc:%lld%s%s", tls ? "https" : "http", name, kube_object_namespace(prometheus),
		(long long)port_of(service, json_path_string(prometheus, "spec.portName", "web")),
		prefix[0] == '\0' || prefix[0] == '/' ? "" : "/", prefix);
}
