/* Answers of pods, Prometheus and the metrics API become the evidence they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/page.h"
#include "pods/pod_counts.h"
#include "probe/question.h"
#include "pod_list_rig.h"
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

static void assert_seen(const struct shape *shape, void *seen, const char *wanted)
{
	assert_json(shape_encode(shape, seen), wanted);
	shape_release(shape, seen);
}

/* "NAME since when" of those that count. */
static void assert_counted(struct counted_pods *counted, const char *wanted)
{
	auto_strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < counted->count; i++) {
		strbuf_addf(&text, "%s%s %lld", i > 0 ? ", " : "", counted->items[i].name,
			(long long)counted->items[i].ready_ms);
	}
	assert_string_equal(text.buf, wanted);
	counted_pods_release(counted);
}

static const struct target_ref any_target = {.name = NULL};

/* What is seen of the pods of a target, and the name of the first ("" = none). */
static void assert_pods(const char *list, const struct target_ref *target, const char *wanted, const char *first,
	const char *counts)
{
	auto_json *document = parse(list);
	auto_pod_list pods = pod_list_read(json_object_get(document, "items"));
	struct counted_pods counted = {.items = NULL};
	struct pods_seen seen;
	const struct view_pod *pod;

	shape_clear(&shape_pods_seen, &seen);
	pod = reading_pods(&pods, target, &counted, &seen);
	assert_string_equal(pod != NULL ? pod->view.meta.name : "", first);
	assert_seen(&shape_pods_seen, &seen, wanted);
	assert_counted(&counted, counts);
}

static void assert_page(const char *text, const struct texts *wanted, const char *expected)
{
	auto_page *page = page_of_engines(text, NULL);
	struct page_seen seen;

	shape_clear(&shape_page_seen, &seen);
	reading_page(page, wanted, &seen);
	assert_seen(&shape_page_seen, &seen, expected);
}

/* Pods, all ready since these times; -1 = not ready any more. */
struct since {
	const char *name;
	int64_t ready_ms;
};

static struct counted_pods counted_of(const struct since *pods, size_t count)
{
	struct counted_pods counted = {.items = NULL};

	for (size_t i = 0; i < count; i++) {
		counted_pods_add(&counted, pods[i].name, pods[i].ready_ms);
	}
	counted_pods_sort(&counted);
	return counted;
}

static void assert_series(const struct table *samples, const struct counted_pods *counted, const char *wanted)
{
	const struct reading_grace grace = {100000, 30000};
	struct series_seen seen;

	shape_clear(&shape_series_seen, &seen);
	reading_series(samples, "ns", counted, 45000, &grace, &seen);
	assert_seen(&shape_series_seen, &seen, wanted);
}

static void assert_metric(const json_t *list, const struct counted_pods *counted, const char *wanted)
{
	const struct reading_grace grace = {100000, 30000};
	struct metric_seen seen;

	shape_clear(&shape_metric_seen, &seen);
	reading_metric(list, counted, &grace, &seen);
	assert_seen(&shape_metric_seen, &seen, wanted);
}

static void test_pods_are_counted_by_readiness(void **state)
{
	(void)state;
	assert_pods(
		"{\"items\":["
		"{\"metadata\":{\"name\":\"loading\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\","
		"\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\"}]}},"
		"{\"metadata\":{\"name\":\"leaving\",\"deletionTimestamp\":\"x\"},\"status\":{\"phase\":\"Running\","
		"\"podIP\":\"10.0.0.2\",\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}},"
		"{\"metadata\":{\"name\":\"ready\"},\"spec\":{\"containers\":[{\"ports\":["
		"{\"name\":\"http\",\"containerPort\":8000},{\"containerPort\":9,\"protocol\":\"UDP\"}]}]},"
		"\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.3\","
		"\"conditions\":[{\"type\":\"PodScheduled\",\"status\":\"True\"},{\"type\":\"Ready\",\"status\":\"True\","
		"\"lastTransitionTime\":\"2026-01-01T00:00:00Z\"}]}},"
		"{\"metadata\":{\"name\":\"at-all\"},\"status\":{\"podIP\":\"10.0.0.3\","
		"\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}},"
		"{\"metadata\":{\"name\":\"over\"},\"status\":{\"phase\":\"Succeeded\"}},"
		"{\"metadata\":{\"name\":\"pending\"},\"status\":{\"phase\":\"Pending\"}}]}",
		&any_target,
		"{\"total\":5,\"ready\":2,\"ports\":[{\"name\":\"http\",\"containerPort\":8000},"
		"{\"containerPort\":9,\"protocol\":\"UDP\"}]}",
		"ready", "at-all 0, ready 1767225600000");
}

