/* Decoding prometheus-operator's objects. */
#include "view/monitoring.h"

#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "read.h"
#include "type.h"

/* A platform lists those of its own namespaces. */
#define EXCLUDED_MAX 256

static void read_endpoints(struct arena *arena, const json_t *list, struct view_servicemonitor *monitor)
{
	uint32_t count = read_count(list, READ_LIST_MAX);
	const char **ports = arena_items(arena, count, sizeof(*ports));

	for (uint32_t i = 0; i < count; i++) {
		const json_t *endpoint = json_array_get(list, i);

		ports[i] = read_text(arena, endpoint, "port", "");
		monitor->honors_labels = monitor->honors_labels || read_bool(endpoint, "honorLabels");
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
	monitor->changed_by = monitor->own_spec != NULL ? read_changed_by(arena, object) : NULL;
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

/* What came before spec.excludedFromEnforcement, of rules alone, is a part of it still. */
static void read_excluded(struct arena *arena, const json_t *spec, struct view_prometheus *prometheus)
{
	const json_t *objects = json_object_get(spec, "excludedFromEnforcement");
	const json_t *rules = json_object_get(spec, "prometheusRulesExcludedFromEnforce");
	uint32_t objects_count = read_count(objects, EXCLUDED_MAX);
	uint32_t rules_count = read_count(rules, EXCLUDED_MAX);
	struct view_exclusion *excluded = arena_items(arena, objects_count + rules_count, sizeof(*excluded));

	for (uint32_t i = 0; i < objects_count; i++) {
		const json_t *object = json_array_get(objects, i);

		excluded[i] = (struct view_exclusion){.resource = read_text(arena, object, "resource", ""),
			.ns = read_text(arena, object, "namespace", ""),
			.name = read_text(arena, object, "name", "")};
	}
	for (uint32_t i = 0; i < rules_count; i++) {
		const json_t *rule = json_array_get(rules, i);

		excluded[objects_count + i] =
			(struct view_exclusion){.resource = kinds[KIND_PROMETHEUSRULE].resource.plural,
				.ns = read_text(arena, rule, "ruleNamespace", ""),
				.name = read_text(arena, rule, "ruleName", "")};
	}
	prometheus->excluded = excluded;
	prometheus->excluded_count = objects_count + rules_count;
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
	prometheus->enforced_namespace_label = read_text(arena, spec, "enforcedNamespaceLabel", "");
	read_excluded(arena, spec, prometheus);
	prometheus->ignores_namespaces = read_bool(spec, "ignoreNamespaceSelectors");
	prometheus->overrides_honored_labels = read_bool(spec, "overrideHonorLabels");
	prometheus->tls = json_object_get(json_object_get(spec, "web"), "tlsConfig") != NULL;
	prometheus->paused = read_bool(spec, "paused");
	if (arena->block != NULL) {
		prometheus->digest = digest_of(object); /* measuring needs its room only */
	}
}

const struct view_type view_servicemonitor_type = {.bytes = sizeof(struct view_servicemonitor),
	.own_spec_at = offsetof(struct view_servicemonitor, own_spec),
	.changed_by_at = offsetof(struct view_servicemonitor, changed_by),
	.decode = decode_servicemonitor};
const struct view_type view_prometheusrule_type = {.bytes = sizeof(struct view_prometheusrule),
	.own_spec_at = offsetof(struct view_prometheusrule, own_spec),
	.decode = decode_prometheusrule};
const struct view_type view_prometheus_type = {.bytes = sizeof(struct view_prometheus), .decode = decode_prometheus};
const struct view_type view_prometheusagent_type = {.bytes = sizeof(struct view_prometheus),
	.decode = decode_prometheus};

const char *view_prometheus_enforces(const struct view_prometheus *prometheus, enum kind kind, const char *ns,
	const char *name)
{
	for (uint32_t i = 0; prometheus != NULL && i < prometheus->excluded_count; i++) {
		const struct view_exclusion *excluded = &prometheus->excluded[i];

		if (strcmp(excluded->resource, kinds[kind].resource.plural) == 0 && strcmp(excluded->ns, ns) == 0 &&
			(excluded->name[0] == '\0' || strcmp(excluded->name, name) == 0)) {
			return NULL;
		}
	}
	return prometheus != NULL && prometheus->enforced_namespace_label[0] != '\0'
	               ? prometheus->enforced_namespace_label
	               : NULL;
}
