/* Answers of pods, Prometheus and the metrics API become the evidence they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/page.h"
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

static json_t *document_of(const char *text, const json_t *wanted)
{
	auto_page *page = page_of_engines(text, NULL);

	return reading_page(page, "u", "p", wanted);
}

static json_t *values_of(const char *text, const json_t *signals)
{
	auto_page *page = page_of_engines(text, NULL);

	return reading_page_values(page, signals);
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
		"\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"True\","
		"\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}},"
		"{\"metadata\":{\"name\":\"over\"},\"status\":{\"phase\":\"Succeeded\"}},"
		"{\"metadata\":{\"name\":\"pending\"},\"status\":{\"phase\":\"Pending\"}}]}");
	auto_json *ready = json_object();
	const json_t *first = NULL;

	(void)state;
	assert_json(reading_pods(list, NULL, ready, &first), "{\"total\":4,\"ready\":1,\"foreign\":[],\"ports\":[]}");
	assert_string_equal(json_path_string(first, "metadata.name", ""), "ready");
	assert_json(json_incref(ready), "{\"ready\":1767225600000}");
}

#define POD(name, running, ready, since)                                                                                 \
	"{\"metadata\":{\"name\":\"" name "\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\","                \
	"\"containerStatuses\":[{\"state\":{\"running\":{\"startedAt\":\"2026-01-01T00:00:05Z\"}}},{\"state\":{" running \
	"}}],"                                                                                                           \
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready "\",\"lastTransitionTime\":\"" since "\"}]}}"
#define RUNNING "\"running\":{\"startedAt\":\"2026-01-01T00:00:10Z\"}"

static void test_a_pod_that_was_ready_since_its_containers_started_counts(void **state)
{
	auto_json *list =
		parse("{\"items\":[" POD("loading", RUNNING, "False", "2026-01-01T00:00:00Z") "," POD("restarted",
			RUNNING, "False", "2026-01-01T00:00:07Z") "," POD("at-once", RUNNING, "False",
			"2026-01-01T00:00:10Z") "," POD("overloaded", RUNNING, "False",
			"2026-01-01T00:01:00Z") "," POD("ended", "\"terminated\":{\"exitCode\":1}", "False",
			"2026-01-01T00:01:00Z") "," POD("lost", RUNNING, "Unknown", "2026-01-01T00:01:00Z") "]}");
	auto_json *counted = json_object();
	const json_t *first = NULL;
	const struct reading_grace grace = {1767225900000, 30000};

	(void)state;
	assert_json(reading_pods(list, NULL, counted, &first),
		"{\"total\":6,\"ready\":0,\"unready\":{\"overloaded\":1767225660000},\"foreign\":[],\"ports\":[]}");
	assert_string_equal(json_path_string(first, "metadata.name", ""), "overloaded");
	assert_json(json_incref(counted), "{\"overloaded\":null}");
	/* Without load it has no value, which is no fault. */
	assert_json(reading_metric(NULL, counted, &grace), "{\"pods\":0,\"missing\":[],\"values\":{}}");
}

static void test_a_ready_pod_is_looked_at_first(void **state)
{
	auto_json *list = parse("{\"items\":[" POD("overloaded", RUNNING, "False",
		"2026-01-01T00:01:00Z") "," POD("ready", RUNNING, "True", "2026-01-01T00:01:00Z") "]}");
	auto_json *counted = json_object();
	const json_t *first = NULL;

	(void)state;
	assert_json(reading_pods(list, NULL, counted, &first),
		"{\"total\":2,\"ready\":1,\"unready\":{\"overloaded\":1767225660000},\"foreign\":[],\"ports\":[]}");
	assert_string_equal(json_path_string(first, "metadata.name", ""), "ready");
	assert_json(json_incref(counted), "{\"overloaded\":null,\"ready\":1767225660000}");
}

static void test_pods_of_others_are_foreign(void **state)
{
	auto_json *list = parse("{\"items\":["
				"{\"metadata\":{\"name\":\"ours\",\"labels\":{\"pod-template-hash\":\"7c9\"},"
				"\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"gemma-7c9\"}]}},"
				"{\"metadata\":{\"name\":\"longer\",\"labels\":{\"pod-template-hash\":\"7c9\"},"
				"\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"gemma-canary-7c9\"}]}},"
				"{\"metadata\":{\"name\":\"set\",\"ownerReferences\":[{\"name\":\"gemma\"}]}},"
				"{\"metadata\":{\"name\":\"bare\"}}]}");
	auto_json *deployment = parse("{\"kind\":\"Deployment\",\"name\":\"gemma\"}");
	auto_json *stateful_set = parse("{\"kind\":\"StatefulSet\",\"name\":\"gemma\"}");
	auto_json *ready = json_object();
	const json_t *first = NULL;

	(void)state;
	assert_json(reading_pods(list, deployment, ready, &first),
		"{\"total\":1,\"ready\":0,\"foreign\":[\"longer\",\"set\",\"bare\"],\"ports\":[]}");
	assert_json(reading_pods(list, stateful_set, ready, &first),
		"{\"total\":1,\"ready\":0,\"foreign\":[\"ours\",\"longer\",\"bare\"],\"ports\":[]}");
}

