/* Views of prometheus-operator's objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "view/monitoring.h"
#include "view_rig.h"

static void test_a_servicemonitor_of_ours(void **state)
{
	auto_view *view = view_rig_decode(&view_servicemonitor_type, view_rig_object("ServiceMonitor", "gemma"));
	const struct view_servicemonitor *monitor = view_servicemonitor(view);

	(void)state;
	view_rig_bound("ServiceMonitor of ours", view, 2048);
	assert_non_null(monitor->own_spec);
	assert_string_equal(view_pairs_get(&monitor->selector.match_labels, "inference-autoscaler.io/autoscaler"),
		"gemma");
	assert_int_equal(monitor->ports_count, 1);
	assert_string_equal(monitor->ports[0], "ias-metrics");
	assert_int_equal(monitor->namespaces_count, 0);
	assert_false(monitor->any_namespace);
	assert_false(monitor->honors_labels);
}

static void test_a_servicemonitor_of_others(void **state)
{
	auto_view *view = view_rig_yaml(&view_servicemonitor_type,
		"{metadata: {name: n, labels: {release: p}}, spec: {selector: {}, namespaceSelector: {any: true, matchNames: "
		"[a, 7, b]}, endpoints: [{port: web}, {targetPort: 80, honorLabels: true}, x]}}");
	const struct view_servicemonitor *monitor = view_servicemonitor(view);

	(void)state;
	assert_null(monitor->own_spec);
	assert_string_equal(meta_label(&view->meta, "release"), "p");
	assert_true(monitor->any_namespace);
	assert_int_equal(monitor->namespaces_count, 3);
	assert_string_equal(monitor->namespaces[0], "a");
	assert_string_equal(monitor->namespaces[1], "");
	assert_int_equal(monitor->ports_count, 3);
	assert_string_equal(monitor->ports[0], "web");
	assert_string_equal(monitor->ports[1], "");
	assert_true(monitor->honors_labels);
	assert_true(monitor->selector.valid);
}

static void test_rules(void **state)
{
	static const char spec[] = "spec: {groups: [{name: g, rules: [{record: r, expr: e}]}]}}";
	auto_free char *text =
		xasprintf("{metadata: {name: n, labels: {inference-autoscaler.io/shared: gpu}, annotations: {other: x, "
			  "inference-autoscaler.io/exporters: 'a/b,c/d'}}, %s",
			spec);
	auto_free char *foreign = xasprintf("{metadata: {name: n, annotations: {other: x}}, %s", spec);
	auto_view *ours = view_rig_yaml(&view_prometheusrule_type, text);
	auto_view *others = view_rig_yaml(&view_prometheusrule_type, foreign);

	(void)state;
	assert_string_equal(meta_annotation(&ours->meta, ANNOTATION_EXPORTERS), "a/b,c/d");
	assert_null(meta_annotation(&ours->meta, "other"));
	assert_non_null(strstr(view_prometheusrule(ours)->own_spec, "\"record\":\"r\""));
	assert_null(view_prometheusrule(others)->own_spec);
	assert_int_equal(others->meta.annotations.count, 0);
}

static const char prometheus_text[] =
	"{metadata: {name: k8s, namespace: monitoring, creationTimestamp: '2026-01-31T07:00:00Z'}, spec: {replicas: 2, "
	"paused: true, serviceName: s, routePrefix: /p, portName: web2, web: {tlsConfig: {}}, serviceMonitorSelector: "
	"{matchLabels: {release: p}}, serviceMonitorNamespaceSelector: {}, ruleSelector: {matchLabels: {role: r}}}}";

static void test_a_prometheus(void **state)
{
	auto_view *view = view_rig_yaml(&view_prometheus_type, prometheus_text);
	auto_view *plain = view_rig_decode(&view_prometheus_type, view_rig_object("Prometheus", "k8s"));
	const struct view_prometheus *prometheus = view_prometheus(view);
	const struct view_prometheus *other = view_prometheus(plain);

	(void)state;
	assert_int_equal(prometheus->replicas, 2);
	assert_true(prometheus->paused);
	assert_true(prometheus->tls);
	assert_string_equal(prometheus->service_name, "s");
	assert_string_equal(prometheus->route_prefix, "/p");
	assert_string_equal(prometheus->port_name, "web2");
	assert_string_equal(view_pairs_get(&prometheus->monitors.match_labels, "release"), "p");
	assert_true(prometheus->monitor_namespaces.given);
	assert_string_equal(view_pairs_get(&prometheus->rules.match_labels, "role"), "r");
	assert_false(prometheus->rule_namespaces.given);
	assert_int_equal(other->replicas, 1);
	assert_false(other->paused);
	assert_false(other->tls);
	assert_null(other->service_name);
	assert_null(other->route_prefix);
	assert_null(other->port_name);
}

static const char *enforced(const struct view *view, enum kind kind, const char *ns, const char *name)
{
	return view_prometheus_enforces(view_prometheus(view), kind, ns, name);
}

static void test_what_is_excluded_from_enforcement(void **state)
{
	auto_view *free_of_it = view_rig_yaml(&view_prometheus_type, prometheus_text);
	auto_view *view = view_rig_yaml(&view_prometheus_type,
		"{metadata: {name: k8s, namespace: monitoring}, spec: {enforcedNamespaceLabel: tenant, excludedFromEnforcement: "
		"[{resource: servicemonitors, namespace: a, name: m}, {resource: prometheusrules, namespace: b}, 7], "
		"prometheusRulesExcludedFromEnforce: [{ruleNamespace: c, ruleName: r}]}}");

	(void)state;
	assert_null(enforced(free_of_it, KIND_SERVICEMONITOR, "x", "m"));
	assert_string_equal(enforced(view, KIND_SERVICEMONITOR, "x", "m"), "tenant");
	assert_null(enforced(view, KIND_SERVICEMONITOR, "a", "m"));
	assert_non_null(enforced(view, KIND_SERVICEMONITOR, "a", "n"));
	assert_non_null(enforced(view, KIND_PROMETHEUSRULE, "a", "m"));
	assert_null(enforced(view, KIND_PROMETHEUSRULE, "b", "any"));
	assert_null(enforced(view, KIND_PROMETHEUSRULE, "c", "r"));
	assert_non_null(enforced(view, KIND_SERVICEMONITOR, "c", "r"));
}

static void test_exclusions_are_bounded(void **state)
{
	json_t *excluded = json_array();
	json_t *object = json_pack("{s:{s:s}, s:{s:s, s:o}}", "metadata", "name", "k8s", "spec",
		"enforcedNamespaceLabel", "namespace", "excludedFromEnforcement", excluded);
	auto_view *view = NULL;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		auto_free char *ns = xasprintf("n%d", i);

		json_array_append_new(excluded,
			json_pack("{s:s, s:s}", "resource", "servicemonitors", "namespace", ns));
	}
	view = view_rig_decode(&view_prometheus_type, object);
	view_rig_bound("Prometheus with 10,000 exclusions", view, 10240);
	assert_null(enforced(view, KIND_SERVICEMONITOR, "n0", "m"));
}

static struct digest digest_with(const char *member, json_t *value_take)
{
	json_t *object = yaml_parse(prometheus_text, sizeof(prometheus_text) - 1, NULL);
	auto_view *view = NULL;

	json_object_set_new(object, member, value_take);
	view = view_rig_decode(&view_prometheus_type, object);
	return view_prometheus(view)->digest;
}

static void test_the_digest_does_not_move_with_the_status(void **state)
{
	auto_view *view = view_rig_yaml(&view_prometheus_type, prometheus_text);
	struct digest status = digest_with("status", json_pack("{s:i}", "replicas", 1));
	struct digest spec = digest_with("spec", json_pack("{s:i}", "replicas", 1));

	(void)state;
	assert_true(digest_equal(&view_prometheus(view)->digest, &status));
	assert_false(digest_equal(&view_prometheus(view)->digest, &spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_servicemonitor_of_ours),
		cmocka_unit_test(test_a_servicemonitor_of_others),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_a_prometheus),
		cmocka_unit_test(test_what_is_excluded_from_enforcement),
		cmocka_unit_test(test_exclusions_are_bounded),
		cmocka_unit_test(test_the_digest_does_not_move_with_the_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
