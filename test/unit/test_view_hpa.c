/* Views of HorizontalPodAutoscalers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "view/hpa.h"
#include "view_rig.h"

#define UTC_2026_01_31_07_00_MS INT64_C(1769842800000)

/* As kube-controller-manager writes it. */
static const char status[] =
	"{currentReplicas: 2, desiredReplicas: 3, lastScaleTime: '2026-01-31T07:00:00Z', conditions: ["
	"{type: AbleToScale, status: 'True', reason: ReadyForNewScale, message: recommended size matches current size, "
	"lastTransitionTime: '2026-01-31T07:00:00Z'}, "
	"{type: ScalingActive, status: 'True', reason: ValidMetricFound, message: the HPA was able to successfully calculate "
	"a replica count from pods metric vllm_num_requests_running, lastTransitionTime: '2026-01-31T07:00:00Z'}, "
	"{type: ScalingLimited, status: 'False', reason: DesiredWithinRange, message: the desired count is within the "
	"acceptable range, lastTransitionTime: '2026-01-31T07:00:00Z'}], "
	"currentMetrics: [{type: Pods, pods: {metric: {name: vllm_num_requests_running}, current: {averageValue: 2500m}}}, "
	"{type: Resource, resource: {name: cpu, current: {averageValue: '1'}}}, "
	"{type: Pods, pods: {metric: {name: other}, current: {averageValue: many}}}, 7]}";

static json_t *ours(void)
{
	json_t *object = view_rig_object("HorizontalPodAutoscaler", "gemma");

	json_object_set_new(object, "status", yaml_parse(status, strlen(status), NULL));
	return object;
}

static void test_fields(void **state)
{
	auto_view *view = view_rig_decode(&view_hpa_type, ours());
	const struct view_hpa *hpa = view_hpa(view);
	const struct view_condition *active = view_condition(&hpa->conditions, "ScalingActive");

	(void)state;
	view_rig_bound("HorizontalPodAutoscaler of ours", view, 2048);
	assert_string_equal(meta_label(&view->meta, "inference-autoscaler.io/autoscaler"), "gemma");
	assert_true(meta_owned_by(&view->meta, "11111111-1111-1111-1111-111111111111"));
	assert_false(meta_owned_by(&view->meta, "22222222-1111-1111-1111-111111111111"));
	assert_int_equal(view->meta.created_ms, UTC_2026_01_31_07_00_MS + 5000);
	assert_string_equal(hpa->target_kind, "Deployment");
	assert_string_equal(hpa->target_name, "vllm-gemma-deployment");
	assert_int_equal(hpa->min_replicas, 1);
	assert_int_equal(hpa->max_replicas, 5);
	assert_int_equal(hpa->current_replicas, 2);
	assert_int_equal(hpa->desired_replicas, 3);
	assert_int_equal(hpa->conditions.count, 3);
	assert_string_equal(active->status, "True");
	assert_string_equal(active->reason, "ValidMetricFound");
	assert_int_equal(strncmp(active->message, "the HPA was able", 16), 0);
	assert_int_equal(view_condition_since_ms(active), UTC_2026_01_31_07_00_MS);
	assert_string_equal(view_condition_status(&hpa->conditions, "ScalingLimited"), "False");
	assert_int_equal(hpa->averages_count, 2);
	assert_string_equal(hpa->averages[0].metric, "vllm_num_requests_running");
	assert_int_equal(hpa->averages[0].milli, 2500);
	assert_int_equal(hpa->averages[1].milli, -1);
}

static void test_of_others_no_spec_is_kept(void **state)
{
	json_t *object = ours();
	auto_view *view = NULL;

	(void)state;
	json_object_del(json_object_get(object, "metadata"), "labels");
	json_object_del(json_object_get(object, "metadata"), "ownerReferences");
	view = view_rig_decode(&view_hpa_type, object);
	view_rig_bound("HorizontalPodAutoscaler of others", view, 820);
	assert_null(view_hpa(view)->own_spec);
}

static void test_what_is_absent(void **state)
{
	auto_view *view = view_rig_yaml(&view_hpa_type, "{metadata: {name: n}, status: {conditions: [{type: A}, 3]}}");
	const struct view_hpa *hpa = view_hpa(view);

	(void)state;
	assert_string_equal(hpa->target_kind, "");
	assert_string_equal(hpa->target_name, "");
	assert_int_equal(hpa->min_replicas, -1);
	assert_int_equal(hpa->max_replicas, -1);
	assert_int_equal(hpa->current_replicas, -1);
	assert_int_equal(hpa->desired_replicas, -1);
	assert_null(view_condition(&hpa->conditions, "ScalingActive"));
	assert_string_equal(view_condition_status(&hpa->conditions, "ScalingActive"), "");
	assert_string_equal(view_condition_status(&hpa->conditions, "A"), "");
	assert_null(view_condition(&hpa->conditions, "A")->reason);
	assert_int_equal(view_condition_since_ms(view_condition(&hpa->conditions, "A")), -1);
	assert_int_equal(hpa->averages_count, 0);
}

static void test_conditions_are_bounded(void **state)
{
	auto_json *object = json_pack("{s:{s:[]}}", "status", "conditions");
	json_t *conditions = json_path(object, "status.conditions");
	auto_view *view = NULL;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		auto_free char *type = xasprintf("Type%d", i);

		json_array_append_new(conditions, json_pack("{s:s}", "type", type));
	}
	view = view_decode(KIND_HPA, object);
	assert_int_equal(view_hpa(view)->conditions.count, 32);
	assert_string_equal(view_hpa(view)->conditions.items[31].type, "Type31");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_of_others_no_spec_is_kept),
		cmocka_unit_test(test_what_is_absent),
		cmocka_unit_test(test_conditions_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
