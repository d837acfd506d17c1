/* Whose wishes count: anybody may make a Prometheus resource in a namespace of their own. */
#include <string.h>

#include "engine/gpu.h"
#include "monitoring_parts.h"
#include "view/monitoring.h"

/* That all namespaces are listed tells nothing of any. */
static bool is_listed(const char *list, const char *ns)
{
	return list != NULL && strcmp(list, "*") != 0 && settings_list_has(list, ns);
}

static bool is_beside(const char *key, const char *ns)
{
	size_t len = strlen(ns);

	return key != NULL && strncmp(key, ns, len) == 0 && key[len] == '/';
}

bool monitoring_is_platforms(const struct monitoring_context *context, const char *ns)
{
	const struct settings *settings = context->settings;

	return is_beside(context->platform, ns) ||
	       (context->adapter_ns != NULL && strcmp(context->adapter_ns, ns) == 0) ||
	       gpu_is_exporters_namespace(ns) ||
	       (settings != NULL &&
		       (is_listed(settings->shared_namespaces, ns) || is_listed(settings->exporter_namespaces, ns)));
}

/* A Prometheus there is one that the platform knows of; what else is there may be others'. */
static bool is_served(const struct monitoring_context *context, const char *ns)
{
	const char *listed = context->settings != NULL ? context->settings->monitor_namespaces : NULL;

	return monitoring_is_platforms(context, ns) || is_listed(listed, ns);
}

/* Whether any that runs is known to be the platform's. */
static bool is_known(const struct monitoring_context *context)
{
	for (size_t i = 0; context->platform == NULL && i < context->prometheuses->count; i++) {
		const struct view *prometheus = context->prometheuses->items[i];

		if (view_prometheus(prometheus)->replicas != 0 && is_served(context, prometheus->meta.ns)) {
			return true;
		}
	}
	return context->platform != NULL;
}

bool monitoring_may_be_platforms(const struct monitoring_context *context, const char *ns)
{
	return is_served(context, ns) || !is_known(context);
}

bool monitoring_counts(const struct monitoring_context *context, const struct monitoring_object *object,
	const struct view *prometheus)
{
	const char *ns = prometheus->meta.ns;

	return strcmp(ns, object->ns) == 0 || monitoring_may_be_platforms(context, ns);
}
