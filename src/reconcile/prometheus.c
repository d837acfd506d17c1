/* From a Prometheus resource to its address. */
#include "reconcile/prometheus.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"

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

char *prometheus_url(const struct settings *settings, const json_t *prometheuses, const char *key)
{
	const json_t *prometheus = prometheus_by_key(prometheuses, key);
	const char *prefix = json_path_string(prometheus, "spec.routePrefix", "");
	bool tls = json_path(prometheus, "spec.web.tlsConfig") != NULL;

	if (settings->prometheus_url != NULL) {
		return xstrdup(settings->prometheus_url);
	}
	if (prometheus == NULL) {
		return NULL;
	}
	return xasprintf("%s://%s.%s.svc:9090%s", tls ? "https" : "http",
		json_path_string(prometheus, "spec.serviceName", "prometheus-operated"), kube_object_namespace(prometheus),
		strcmp(prefix, "/") == 0 ? "" : prefix);
}
