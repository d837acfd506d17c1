/* Views of Pods. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "view/pod.h"
#include "view_rig.h"

#define UTC_2026_01_31_07_00_MS INT64_C(1769842800000)
#define MINUTE_MS INT64_C(60000)

static void test_fields(void **state)
{
	auto_view *view = view_rig_decode(&view_pod_type, yaml_file("unit/objects/pod.yaml"));
	const struct view_pod *pod = view_pod(view);

	(void)state;
	view_rig_bound("Pod of two containers", view, 504);
	assert_string_equal(view->meta.name, "vllm-gemma-deployment-7d9c8b6f5-x2k4q");
	assert_string_equal(view->meta.ns, "vllm-example");
	assert_string_equal(view->meta.uid, "");
	assert_int_equal(view->meta.labels.count, 3);
	assert_int_equal(view->meta.created_ms, UTC_2026_01_31_07_00_MS);
	assert_int_equal(view->meta.owners_count, 1);
	assert_string_equal(view->meta.owners[0].name, "vllm-gemma-deployment-7d9c8b6f5");
	assert_string_equal(pod->ip, "10.1.0.7");
	assert_string_equal(pod->template_hash, "7d9c8b6f5");
	assert_string_equal(pod->node, "gpu-node-1");
	assert_int_equal(pod->readiness, POD_NOT_READY);
	assert_int_equal(pod->readiness_ms, UTC_2026_01_31_07_00_MS + 30 * MINUTE_MS);
	assert_int_equal(pod->started_ms, UTC_2026_01_31_07_00_MS + MINUTE_MS + MINUTE_MS / 2);
	assert_true(pod->restarted);
	assert_false(pod->ended);
	assert_int_equal(pod->ports_count, 2);
	assert_string_equal(pod->ports[0].name, "http");
	assert_int_equal(pod->ports[1].number, 9000);
	assert_string_equal(pod->ports[1].protocol, "UDP");
}

/* Of a pod with one container, which is what most have. */
static void test_size_of_a_usual_pod(void **state)
{
	json_t *object = yaml_file("unit/objects/pod.yaml");
	auto_view *view = NULL;

	(void)state;
	json_array_remove(json_path(object, "spec.containers"), 1);
	json_array_remove(json_path(object, "status.containerStatuses"), 1);
	view = view_rig_decode(&view_pod_type, object);
	view_rig_bound("Pod", view, 480);
}

static const struct view *with(const char *path, const char *member, json_t *value_take)
{
	json_t *object = yaml_file("unit/objects/pod.yaml");

	json_object_set_new(json_path(object, path), member, value_take);
	return view_rig_decode(&view_pod_type, object);
}

static void test_the_image_is_what_it_runs(void **state)
{
	auto_view *pod = view_rig_decode(&view_pod_type, yaml_file("unit/objects/pod.yaml"));
	auto_view *same = with("status", "podIP", json_string("10.1.0.8"));
	auto_view *waiting = with("status", "containerStatuses", json_array());
	auto_view *other = with("metadata.labels", "pod-template-hash", json_string("other"));
	auto_view *revision = with("metadata.labels", "controller-revision-hash", json_string("other"));
	const struct view *differ[] = {waiting, other, revision};

	(void)state;
	assert_true(digest_equal(&view_pod(pod)->image, &view_pod(same)->image));
	for (size_t i = 0; i < ARRAY_LEN(differ); i++) {
		assert_false(digest_equal(&view_pod(pod)->image, &view_pod(differ[i])->image));
	}
}

static void test_states(void **state)
{
	auto_view *pending = with("status", "containerStatuses",
		json_pack("[{s:{s:{s:s}}}, {s:{s:{}}}]", "state", "running", "startedAt", "2026-01-31T07:00:00Z",
			"state", "waiting"));
	auto_view *failed = with("status", "phase", json_string("Failed"));
	auto_view *succeeded = with("status", "phase", json_string("Succeeded"));
	auto_view *ready = with("status", "conditions", json_pack("[{s:s, s:s}]", "type", "Ready", "status", "True"));
	auto_view *unknown =
		with("status", "conditions", json_pack("[{s:s, s:s}]", "type", "Ready", "status", "Unknown"));
	auto_view *going = with("metadata", "deletionTimestamp", json_string("2026-01-31T07:50:00Z"));
	auto_view *empty = view_rig_yaml(&view_pod_type, "{metadata: {name: n}}");

	(void)state;
	assert_int_equal(view_pod(pending)->started_ms, -1);
	assert_false(view_pod(pending)->restarted);
	assert_true(view_pod(failed)->ended);
	assert_true(view_pod(succeeded)->ended);
	assert_int_equal(view_pod(ready)->readiness, POD_READY);
	assert_int_equal(view_pod(ready)->readiness_ms, -1);
	assert_int_equal(view_pod(unknown)->readiness, POD_READINESS_UNKNOWN);
	assert_true(going->meta.deleting);
	assert_null(view_pod(empty)->ip);
	assert_null(view_pod(empty)->template_hash);
	assert_int_equal(view_pod(empty)->started_ms, -1);
	assert_int_equal(view_pod(empty)->readiness, POD_READINESS_UNKNOWN);
}

/* What a probe reads makes a difference, and nothing else does. */
static void test_alike(void **state)
{
	auto_view *pod = view_rig_decode(&view_pod_type, yaml_file("unit/objects/pod.yaml"));
	const struct view *same[] = {with("metadata", "resourceVersion", json_string("7")),
		with("metadata", "annotations", json_pack("{s:s}", "a", "b")),
		with("status", "message", json_string("of the kubelet"))};
	const struct view *other[] = {
		with("metadata", "deletionTimestamp", json_string("2026-01-31T07:50:00Z")),
		with("metadata", "ownerReferences", json_array()),
		with("metadata", "ownerReferences", json_pack("[{s:s}]", "name", "other")),
		with("metadata.labels", "team", json_string("a")),
		with("metadata.labels", "app", json_string("other")),
		with("status", "podIP", json_string("10.1.0.8")),
		with("status", "podIP", json_null()),
		with("status", "phase", json_string("Failed")),
		with("status", "containerStatuses", json_array()),
		with("status", "conditions", json_array()),
		with("status", "conditions",
			json_pack("[{s:s, s:s, s:s}]", "type", "Ready", "status", "False", "lastTransitionTime",
				"2026-01-31T07:50:00Z")),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		assert_true(view_pod_alike(view_pod(pod), view_pod(same[i])));
		view_unref(same[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		if (view_pod_alike(view_pod(pod), view_pod(other[i]))) {
			fail_msg("number %zu makes no difference", i);
		}
		view_unref(other[i]);
	}
}

static void test_ports_are_bounded(void **state)
{
	auto_json *object = json_pack("{s:{s:[]}}", "spec", "containers");
	json_t *containers = json_path(object, "spec.containers");

	(void)state;
	for (int i = 0; i < 1000; i++) {
		json_array_append_new(containers, json_pack("{s:[{s:i}, {s:i}, {s:i}]}", "ports", "containerPort", i,
							  "containerPort", i, "containerPort", i));
	}
	auto_view *view = view_decode_as(&view_pod_type, object);

	assert_int_equal(view_pod(view)->ports_count, 32);
	assert_int_equal(view_pod(view)->ports[31].number, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_size_of_a_usual_pod),
		cmocka_unit_test(test_the_image_is_what_it_runs),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_ports_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
