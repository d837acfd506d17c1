/* Views of Deployments, StatefulSets and DaemonSets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/text.h"
#include "view/workload.h"
#include "view_rig.h"

#define UTC_2026_01_31_07_02_00_MS INT64_C(1769842920000)

static void test_fields_of_a_deployment(void **state)
{
	auto_view *view = view_rig_decode(&view_workload_type, yaml_file("unit/objects/deployment.yaml"));
	const struct view_workload *w = view_workload(view);
	const struct view_container *container = &w->containers[0];
	auto_free char *selector = view_selector_text(&w->selector);

	(void)state;
	view_rig_bound("Deployment", view, 900);
	assert_string_equal(view->meta.name, "vllm-gemma-deployment");
	assert_int_equal(view->meta.annotations.count, 0);
	assert_int_equal(view->meta.generation, 7);
	assert_int_equal(w->replicas, 2);
	assert_string_equal(selector, "app=gemma-server");
	assert_int_equal(w->containers_count, 1);
	assert_string_equal(container->name, "inference-server");
	assert_int_equal(container->command_count, 3);
	assert_string_equal(container->command[2], "vllm.entrypoints.openai.api_server");
	assert_int_equal(container->args_count, 5);
	assert_string_equal(view_container_flag(container, "--max-num-seqs"), "64");
	assert_string_equal(view_container_flag(container, "--port"), "8000");
	assert_null(view_container_flag(container, "--no-such"));
	assert_int_equal(container->ports_count, 1);
	assert_string_equal(container->ports[0].name, "http");
	assert_string_equal(container->ports[0].protocol, "TCP");
	assert_int_equal(container->ports[0].number, 8000);
	assert_string_equal(view_pairs_get(&w->template_labels, "app"), "gemma-server");
	assert_int_equal(w->template_annotations.count, 0);
	assert_int_equal(w->grace_period_s, 90);
	assert_int_equal(w->observed_generation, 7);
	assert_int_equal(w->current_replicas, 2);
	assert_int_equal(w->updated_replicas, 2);
	assert_int_equal(w->available_replicas, 2);
	assert_string_equal(w->progressing, "True");
	assert_string_equal(w->progressing_reason, "NewReplicaSetAvailable");
	assert_int_equal(w->progressed_ms, UTC_2026_01_31_07_02_00_MS);
	assert_false(w->paused);
	assert_string_equal(w->replicas_manager, "kube-controller-manager");
	assert_string_equal(w->replicas_subresource, "scale");
}

static void test_what_is_absent(void **state)
{
	auto_view *view = view_rig_yaml(&view_workload_type, "{metadata: {name: n}}");
	const struct view_workload *w = view_workload(view);

	(void)state;
	assert_string_equal(view->meta.ns, "");
	assert_string_equal(view->meta.uid, "");
	assert_int_equal(view->meta.created_ms, 0);
	assert_int_equal(w->replicas, -1);
	assert_int_equal(w->grace_period_s, -1);
	assert_false(w->selector.given);
	assert_null(w->progressing);
	assert_null(w->replicas_manager);
	assert_int_equal(w->containers_count, 0);
	assert_null(w->containers);
}

static void test_the_adapter_and_a_daemonset(void **state)
{
	auto_view *adapter = view_rig_decode(&view_workload_type, view_rig_object("Deployment", "prometheus-adapter"));
	auto_view *daemonset = view_rig_yaml(&view_workload_type,
		"{metadata: {name: dcgm}, spec: {paused: true, template: {metadata: {labels: {app: dcgm}}}}, "
		"status: {numberReady: 3}}");

	(void)state;
	assert_string_equal(view_pairs_get(&view_workload(adapter)->template_annotations,
				    "inference-autoscaler.io/adapter-rules"),
		"68970a77da62536b-700");
	assert_string_equal(view_container_flag(&view_workload(adapter)->containers[0], "--metrics-relist-interval"),
		"30s");
	assert_int_equal(view_workload(daemonset)->ready_pods, 3);
	assert_true(view_workload(daemonset)->paused);
}

/* Who wrote the number last counts, whoever stands first. */
static void test_manager_of_replicas(void **state)
{
	static const struct {
		const char *fields;
		const char *manager;
		const char *subresource;
	} rows[] = {
		{"[{manager: a, time: '2026-01-31T07:00:00Z', fieldsV1: {'f:spec': {'f:replicas': {}}}}, "
		 "{manager: b, time: '2026-01-31T06:00:00Z', fieldsV1: {'f:spec': {'f:replicas': {}}}}]",
			"a", ""},
		{"[{manager: a, time: '2026-01-31T06:00:00Z', fieldsV1: {'f:spec': {'f:replicas': {}}}}, "
		 "{manager: b, time: '2026-01-31T06:00:00Z', subresource: scale, fieldsV1: {'f:spec': {'f:replicas': {}}}}]",
			"b", "scale"},
		{"[{manager: a, fieldsV1: {'f:spec': {'f:template': {}}, 'f:status': {'f:replicas': {}}}}]", NULL, ""},
		{"[{manager: a, fieldsV1: {'f:spec': {'f:replicas': {}}}}]", "a", ""},
		{"[1, {manager: 2, fieldsV1: {'f:spec': {'f:replicas': {}}}}]", NULL, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{metadata: {managedFields: %s}}", rows[i].fields);
		auto_view *view = view_rig_yaml(&view_workload_type, text);
		const struct view_workload *w = view_workload(view);

		if (rows[i].manager == NULL) {
			assert_null(w->replicas_manager);
		} else {
			assert_string_equal(w->replicas_manager, rows[i].manager);
		}
		assert_string_equal(w->replicas_subresource, rows[i].subresource);
	}
}

static void test_strangers_lists_are_bounded(void **state)
{
	auto_json *object = json_pack("{s:{s:{s:{s:[]}}}}", "spec", "template", "spec", "containers");
	json_t *containers = json_path(object, "spec.template.spec.containers");

	(void)state;
	for (int i = 0; i < 1000; i++) {
		json_array_append_new(containers, json_pack("{s:[{s:i}]}", "ports", "containerPort", i));
	}
	auto_view *view = view_decode(KIND_DEPLOYMENT, object);

	assert_int_equal(view_workload(view)->containers_count, 32);
	assert_int_equal(view_workload(view)->containers[31].ports[0].number, 31);
}

static void assert_text(const char *got, const char *wanted)
{
	assert_true((got == NULL) == (wanted == NULL));
	if (wanted != NULL) {
		assert_string_equal(got, wanted);
	}
}

static void assert_gpu(const char *pod_spec, const char *resource, bool claims)
{
	auto_free char *text = xasprintf("{metadata: {name: d}, spec: {template: {spec: {%s}}}}", pod_spec);
	auto_view *view = view_rig_yaml(&view_workload_type, text);
	const char *found = view_workload(view)->gpu_resource;

	assert_text(found, resource);
	assert_int_equal(view_workload(view)->claims, claims);
}

static void test_what_is_requested_of_gpus(void **state)
{
	(void)state;
	assert_gpu("containers: [{resources: {limits: {cpu: 4}}}, {}]", NULL, false);
	assert_gpu("containers: [{}, {resources: {limits: {nvidia.com/gpu: '8'}}}]", "nvidia.com/gpu", false);
	assert_gpu("containers: [{resources: {limits: {nvidia.com/gpu: 1}}}]", "nvidia.com/gpu", false);
	assert_gpu("containers: [{resources: {limits: {nvidia.com/gpu: '0'}}}]", NULL, false);
	assert_gpu("containers: [{resources: {limits: {nvidia.com/a100: '1'}}}]", "nvidia.com/a100", false);
	assert_gpu("containers: [{resources: {limits: {nvidia.com/gpumem: '9', nvidia.com/gpu: '1'}}}]",
		"nvidia.com/gpu", false);
	assert_gpu("containers: [{resources: {limits: {nvidia.com/mig-1g.10gb: '1', nvidia.com/gpumem: '9'}}}]",
		"nvidia.com/mig-1g.10gb", false);
	assert_gpu("containers: [{resources: {claims: [{name: g}]}}], resourceClaims: [{name: g}]", NULL, true);
	assert_gpu("containers: [{}], resourceClaims: []", NULL, false);
}

static void test_flags(void **state)
{
	static const struct {
		const char *args, *a, *a_b; /* the values of --a and of --a-b; NULL = none */
	} rows[] = {
		{"[]", NULL, NULL},
		{"[--a=1]", "1", NULL},
		{"[--a, '1']", "1", NULL},
		{"[--a]", NULL, NULL},
		{"[--a=1, --a=2]", "2", NULL},
		{"[--a=1, --a]", NULL, NULL},
		{"[-- a, 1, --a, 2]", NULL, NULL},
		{"[--a_b=3]", NULL, "3"},
		{"[--a-b, '3']", NULL, "3"},
		{"[--a-bc=4]", NULL, NULL},
		{"[1, --a]", NULL, NULL},
		{"[--a, null]", NULL, NULL},
		{"[x, --a=, y]", "", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text =
			xasprintf("{spec: {template: {spec: {containers: [{args: %s, command: [--a-b=7]}]}}}}",
				rows[i].args);
		auto_view *view = view_rig_yaml(&view_workload_type, text);
		const struct view_container *container = &view_workload(view)->containers[0];

		assert_text(view_container_flag(container, "--a"), rows[i].a);
		/* Where no argument gives it, the command's counts. */
		assert_text(view_container_flag(container, "--a-b"), rows[i].a_b != NULL ? rows[i].a_b : "7");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_of_a_deployment),
		cmocka_unit_test(test_what_is_absent),
		cmocka_unit_test(test_the_adapter_and_a_daemonset),
		cmocka_unit_test(test_manager_of_replicas),
		cmocka_unit_test(test_strangers_lists_are_bounded),
		cmocka_unit_test(test_what_is_requested_of_gpus),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
