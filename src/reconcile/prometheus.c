/* From a Prometheus resource to its address, and back. */
#include "reconcile/prometheus.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"
#include "reconcile/adapter.h"

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

char *prometheus_as_read(const json_t *prometheus)
{
	auto_json *read = json_pack("{s:O*, s:O*}", "spec", json_object_get(prometheus, "spec"), "made",
		json_path(prometheus, "metadata.creationTimestamp"));

	return json_text(read);
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

/* Whether prometheus-operator's pods of this Prometheus are behind the Service. */
static bool is_behind(const json_t *prometheus, const json_t *service)
{
	static const char *const labels[] = {"operator.prometheus.io/name", "prometheus"};
	const json_t *selector = json_path(service, "spec.selector");

	if (strcmp(kube_object_namespace(prometheus), kube_object_namespace(service)) != 0) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		const char *wanted = json_string_value(json_object_get(selector, labels[i]));

		if (wanted != NULL) {
			return strcmp(wanted, kube_object_name(prometheus)) == 0;
		}
	}
	return strcmp(json_path_string(prometheus, "spec.serviceName", "prometheus-operated"),
		       kube_object_name(service)) == 0;
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

static bool runs(const json_t *prometheus)
{
	return prometheus != NULL && json_path_int(prometheus, "spec.replicas", 1) != 0;
}

char *prometheus_behind(const struct world *world, const json_t *prometheuses, const char *url, bool *nowhere)
{
	auto_json *service = NULL;
	auto_free char *name = NULL;
	auto_free char *ns = NULL;
	const json_t *found[2] = {NULL, NULL}; /* of those that do not run, and of those that do */
	size_t count[2] = {0, 0};
	bool running;
	size_t i;
	json_t *prometheus;

	if (!split_host(url, &name, &ns)) {
		return NULL;
	}
	service = world->get(world->ctx, KIND_SERVICE, ns, name);
	*nowhere = service == NULL;
	json_array_foreach((json_t *)prometheuses, i, prometheus) {
		if (service != NULL && is_behind(prometheus, service)) {
			found[runs(prometheus)] = prometheus;
			count[runs(prometheus)]++;
		}
	}
	/* Several may be behind a Service that all of a namespace share; without pods none answers there. */
	running = count[true] > 0;
	return count[running] == 1 ? kube_object_key(found[running]) : NULL;
}

char *prometheus_asked(const struct world *world, const json_t *prometheuses)
{
	/* Before the first shared pass nobody has looked yet. */
	auto_json *survey =
		world->shared->adapter != NULL ? json_incref(world->shared->adapter) : adapter_survey(world);
	const char *by_adapter = json_path_string(survey, "prometheus", NULL);
	const char *url = world->settings->prometheus_url;
	bool nowhere = false;
	auto_free char *key = NULL;

	if (by_adapter != NULL) {
		key = xstrdup(by_adapter);
	} else if (url != NULL) {
		key = prometheus_behind(world, prometheuses, url, &nowhere);
	}
	return runs(prometheus_by_key(prometheuses, key)) ? xstrdup(key) : NULL;
}