#define POD(name, running, ready, since)                                                                                 \
	"{\"metadata\":{\"name\":\"" name "\"},\"status\":{\"phase\":\"Running\",\"podIP\":\"10.0.0.1\","                \
	"\"containerStatuses\":[{\"state\":{\"running\":{\"startedAt\":\"2026-01-01T00:00:05Z\"}}},{\"state\":{" running \
	"}}],"                                                                                                           \
	"\"conditions\":[{\"type\":\"Ready\",\"status\":\"" ready "\",\"lastTransitionTime\":\"" since "\"}]}}"
#define RUNNING "\"running\":{\"startedAt\":\"2026-01-01T00:00:10Z\"}"

static void test_a_pod_that_was_ready_since_its_containers_started_counts(void **state)
{
	(void)state;
	assert_pods("{\"items\":[" POD("loading", RUNNING, "False", "2026-01-01T00:00:00Z") "," POD("restarted",
			    RUNNING, "False", "2026-01-01T00:00:07Z") "," POD("at-once", RUNNING, "False",
			    "2026-01-01T00:00:10Z") "," POD("overloaded", RUNNING, "False",
			    "2026-01-01T00:01:00Z") "," POD("ended", "\"terminated\":{\"exitCode\":1}", "False",
			    "2026-01-01T00:01:00Z") "," POD("lost", RUNNING, "Unknown", "2026-01-01T00:01:00Z") "]}",
		&any_target, "{\"total\":6,\"ready\":0,\"unready\":{\"overloaded\":1767225660000}}", "overloaded",
		"overloaded -1");
}

/* It has a value only while it has load. */
static void test_a_pod_that_is_not_ready_any_more_misses_nothing(void **state)
{
	struct counted_pods counted = counted_of((const struct since[]){{"overloaded", -1}}, 1);

	(void)state;
	assert_metric(NULL, &counted, "{}");
	assert_series(NULL, &counted, "{}");
	counted_pods_release(&counted);
}

static void test_a_ready_pod_is_looked_at_first(void **state)
{
	(void)state;
	assert_pods("{\"items\":[" POD("overloaded", RUNNING, "False", "2026-01-01T00:01:00Z") "," POD("ready", RUNNING,
			    "True", "2026-01-01T00:01:00Z") "]}",
		&any_target, "{\"total\":2,\"ready\":1,\"unready\":{\"overloaded\":1767225660000}}", "ready",
		"overloaded -1, ready 1767225660000");
}

static void test_pods_of_others_are_foreign(void **state)
{
	static const char list[] = "{\"items\":["
				   "{\"metadata\":{\"name\":\"ours\",\"labels\":{\"pod-template-hash\":\"7c9\"},"
				   "\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"gemma-7c9\"}]}},"
				   "{\"metadata\":{\"name\":\"longer\",\"labels\":{\"pod-template-hash\":\"7c9\"},"
				   "\"ownerReferences\":[{\"kind\":\"ReplicaSet\",\"name\":\"gemma-canary-7c9\"}]}},"
				   "{\"metadata\":{\"name\":\"set\",\"ownerReferences\":[{\"name\":\"gemma\"}]}},"
				   "{\"metadata\":{\"name\":\"bare\"}}]}";
	char deployment[] = "Deployment";
	char stateful_set[] = "StatefulSet";
	char name[] = "gemma";

	(void)state;
	assert_pods(list, &(struct target_ref){.kind = deployment, .name = name},
		"{\"total\":1,\"ready\":0,\"foreign\":[\"longer\",\"set\",\"bare\"]}", "", "");
	assert_pods(list, &(struct target_ref){.kind = stateful_set, .name = name},
		"{\"total\":1,\"ready\":0,\"foreign\":[\"ours\",\"longer\",\"bare\"]}", "", "");
}

