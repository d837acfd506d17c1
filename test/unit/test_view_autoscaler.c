/* Views of InferenceAutoscalers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "view/autoscaler.h"
#include "view_rig.h"

#define UTC_2026_01_31_07_01_MS INT64_C(1769842860000)

/* Every field is given. */
static const char whole[] =
	"{metadata: {name: gemma, namespace: team, uid: u-1, generation: 3}, spec: {scaleTargetRef: {apiVersion: apps/v1, kind: "
	"StatefulSet, name: llm}, mode: Combined, minReplicas: 2, maxReplicas: 9, engine: {type: SGLang, port: named, path: /m, "
	"scheme: https}, requests: {signal: Waiting, target: 2500m}, gpu: {signal: Utilization, target: 70, exporter: {type: "
	"Custom, namespace: gpus, selector: {matchLabels: {app: dcgm}}, port: metrics}}, scrapeInterval: 30s, behavior: "
	"{scaleUp: {stabilizationWindowSeconds: 60}}, monitor: {labels: {release: p}, namespace: mons}, source: Direct, paused: true}}";

/* Word by word beside a fresh decode, whose pointers are alive and so are others than ours: what differs has to be a
 * text in the view, or one of the three documents, which are not there. */
static void check_texts(const struct view *view, const struct autoscaler *fresh)
{
	uintptr_t ours[sizeof(*fresh) / sizeof(uintptr_t)];
	uintptr_t theirs[ARRAY_LEN(ours)];
	size_t texts = 0;
	size_t documents = 0;

	memcpy(ours, &view_autoscaler(view)->spec, sizeof(ours));
	memcpy(theirs, fresh, sizeof(theirs));
	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		const char *text = (const char *)ours[i];

		if (ours[i] == theirs[i]) {
			continue;
		}
		if (text == NULL) {
			documents++;
			continue;
		}
		texts++;
		assert_string_equal(text, (const char *)theirs[i]);
		assert_ptr_not_equal(text, (const char *)theirs[i]);
	}
	assert_int_equal(documents, 3);
	assert_int_equal(texts, 18);
}

static void test_the_spec_is_whole(void **state)
{
	auto_json *object = yaml_parse(whole, sizeof(whole) - 1, NULL);
	auto_autoscaler fresh;
	auto_view *view = NULL;

	(void)state;
	assert_int_equal(autoscaler_decode(object, &fresh, NULL), 0);
	view = view_decode(KIND_AUTOSCALER, object);
	assert_int_equal(view_autoscaler(view)->invalid.kind, ERROR_NONE);
	assert_null(view_autoscaler(view)->invalid.message);
	check_texts(view, &fresh);
	assert_string_equal(view_autoscaler(view)->behavior, "{\"scaleUp\":{\"stabilizationWindowSeconds\":60}}");
	assert_string_equal(view_autoscaler(view)->exporter_labels, "{\"app\":\"dcgm\"}");
	assert_string_equal(view_autoscaler(view)->monitor_labels, "{\"release\":\"p\"}");
}

static void test_the_spec_with_its_json(void **state)
{
	auto_json *object = yaml_parse(whole, sizeof(whole) - 1, NULL);
	auto_view *view = view_decode(KIND_AUTOSCALER, object);
	auto_view *plain = view_rig_decode(&view_autoscaler_type, view_rig_object("InferenceAutoscaler", "gemma"));
	auto_view_autoscaler_spec spec = view_autoscaler_spec(view_autoscaler(view));
	auto_view_autoscaler_spec other = view_autoscaler_spec(view_autoscaler(plain));

	(void)state;
	assert_ptr_equal(spec.name, view_autoscaler(view)->spec.name);
	assert_int_equal(spec.gpu_target, 70);
	assert_int_equal(spec.signals[0].target_milli, 2500);
	assert_true(json_equal(spec.behavior, json_path(object, "spec.behavior")));
	assert_true(json_equal(spec.monitor_labels, json_path(object, "spec.monitor.labels")));
	assert_true(json_equal(spec.exporter_labels, json_path(object, "spec.gpu.exporter.selector.matchLabels")));
	assert_string_equal(other.target_name, "vllm-gemma-deployment");
	assert_null(other.behavior);
	assert_null(other.monitor_labels);
}

static void test_a_spec_that_cannot_be_decoded(void **state)
{
	auto_view *view = view_rig_yaml(&view_autoscaler_type,
		"{metadata: {name: n, namespace: a}, spec: {scaleTargetRef: {kind: Deployment, name: d}, mode: Fast, "
		"maxReplicas: 3}}");
	const struct view_autoscaler *autoscaler = view_autoscaler(view);
	auto_view *bare =
		view_rig_yaml(&view_autoscaler_type, "{metadata: {name: n}, spec: {scaleTargetRef: {name: d}}}");

	(void)state;
	assert_int_equal(autoscaler->invalid.kind, ERROR_INVALID);
	assert_string_equal(autoscaler->invalid.message, "spec.mode 'Fast' is unknown: use Requests, GPU or Combined");
	assert_string_equal(autoscaler->spec.ns, "a");
	assert_string_equal(autoscaler->mode, "Fast");
	assert_int_equal(autoscaler->max_replicas, 3);
	assert_int_equal(view_autoscaler(bare)->invalid.kind, ERROR_INVALID);
	assert_string_equal(view_autoscaler(bare)->invalid.message, "spec.scaleTargetRef.kind is required");
	assert_string_equal(view_autoscaler(bare)->target_name, "d");
	assert_string_equal(view_autoscaler(bare)->target_kind, "");
	assert_string_equal(view_autoscaler(bare)->mode, "");
	assert_int_equal(view_autoscaler(bare)->min_replicas, 1);
	assert_int_equal(view_autoscaler(bare)->max_replicas, 0);
}