static void test_a_page_reports_engine_and_wanted_series(void **state)
{
	auto_json *wanted = parse("[\"vllm:kv_cache_usage_perc\",\"vllm:gpu_cache_usage_perc\"]");

	(void)state;
	assert_json(document_of("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{a=\"b\"} 1\n"
				"vllm:gpu_cache_usage_perc 0.5\n",
			    wanted),
		"{\"url\":\"u\",\"pod\":\"p\",\"engine\":\"VLLM\",\"series\":[\"vllm:gpu_cache_usage_perc\"]}");
	assert_json(document_of("vllm:num_requests_running 1\nvllm:e2e_request_latency_seconds_bucket{le=\"0.3\"} 90\n"
				"vllm:e2e_request_latency_seconds_bucket{le=\"2.5\"} 100\n"
				"vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} 100\n",
			    wanted),
		"{\"url\":\"u\",\"pod\":\"p\",\"engine\":\"VLLM\",\"series\":[],"
		"\"latency\":{\"requests\":100,\"overMs\":300,\"uptoMs\":2500}}");
	assert_json(document_of("vllm:num_requests_running 1\nvllm:e2e_request_latency_seconds_bucket{le=\"60\"} 1\n"
				"vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} 9\n",
			    wanted),
		"{\"url\":\"u\",\"pod\":\"p\",\"engine\":\"VLLM\",\"series\":[],"
		"\"latency\":{\"requests\":9,\"overMs\":60000}}");
	assert_json(document_of("nv_trt_llm_request_metrics{model=\"a\",request_type=\"max\"} 8\n"
				"nv_trt_llm_request_metrics{model=\"b\",request_type=\"max\"} 4\n"
				"nv_trt_llm_request_metrics{model=\"b\",request_type=\"active\"} 2\n",
			    wanted),
		"{\"url\":\"u\",\"pod\":\"p\",\"engine\":\"Triton\",\"series\":[],"
		"\"limits\":{\"Running\":12,\"InFlight\":12}}");
	assert_json(document_of("<html>", wanted), "{\"url\":\"u\",\"pod\":\"p\",\"series\":[]}");
}

static void test_a_page_has_a_value_for_each_signal_that_is_its_own(void **state)
{
	auto_json *signals = parse("[{\"metric\":\"vllm_num_requests_running\",\"page\":true},"
				   "{\"metric\":\"vllm_kv_cache_usage_percent\",\"page\":true},"
				   "{\"metric\":\"vllm_num_requests_waiting\",\"page\":true},"
				   "{\"metric\":\"gpu_utilization_percent\",\"page\":false},"
				   "{\"metric\":\"odd\",\"page\":true}]");

	(void)state;
	assert_json(values_of("vllm:num_requests_running{engine=\"0\"} 3\nvllm:num_requests_running{engine=\"1\"} 4\n"
			      "vllm:kv_cache_usage_perc 0.8512345\nvllm:num_requests_waiting +Inf\n",
			    signals),
		"{\"vllm_num_requests_running\":7000,\"vllm_kv_cache_usage_percent\":85123}");
}

static void test_an_address_of_either_family_is_in_a_url(void **state)
{
	auto_json *four = parse("{\"status\":{\"podIP\":\"10.0.0.1\"}}");
	auto_json *six = parse("{\"status\":{\"podIP\":\"fd00::1\"}}");
	auto_free char *first = reading_pod_authority(four, "http");
	auto_free char *second = reading_pod_authority(six, "https");

	(void)state;
	assert_string_equal(first, "http://10.0.0.1");
	assert_string_equal(second, "https://[fd00::1]");
}

static void test_what_a_pod_runs_is_known_by_digest_or_name_and_template(void **state)
{
	auto_json *digest =
		parse("{\"status\":{\"containerStatuses\":[{\"imageID\":\"e@sha256:1\"},"
		      "{\"imageID\":\"s@sha256:2\"}]},\"spec\":{\"containers\":[{\"image\":\"e:latest\"}]}}");
	auto_json *name = parse("{\"metadata\":{\"labels\":{\"pod-template-hash\":\"7d9\"}},"
				"\"spec\":{\"containers\":[{\"image\":\"e:latest\"}]}}");
	auto_free char *by_digest = reading_pod_image(digest);
	auto_free char *by_name = reading_pod_image(name);

	(void)state;
	assert_string_equal(by_digest, "e@sha256:1 s@sha256:2");
	assert_string_equal(by_name, "e:latest 7d9");
}