static void test_a_page_reports_engine_and_wanted_series(void **state)
{
	struct texts wanted = {NULL, 0};

	texts_add(&wanted, "vllm:kv_cache_usage_perc");
	texts_add(&wanted, "vllm:gpu_cache_usage_perc");

	(void)state;
	assert_page("# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{a=\"b\"} 1\n"
		    "vllm:gpu_cache_usage_perc 0.5\n",
		&wanted, "{\"engine\":\"VLLM\",\"series\":[\"vllm:gpu_cache_usage_perc\"]}");
	assert_page("vllm:num_requests_running 1\nvllm:e2e_request_latency_seconds_bucket{le=\"0.3\"} 90\n"
		    "vllm:e2e_request_latency_seconds_bucket{le=\"2.5\"} 100\n"
		    "vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} 100\n",
		&wanted,
		"{\"engine\":\"VLLM\","
		"\"latency\":{\"requests\":100,\"overMs\":300,\"uptoMs\":2500}}");
	assert_page("vllm:num_requests_running 1\nvllm:e2e_request_latency_seconds_bucket{le=\"60\"} 1\n"
		    "vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\"} 9\n",
		&wanted,
		"{\"engine\":\"VLLM\","
		"\"latency\":{\"requests\":9,\"overMs\":60000}}");
	assert_page("nv_trt_llm_request_metrics{model=\"a\",request_type=\"max\"} 8\n"
		    "nv_trt_llm_request_metrics{model=\"b\",request_type=\"max\"} 4\n"
		    "nv_trt_llm_request_metrics{model=\"b\",request_type=\"active\"} 2\n",
		&wanted,
		"{\"engine\":\"Triton\","
		"\"limits\":{\"Running\":12,\"InFlight\":12}}");
	assert_page("<html>", &wanted, "{}");
	texts_release(&wanted);
}

static void test_a_page_has_a_value_for_each_signal_that_is_its_own(void **state)
{
	static const struct {
		const char *metric;
		bool page;
	} signals[] = {{"vllm_num_requests_running", true}, {"vllm_kv_cache_usage_percent", true},
		{"vllm_num_requests_waiting", true}, {"gpu_utilization_percent", false}, {"odd", true}};
	auto_page *page =
		page_of_engines("vllm:num_requests_running{engine=\"0\"} 3\nvllm:num_requests_running{engine=\"1\"} 4\n"
				"vllm:kv_cache_usage_perc 0.8512345\nvllm:num_requests_waiting +Inf\n",
			NULL);
	struct probe_request *request = probe_request_new();
	struct page_values values;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		probe_request_add_signal(request, "any", signals[i].metric, signals[i].page);
	}
	shape_clear(&shape_page_values, &values);
	values.pod = xstrdup("p");
	reading_page_values(page, request, &values);
	assert_int_equal(values.values.count, 2);
	assert_string_equal(values.values.items[0].metric, "vllm_num_requests_running");
	assert_int_equal(values.values.items[0].milli, 7000);
	assert_string_equal(values.values.items[1].metric, "vllm_kv_cache_usage_percent");
	assert_int_equal(values.values.items[1].milli, 85123);
	shape_release(&shape_page_values, &values);
	probe_request_unref(request);
}

static void test_an_address_of_either_family_is_in_a_url(void **state)
{
	const struct view_pod four = {.ip = "10.0.0.1"};
	const struct view_pod six = {.ip = "fd00::1"};
	auto_free char *first = pod_authority(&four, "http");
	auto_free char *second = pod_authority(&six, "https");

	(void)state;
	assert_string_equal(first, "http://10.0.0.1");
	assert_string_equal(second, "https://[fd00::1]");
}

/* A sample of the namespace "ns", or, with time -1, what would be recorded alone. */
static void add_sample(struct table_rows *rows, const char *pod, int64_t age_ms, int64_t time_ms)
{
	struct sample_row *row = table_row_add(rows);

	row->ns = table_text(rows, "ns");
	row->pod = table_text(rows, pod);
	row->age_ms = age_ms;
	row->time_ms = time_ms;
	row->milli = time_ms >= 0 ? 7 : MILLI_NONE;
	row->source = time_ms >= 0 ? MILLI_NONE : 1;
}

