/* Answers of pods, Prometheus and the metrics API become the evidence they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "probe/reading.h"

static json_t *parse(const char *text)
{
	auto_error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), &err);

	assert_non_null(value);
	return value;
}

static void assert_json(json_t *found_take, const char *wanted)
{
	auto_json *expected = parse(wanted);
	auto_free char *text = json_text(found_take);
	auto_free char *expected_text = json_text(expected);

	assert_string_equal(text, expected_text);
	json_decref(found_take);
}

static void test_pods_are_counted_by_readiness(void **state)
{
	auto_json *list = parse(
		"{\"items\":["
		"{\"metadata\":{\"name\":\"loading\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\","
		"\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}},"
		"{\"metadata\":{\"name\":\"leaving\",\"deletionTimestamp\":\"x\"},\"status\":{\"phase\":\"Running\","
		"\"podIP\":\"10.0.0.2\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}},"
		"{\"metadata\":{\"name\":\"ready\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.3\","
		"\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"True\"}]}},"
		"{\"metadata\":{\"name\":\"over\"},\"status\":{\"phase\":\"Succeeded\"}},"
		"{\"metadata\":{\"name\":\"pending\"},\"status\":{\"phase\":\"Pending\"}}]}");
	auto_json *names = json_array();
	const json_t *first = NULL;

	(void)state;
	assert_json(reading_pods(list, names, &first), "{\"total\":4,\"ready\":1}");
	assert_string_equal(json_path_string(first, "metadata.name", ""), "ready");
	assert_json(json_incref(names), "[\"ready\"]");
}

static void test_a_page_tells_engine_and_wanted_series(void **state)
{
	auto_json *wanted = parse("[\"vllm:kv_cache_usage_perc\",\"vllm:gpu_cache_usage_perc\"]");

	(void)state;
	assert_json(reading_page("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{a=\"b\"} 1\n"
				 "vllm:gpu_cache_usage_perc 0.5\n",
			    "u", "p", wanted),
		"{\"url\":\"u\",\"pod\":\"p\",\"engine\":\"VLLM\",\"series\":[\"vllm:gpu_cache_usage_perc\"]}");
	assert_json(reading_page("<html>", "u", "p", wanted), "{\"url\":\"u\",\"pod\":\"p\",\"series\":[]}");
}

static void test_targets_are_counted_by_health(void **state)
{
	auto_json *answer = parse("{\"data\":{\"activeTargets\":[{\"health\":\"up\",\"lastError\":\"\"},"
				  "{\"health\":\"down\",\"lastError\":\"refused\"},{\"health\":\"unknown\"}]}}");
	json_t *found = json_object();

	(void)state;
	reading_targets(answer, found);
	assert_json(found, "{\"up\":1,\"down\":1,\"lastError\":\"refused\"}");
}

static void test_only_young_samples_of_ready_pods_count(void **state)
{
	auto_json *answer = parse("{\"data\":{\"result\":["
				  "{\"metric\":{\"pod\":\"a\"},\"value\":[0,\"99.5\"]},"
				  "{\"metric\":{\"pod\":\"old\"},\"value\":[0,\"40\"]},"
				  "{\"metric\":{\"pod\":\"other\"},\"value\":[0,\"99.5\"]},"
				  "{\"metric\":{},\"value\":[0,\"99.5\"]}]}}");
	auto_json *names = parse("[\"a\",\"old\"]");
	json_t *found = json_object();

	(void)state;
	reading_samples(answer, names, 100000, 45000, found);
	assert_json(found, "{\"pods\":1}");
}

static void test_the_sample_query_names_all_series(void **state)
{
	auto_json *one = parse("[\"x\"]");
	auto_json *two = parse("[\"new\",\"old\"]");
	auto_free char *first = reading_sample_query(one, "ns");
	auto_free char *second = reading_sample_query(two, "ns");

	(void)state;
	assert_string_equal(first, "max by (pod) (timestamp(x{namespace=\"ns\"}))");
	assert_string_equal(second,
		"max by (pod) (timestamp(new{namespace=\"ns\"}) or timestamp(old{namespace=\"ns\"}))");
}

static void test_an_answer_of_another_shape_is_no_evidence(void **state)
{
	auto_json *odd = parse("{\"data\":[1,{\"value\":7}],\"items\":\"none\"}");
	auto_json *names = json_array();
	json_t *found = json_object();
	const json_t *first = NULL;

	(void)state;
	reading_targets(odd, found);
	reading_samples(odd, names, 0, 0, found);
	assert_json(found, "{\"up\":0,\"down\":0,\"pods\":0}");
	assert_json(reading_pods(odd, names, &first), "{\"total\":0,\"ready\":0}");
	assert_null(first);
	assert_json(reading_metric(odd), "{\"pods\":0}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pods_are_counted_by_readiness),
		cmocka_unit_test(test_a_page_tells_engine_and_wanted_series),
		cmocka_unit_test(test_targets_are_counted_by_health),
		cmocka_unit_test(test_only_young_samples_of_ready_pods_count),
		cmocka_unit_test(test_the_sample_query_names_all_series),
		cmocka_unit_test(test_an_answer_of_another_shape_is_no_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