static void test_fields_of_a_status(void **state)
{
	auto_json *object = view_rig_object("InferenceAutoscaler", "gemma");
	auto_view *view = view_decode(KIND_AUTOSCALER, object);
	const struct view_status *status = &view_autoscaler(view)->status;
	const struct view_condition *served = view_condition(&status->conditions, "MetricServed");
	struct digest digest = digest_json(json_object_get(object, "status"));

	(void)state;
	view_rig_bound("InferenceAutoscaler", view, 3072);
	assert_int_equal(status->observed_generation, 1);
	assert_true(status->engine.given);
	assert_string_equal(status->engine.type, "VLLM");
	assert_null(status->engine.version);
	assert_int_equal(status->engine.port, 8000);
	assert_string_equal(status->engine.path, "/metrics");
	assert_int_equal(status->conditions.count, 11);
	assert_string_equal(status->conditions.items[0].type, "Accepted");
	assert_string_equal(served->status, "True");
	assert_string_equal(served->reason, "Served");
	assert_string_equal(served->message,
		"the metrics API serves 'vllm_num_requests_running' for the target's pods");
	assert_int_equal(view_condition_since_ms(served), UTC_2026_01_31_07_01_MS);
	assert_int_equal(served->observed_generation, 1);
	assert_int_equal(status->signals_count, 1);
	assert_string_equal(status->signals[0].name, "Running");
	assert_string_equal(status->signals[0].metric, "vllm_num_requests_running");
	assert_string_equal(status->signals[0].target, "4");
	assert_true(status->signals[0].served);
	assert_true(status->replicas_given);
	assert_int_equal(status->current_replicas, 2);
	assert_int_equal(status->desired_replicas, 2);
	assert_int_equal(status->children_count, 3);
	assert_string_equal(status->children[0].kind, "Service");
	assert_string_equal(status->children[0].ns, "vllm-example");
	assert_string_equal(status->children[0].name, "gemma-metrics");
	assert_int_equal(status->advice_count, 0);
	assert_true(digest_equal(&status->digest, &digest));
}

/* With advice, a spec that uses every field and messages as long as those of a chain that is broken. */
static void test_size_of_a_long_status(void **state)
{
	json_t *object = view_rig_object("InferenceAutoscaler", "gemma");
	auto_json *other = yaml_parse(whole, sizeof(whole) - 1, NULL);
	auto_view *view = NULL;
	size_t i;
	json_t *condition;

	(void)state;
	json_object_set(object, "spec", json_object_get(other, "spec"));
	json_object_set_new(json_object_get(object, "status"), "advice",
		json_pack("[{s:s, s:s}]", "reason", "OneAdapterReplica", "message",
			"Deployment 'monitoring/prometheus-adapter' has spec.replicas 1: while its only pod is down, no "
			"HorizontalPodAutoscaler of the cluster reads a custom metric; run kubectl scale deployment "
			"prometheus-adapter -n monitoring --replicas=2, or set replicas: 2 for its chart"));
	json_array_foreach(json_path(object, "status.conditions"), i, condition) {
		auto_free char *longer = xasprintf("%s; and so on, for as long as a remedy is that is written out",
			json_path_string(condition, "message", ""));

		json_object_set_new(condition, "message", json_string(longer));
	}
	view = view_rig_decode(&view_autoscaler_type, object);
	view_rig_bound("InferenceAutoscaler, long", view, 4096);
	assert_string_equal(view_autoscaler(view)->status.advice[0].reason, "OneAdapterReplica");
}

static void test_no_status(void **state)
{
	auto_view *view = view_rig_yaml(&view_autoscaler_type, whole);
	const struct view_status *status = &view_autoscaler(view)->status;
	struct digest none = digest_json(NULL);

	(void)state;
	assert_int_equal(status->observed_generation, -1);
	assert_false(status->engine.given);
	assert_false(status->replicas_given);
	assert_int_equal(status->conditions.count, 0);
	assert_true(digest_equal(&status->digest, &none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_spec_is_whole),
		cmocka_unit_test(test_the_spec_with_its_json),
		cmocka_unit_test(test_a_spec_that_cannot_be_decoded),
		cmocka_unit_test(test_fields_of_a_status),
		cmocka_unit_test(test_size_of_a_long_status),
		cmocka_unit_test(test_no_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