static void test_only_young_samples_of_ready_pods_count(void **state)
{
	static const struct since pods[] = {{"a", 1000}, {"old", 1000}, {"none", 1000}, {"new", 90000}};
	struct counted_pods counted = counted_of(pods, ARRAY_LEN(pods));
	struct table_rows rows;
	struct table *samples;

	(void)state;
	table_rows_begin(&rows, answer_samples.rows);
	add_sample(&rows, "a", 500, 99500);
	add_sample(&rows, "old", 60000, 40000);
	add_sample(&rows, "other", 500, 99500);
	add_sample(&rows, "none", 0, -1);
	samples = table_make(&rows);
	assert_series(samples, &counted,
		"{\"pods\":1,\"missing\":[\"none\",\"old\"],"
		"\"samples\":{\"a\":{\"age\":500,\"time\":99500,\"milli\":7},"
		"\"old\":{\"age\":60000,\"time\":40000,\"milli\":7}}}");
	assert_series(NULL, &counted, "{\"missing\":[\"a\",\"none\",\"old\"]}");
	table_unref(samples);
	counted_pods_release(&counted);
}

static void test_a_few_of_many_missing_pods_are_named(void **state)
{
	static const struct since pods[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}, {"f", 1}, {"g", 1}};
	struct counted_pods counted = counted_of(pods, ARRAY_LEN(pods));

	(void)state;
	assert_series(NULL, &counted, "{\"missing\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}");
	counted_pods_release(&counted);
}

static void test_values_of_ready_pods_count(void **state)
{
	static const struct since pods[] = {{"a", 1}, {"b", 1}, {"c", 1}, {"new", 99999}};
	auto_json *list = parse("{\"items\":[{\"describedObject\":{\"name\":\"leaving\"},\"value\":\"3\"},"
				"{\"describedObject\":{\"name\":\"a\"},\"value\":\"2500m\"},"
				"{\"describedObject\":{\"name\":\"b\"},\"value\":\"odd\"}]}");
	struct counted_pods counted = counted_of(pods, ARRAY_LEN(pods));

	(void)state;
	assert_metric(list, &counted,
		"{\"pods\":2,\"missing\":[\"c\"],\"values\":{\"a\":2500,\"leaving\":3000,\"b\":null}}");
	counted_pods_release(&counted);
}

/* Of ten thousand pods each finds its own: by the square of their number it would take half a minute. */
static void test_many_pods_find_their_values(void **state)
{
	struct counted_pods counted = {.items = NULL};
	auto_json *items = json_array();
	auto_json *list = json_pack("{s:O}", "items", items);
	struct metric_seen seen;
	const struct reading_grace grace = {100000, 30000};
	int64_t start;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		auto_free char *name = xasprintf("gemma-7c9d8f6b5d-%05d", (i * 7919) % 10000);

		counted_pods_add(&counted, name, 1);
		json_array_append_new(items,
			json_pack("{s:{s:s}, s:s}", "describedObject", "name", name, "value", "3"));
	}
	counted_pods_sort(&counted);
	shape_clear(&shape_metric_seen, &seen);
	start = clock_monotonic_ms();
	reading_metric(list, &counted, &grace, &seen);
	assert_int_equal(seen.pods, 10000);
	print_message("10000 values in %lld ms\n", (long long)(clock_monotonic_ms() - start));
	assert_in_range(clock_monotonic_ms() - start, 0, 1000);
	shape_release(&shape_metric_seen, &seen);
	counted_pods_release(&counted);
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
	auto_free char *odd = reading_text("caf\xe9");
	auto_free char *good = reading_text("caf\xc3\xa9");

	(void)state;
	assert_string_equal(odd, "caf?");
	assert_string_equal(good, "caf\xc3\xa9");
}

static void test_an_answer_of_another_shape_is_no_evidence(void **state)
{
	static const char text[] = "{\"items\":\"none\",\"resources\":[7]}";
	auto_json *odd = parse(text);
	struct counted_pods none = {.items = NULL};

	(void)state;
	assert_pods(text, &any_target, "{\"ready\":0}", "", "");
	assert_pods("{\"items\":[7]}", &any_target, "{\"total\":1,\"ready\":0}", "", "");
	assert_metric(odd, &none, "{}");
	assert_false(reading_metric_listed(odd, "m"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pods_are_counted_by_readiness),
		cmocka_unit_test(test_a_pod_that_was_ready_since_its_containers_started_counts),
		cmocka_unit_test(test_a_pod_that_is_not_ready_any_more_misses_nothing),
		cmocka_unit_test(test_a_ready_pod_is_looked_at_first),
		cmocka_unit_test(test_many_pods_find_their_values),
		cmocka_unit_test(test_pods_of_others_are_foreign),
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
