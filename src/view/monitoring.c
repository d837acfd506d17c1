/* Decoding prometheus-operator's objects. */
#include "view/monitoring.h"

#include "base/json.h"
#include "base/memory.h"
#include "read.h"
#include "type.h"

static void read_endpoints(struct arena *arena, const json_t *list, struct view_servicemonitor *monitor)
{
	uint32_t count = read_count(list, READ_LIST_MAX);
	const char **ports = arena_items(arena, count, sizeof(*ports));

	for (uint32_t i = 0; i < count; i++) {
		ports[i] = read_text(arena, json_array_get(list, i), "port", "");
	}
	monitor->ports = ports;
	monitor->ports_count = count;
}

static void decode_servicemonitor(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_servicemonitor *monitor = (struct view_servicemonitor *)view;
	const json_t *spec = json_object_get(object, "spec");
	const json_t *namespaces = json_object_get(spec, "namespaceSelector");

	monitor->own_spec = read_own_spec(arena, object);
	monitor->selector = read_selector(arena, json_object_get(spec, "selector"));
	monitor->any_namespace = read_bool(namespaces, "any");
	monitor->namespaces =
		read_words(arena, json_object_get(namespaces, "matchNames"), "", &monitor->namespaces_count);
	read_endpoints(arena, json_object_get(spec, "endpoints"), monitor);
}

static void decode_prometheusrule(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_prometheusrule *rule = (struct view_prometheusrule *)view;

	rule->own_spec = read_own_spec(arena, object);
}

/* Of the spec and of when it was made: what is read of a Prometheus. */
static struct digest digest_of(const json_t *object)
{
	auto_json *read = json_pack("{s:O*, s:O*}", "spec", json_object_get(object, "spec"), "made",
		json_object_get(json_object_get(object, "metadata"), "creationTimestamp"));

	return digest_json(read);
}

static void decode_prometheus(struct arena *arena, const json_t *object, struct view *view)
{
	struct view_prometheus *prometheus = (struct view_prometheus *)view;
	const json_t *spec = json_object_get(object, "spec");

	prometheus->monitors = read_selector(arena, json_object_get(spec, "serviceMonitorSelector"));
	prometheus->monitor_namespaces = read_selector(arena, json_object_get(spec, "serviceMonitorNamespaceSelector"));
	prometheus->rules = read_selector(arena, json_object_get(spec, "ruleSelector"));
	prometheus->rule_namespaces = read_selector(arena, json_object_get(spec, "ruleNamespaceSelector"));
	prometheus->replicas = read_int(spec, "replicas", 1);
	prometheus->shards = read_int(spec, "shards", 1);
	prometheus->service_name = read_text(arena, spec, "serviceName", NULL);
	prometheus->route_prefix = read_text(arena, spec, "routePrefix", NULL);
	prometheus->port_name = read_text(arena, spec, "portName", NULL);
	prometheus->enforced_namespace_label = read_text(arena, spec, "enforcedNamespaceLabel", NULL);
	prometheus->tls = json_object_get(json_object_get(spec, "web"), "tlsConfig") != NULL;
	prometheus->paused = read_bool(spec, "paused");
	if (arena->block != NULL) {
		prometheus->digest = digest_of(object); /* measuring needs its room only */
	}
}

const struct view_type view_servicemonitor_type = {.bytes = sizeof(struct view_servicemonitor),
	.own_spec_at = offsetof(struct view_servicemonitor, own_spec),
	.decode = decode_servicemonitor};
const struct view_type view_prometheusrule_type = {.bytes = sizeof(struct view_prometheusrule),
	.own_spec_at = offsetof(struct view_prometheusrule, own_spec),
	.decode = decode_prometheusrule};
const struct view_type view_prometheus_type = {.bytes = sizeof(struct view_prometheus), .decode = decode_prometheus};
