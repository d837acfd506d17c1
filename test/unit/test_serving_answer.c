/* Answers word for word, and what the API says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "serving/answer.h"
#include "serving/discovery.h"

#define UTC_2026_01_31_07_00_MS INT64_C(1769842800000)

static const struct answer_value values[] = {
	{.name = "gemma-0", .milli = 3500, .read_ms = UTC_2026_01_31_07_00_MS},
	{.name = "gemma-1", .milli = 0, .read_ms = UTC_2026_01_31_07_00_MS + 1999},
};

static void assert_json(char *text_take, const char *wanted)
{
	auto_free char *text = text_take;
	auto_json *is = json_parse(text, strlen(text), NULL);
	auto_json *should_be = json_parse(wanted, strlen(wanted), NULL);
	auto_free char *is_text = json_text(is);
	auto_free char *should_be_text = json_text(should_be);

	assert_string_equal(is_text, should_be_text);
}

static void a_list_of_v1beta2(void **state)
{
	(void)state;
	assert_json(answer_values("v1beta2", "vllm_num_requests_running", &answer_pod, "team", values, 2),
		"{\"kind\": \"MetricValueList\", \"apiVersion\": \"custom.metrics.k8s.io/v1beta2\", \"metadata\": {},"
		"\"items\": ["
		"{\"describedObject\": {\"kind\": \"Pod\", \"namespace\": \"team\", \"name\": \"gemma-0\", \"apiVersion\": \"v1\"},"
		"\"metric\": {\"name\": \"vllm_num_requests_running\", \"selector\": null},"
		"\"timestamp\": \"2026-01-31T07:00:00Z\", \"windowSeconds\": 0, \"value\": \"3500m\"},"
		"{\"describedObject\": {\"kind\": \"Pod\", \"namespace\": \"team\", \"name\": \"gemma-1\", \"apiVersion\": \"v1\"},"
		"\"metric\": {\"name\": \"vllm_num_requests_running\", \"selector\": null},"
		"\"timestamp\": \"2026-01-31T07:00:01Z\", \"windowSeconds\": 0, \"value\": \"0\"}]}");
}

static void a_list_of_v1beta1(void **state)
{
	(void)state;
	assert_json(answer_values("v1beta1", "m", &answer_autoscaler, "team", values, 1),
		"{\"kind\": \"MetricValueList\", \"apiVersion\": \"custom.metrics.k8s.io/v1beta1\", \"metadata\": {},"
		"\"items\": [{\"describedObject\": {\"kind\": \"InferenceAutoscaler\", \"namespace\": \"team\", \"name\": \"gemma-0\","
		"\"apiVersion\": \"inference-autoscaler.io/v1alpha1\"}, \"metricName\": \"m\", \"selector\": null,"
		"\"timestamp\": \"2026-01-31T07:00:00Z\", \"window\": 0, \"value\": \"3500m\"}]}");
}

static void a_failure_is_a_status(void **state)
{
	static const struct {
		enum error_kind kind;
		int code;
		const char *reason;
	} rows[] = {
		{ERROR_INVALID, 400, "BadRequest"},
		{ERROR_NOT_FOUND, 404, "NotFound"},
		{ERROR_UNAVAILABLE, 503, "ServiceUnavailable"},
		{ERROR_CONFLICT, 500, "InternalError"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_error err = ERROR_INIT;
		auto_free char *wanted = xasprintf("{\"kind\": \"Status\", \"apiVersion\": \"v1\", \"metadata\": {},"
						   "\"status\": \"Failure\", \"message\": \"say \\\"why\\\"\","
						   "\"reason\": \"%s\", \"code\": %d}",
			rows[i].reason, rows[i].code);
		int status;

		error_set(&err, rows[i].kind, "say \"why\"");
		assert_json(answer_failure(&err, &status), wanted);
		assert_int_equal(status, rows[i].code);
	}
}

static void words_of_others_become_valid_text(void **state)
{
	auto_error err = ERROR_INIT;
	auto_free char *text = NULL;
	auto_json *body = NULL;
	int status;

	(void)state;
	error_set(&err, ERROR_UNAVAILABLE, "a\xff%2000s", "b");
	text = answer_failure(&err, &status);
	body = json_parse(text, strlen(text), NULL);
	assert_non_null(body);
	assert_true(strlen(json_path_string(body, "message", "")) <= 1024);
	assert_true(strncmp(json_path_string(body, "message", ""), "a? ", 3) == 0);
}

static void discovery_lists_each_metric_once(void **state)
{
	auto_free char *text = discovery_list("v1beta2");
	auto_json *list = json_parse(text, strlen(text), NULL);
	const json_t *resources = json_object_get(list, "resources");
	const json_t *running = json_find(resources, "name", "pods/vllm_num_requests_running");
	auto_json *names = json_object();
	size_t i;
	json_t *one;

	(void)state;
	assert_string_equal(json_path_string(list, "kind", ""), "APIResourceList");
	assert_string_equal(json_path_string(list, "groupVersion", ""), "custom.metrics.k8s.io/v1beta2");
	assert_string_equal(json_path_string(running, "kind", ""), "MetricValueList");
	assert_true(json_path_bool(running, "namespaced", false));
	assert_non_null(json_find(resources, "name", "pods/gpu_utilization_percent"));
	assert_non_null(json_find(resources, "name",
		"inferenceautoscalers.inference-autoscaler.io/sglang_kv_cache_usage_percent"));
	json_array_foreach((json_t *)resources, i, one) {
		const char *name = json_path_string(one, "name", "");

		assert_null(json_object_get(names, name));
		json_object_set_new(names, name, json_true());
	}
}

static void openapi_is_minimal(void **state)
{
	auto_free char *v3 = discovery_openapi_v3();
	auto_free char *v2 = discovery_openapi_v2();
	auto_json *document = json_parse(v2, strlen(v2), NULL);

	(void)state;
	assert_string_equal(v3, "{\"paths\":{}}");
	assert_string_equal(json_path_string(document, "swagger", ""), "2.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_v1beta2),
		cmocka_unit_test(a_list_of_v1beta1),
		cmocka_unit_test(a_failure_is_a_status),
		cmocka_unit_test(words_of_others_become_valid_text),
		cmocka_unit_test(discovery_lists_each_metric_once),
		cmocka_unit_test(openapi_is_minimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