static void test_only_young_samples_of_ready_pods_count(void **state)
{
	auto_json *samples = parse("{\"a\":{\"age\":500,\"milli\":7},\"old\":{\"age\":60000},\"other\":{\"age\":500},"
				   "\"none\":{\"source\":1}}");
	auto_json *ready = parse("{\"a\":1000,\"old\":1000,\"none\":1000,\"new\":90000}");
	const struct reading_grace grace = {100000, 30000};

	(void)state;
	assert_json(reading_series(samples, ready, 45000, &grace),
		"{\"pods\":1,\"missing\":[\"old\",\"none\"],"
		"\"samples\":{\"a\":{\"age\":500,\"milli\":7},\"old\":{\"age\":60000}}}");
	assert_json(reading_series(NULL, ready, 45000, &grace),
		"{\"pods\":0,\"missing\":[\"a\",\"old\",\"none\"],\"samples\":{}}");
}

static void test_a_few_of_many_missing_pods_are_named(void **state)
{
	auto_json *ready = parse("{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1}");
	const struct reading_grace grace = {100000, 30000};

	(void)state;
	assert_json(reading_series(NULL, ready, 45000, &grace),
		"{\"pods\":0,\"missing\":[\"a\",\"b\",\"c\",\"d\",\"e\"],\"samples\":{}}");
}

static void test_values_of_ready_pods_count(void **state)
{
	auto_json *list = parse("{\"items\":[{\"describedObject\":{\"name\":\"a\"},\"value\":\"2500m\"},"
				"{\"describedObject\":{\"name\":\"leaving\"},\"value\":\"3\"},"
				"{\"describedObject\":{\"name\":\"b\"},\"value\":\"odd\"}]}");
	auto_json *ready = parse("{\"a\":1,\"b\":1,\"c\":1,\"new\":99999}");
	const struct reading_grace grace = {100000, 30000};

	(void)state;
	assert_json(reading_metric(list, ready, &grace),
		"{\"pods\":2,\"missing\":[\"c\"],\"values\":{\"a\":2500,\"leaving\":3000,\"b\":null}}");
}

static void test_discovery_reports_whether_a_metric_is_known(void **state)
{
	auto_json *list =
		parse("{\"resources\":[{\"name\":\"namespaces/m\"},{\"name\":\"pods/other\"},{\"name\":\"pods/m\"}]}");

	(void)state;
	assert_true(reading_metric_listed(list, "m"));
	assert_false(reading_metric_listed(list, "n"));
	assert_false(reading_metric_listed(list, "other/m"));
}

static void test_words_that_are_no_utf8_are_kept_readable(void **state)
{
	(void)state;
	assert_json(reading_text("caf\xe9"), "\"caf?\"");
	assert_json(reading_text("caf\xc3\xa9"), "\"caf\xc3\xa9\"");
}

static void test_an_answer_of_another_shape_is_no_evidence(void **state)
{
	auto_json *odd = parse("{\"items\":\"none\",\"resources\":[7]}");
	auto_json *ready = json_object();
	const struct reading_grace grace = {0, 0};
	const json_t *first = NULL;

	(void)state;
	assert_json(reading_pods(odd, NULL, ready, &first), "{\"total\":0,\"ready\":0,\"foreign\":[],\"ports\":[]}");
	assert_null(first);
	assert_json(reading_series(odd, ready, 0, &grace), "{\"pods\":0,\"missing\":[],\"samples\":{}}");
	assert_json(reading_metric(odd, ready, &grace), "{\"pods\":0,\"missing\":[],\"values\":{}}");
	assert_false(reading_metric_listed(odd, "m"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pods_are_counted_by_readiness),
		cmocka_unit_test(test_a_pod_that_was_ready_since_its_containers_started_counts),
		cmocka_unit_test(test_a_ready_pod_is_looked_at_first),
		cmocka_unit_test(test_pods_of_others_are_foreign),
		cmocka_unit_test(test_what_a_pod_runs_is_known_by_digest_or_name_and_template),
		cmocka_unit_test(test_a_page_reports_engine_and_wanted_series),
		cmocka_unit_test(test_a_page_has_a_value_for_each_signal_that_is_its_own),
		cmocka_unit_test(test_an_address_of_either_family_is_in_a_url),
		cmocka_unit_test(test_only_young_samples_of_ready_pods_count),
		cmocka_unit_test(test_a_few_of_many_missing_pods_are_named),
		cmocka_unit_test(test_values_of_ready_pods_count),
		cmocka_unit_test(test_discovery_reports_whether_a_metric_is_known),
		cmocka_unit_test(test_words_that_are_no_utf8_are_kept_readable),
		cmocka_unit_test(test_an_answer_of_another_shape_is_no_evidence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
