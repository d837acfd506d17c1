/* Views of Services and of the kinds of which little is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/core.h"
#include "view/service.h"
#include "view_rig.h"

static void test_a_service_of_ours(void **state)
{
	auto_view *view = view_rig_decode(&view_service_type, view_rig_object("Service", "gemma-metrics"));
	const struct view_service *service = view_service(view);

	(void)state;
	view_rig_bound("Service of ours", view, 1536);
	assert_non_null(service->own_spec);
	assert_true(service->headless);
	assert_string_equal(view_pairs_get(&service->selector, "app"), "gemma-server");
	assert_int_equal(service->ports_count, 1);
	assert_string_equal(service->ports[0].name, "ias-metrics");
	assert_int_equal(service->ports[0].number, 8000);
	assert_int_equal(service->ports[0].target_port, 8000);
	assert_string_equal(meta_annotation(&view->meta, ANNOTATION_APPLIED), "9cceea62e5f49e5a");
}

static void test_a_service_of_others(void **state)
{
	auto_view *view = view_rig_yaml(&view_service_type,
		"{metadata: {name: n, labels: {app: dcgm}}, spec: {clusterIP: 10.0.0.1, ports: [{port: 80, targetPort: web}, "
		"{name: b}]}}");
	const struct view_service *service = view_service(view);

	(void)state;
	view_rig_bound("Service of others", view, 300);
	assert_null(service->own_spec);
	assert_false(service->headless);
	assert_int_equal(service->selector.count, 0);
	assert_int_equal(service->ports_count, 2);
	assert_string_equal(service->ports[0].name, "");
	assert_int_equal(service->ports[0].number, 80);
	assert_int_equal(service->ports[0].target_port, -1);
	assert_string_equal(service->ports[0].target_name, "web");
	assert_string_equal(service->ports[1].name, "b");
	assert_int_equal(service->ports[1].number, -1);
}

static void test_a_namespace(void **state)
{
	auto_view *view = view_rig_decode(&view_namespace_type, view_rig_object("Namespace", "monitoring"));

	(void)state;
	assert_string_equal(view_namespace(view)->view.meta.ns, "");
	assert_string_equal(meta_label(&view->meta, "kubernetes.io/metadata.name"), "monitoring");
}

static void test_an_apiservice(void **state)
{
	auto_view *view =
		view_rig_decode(&view_apiservice_type, view_rig_object("APIService", "v1beta1.custom.metrics.k8s.io"));
	auto_view *bare = view_rig_yaml(&view_apiservice_type, "{metadata: {name: n}, spec: {service: null}}");
	const struct view_apiservice *api = view_apiservice(view);

	(void)state;
	assert_string_equal(api->service_namespace, "monitoring");
	assert_string_equal(api->service_name, "prometheus-adapter");
	assert_string_equal(view_condition_status(&api->conditions, "Available"), "True");
	assert_string_equal(view_apiservice(bare)->service_name, "");
	assert_int_equal(view_apiservice(bare)->conditions.count, 0);
}

static void test_a_configmap(void **state)
{
	auto_view *view = view_rig_decode(&view_configmap_type, view_rig_object("ConfigMap", "prometheus-adapter"));
	auto_view *written = view_rig_yaml(&view_configmap_type,
		"{metadata: {name: n, managedFields: [{manager: helm, time: '2026-01-31T07:00:00Z', fieldsV1: {'f:data': {}}}, "
		"{operation: Apply}]}, data: {a: '1', b: 2}}");
	const struct view_configmap *configmap = view_configmap(written);

	(void)state;
	assert_non_null(strstr(view_pairs_get(&view_configmap(view)->data, "config.yaml"), "# Rules of the web team"));
	assert_string_equal(meta_annotation(&view->meta, ANNOTATION_ADAPTER_RULES), "68970a77da62536b-700");
	assert_int_equal(view_configmap(view)->managers_count, 0);
	assert_int_equal(configmap->managers_count, 2);
	assert_string_equal(configmap->managers[0].name, "helm");
	assert_string_equal(configmap->managers[0].time, "2026-01-31T07:00:00Z");
	assert_string_equal(configmap->managers[1].name, "");
	assert_string_equal(view_pairs_get(&configmap->data, "a"), "1");
	assert_null(view_pairs_get(&configmap->data, "b"));
}

static void test_a_scaledobject(void **state)
{
	auto_view *view = view_rig_yaml(&view_scaledobject_type, "{spec: {scaleTargetRef: {name: t}}}");
	auto_view *given = view_rig_yaml(&view_scaledobject_type, "{spec: {scaleTargetRef: {kind: StatefulSet}}}");

	(void)state;
	assert_null(view_scaledobject(view)->target_kind);
	assert_string_equal(view_scaledobject(view)->target_name, "t");
	assert_string_equal(view_scaledobject(given)->target_kind, "StatefulSet");
	assert_string_equal(view_scaledobject(given)->target_name, "");
}

static void test_keys(void **state)
{
	auto_view *cluster = view_rig_yaml(&view_namespace_type, "{metadata: {name: n}}");
	auto_view *inside = view_rig_yaml(&view_service_type, "{metadata: {name: n, namespace: a}}");
	auto_free char *one = meta_key(&cluster->meta);
	auto_free char *two = meta_key(&inside->meta);

	(void)state;
	assert_string_equal(one, "n");
	assert_string_equal(two, "a/n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_service_of_ours),
		cmocka_unit_test(test_a_service_of_others),
		cmocka_unit_test(test_a_namespace),
		cmocka_unit_test(test_an_apiservice),
		cmocka_unit_test(test_a_configmap),
		cmocka_unit_test(test_a_scaledobject),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
