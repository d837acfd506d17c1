/* The values at each hop, as documents and as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "report/values.h"

#define RUNNING "vllm_num_requests_running"
#define GPU "gpu_utilization_percent"
#define NOW_MS INT64_C(1769842800000)

static json_t *parsed(const char *text)
{
	json_t *value = yaml_parse(text, strlen(text), NULL);

	assert_non_null(value);
	return value;
}

static struct evidence *seen(const json_t *document)
{
	return evidence_decode(document, NOW_MS);
}

static const struct view *hpa_of(const char *text)
{
	auto_json *object = parsed(text);

	return view_decode(KIND_HPA, object);
}

static void assert_table_at(int64_t now_ms, const char *evidence_text, const char *hpa_text, const char *metric,
	const char *wanted)
{
	auto_json *document = parsed(evidence_text);
	auto_view *hpa = hpa_text != NULL ? hpa_of(hpa_text) : NULL;
	struct evidence *evidence = seen(document);
	auto_json *values = values_make(evidence, view_hpa(hpa));
	auto_strbuf text = STRBUF_INIT;

	values_text(&text, values, metric, now_ms);
	assert_string_equal(text.buf, wanted);
	evidence_free(evidence);
}

static void assert_table(const char *evidence_text, const char *hpa_text, const char *metric, const char *wanted)
{
	assert_table_at(NOW_MS, evidence_text, hpa_text, metric, wanted);
}

static const char two_signals[] =
	"asked: {signals: [{metric: " RUNNING ", page: true}, {metric: " GPU ", page: false}]}\n"
	"page: {values: {gemma-1: {" RUNNING ": 12000}}}\n"
	"signals:\n"
	"  " RUNNING ":\n"
	"    series: {samples: {gemma-1: {age: 4200, milli: 11000}, gemma-0: {age: 61000, milli: 850}}}\n"
	"    metric: {values: {gemma-1: 11000, gemma-0: null, leaving: 7000}}\n"
	"  " GPU ":\n"
	"    series: {samples: {gemma-0: {age: 14999, milli: 37000, source: 41250}}}\n"
	"    metric: {values: {gemma-0: 37000}}\n";

static const char two_averages[] =
	"status: {currentMetrics: [{type: Pods, pods: {metric: {name: " RUNNING
	"}, current: {averageValue: 10500m}}},\n"
	"                          {type: Pods, pods: {metric: {name: " GPU "}, current: {averageValue: '37'}}}]}\n";

static void hops_stand_side_by_side(void **state)
{
	(void)state;
	assert_table(two_signals, two_averages, RUNNING,
		"          POD      PAGE  PROMETHEUS      METRICS API\n"
		"          gemma-0  -     0.85, 61 s old  -\n"
		"          gemma-1  12    11, 4 s old     11\n"
		"          leaving  -     -               7\n"
		"          the HPA's average is 10.5\n");
}

static void nothing_comes_over_prometheus_where_it_is_direct(void **state)
{
	(void)state;
	assert_table("asked: {direct: true, signals: [{metric: " RUNNING ", page: true}]}\n"
		     "page: {values: {gemma-1: {" RUNNING ": 12000}}}\n"
		     "signals:\n"
		     "  " RUNNING ":\n"
		     "    series: {samples: {gemma-1: {age: 20, milli: 12000}}}\n"
		     "    metric: {values: {gemma-1: 11000, gemma-0: 850}}\n",
		two_averages, RUNNING,
		"          POD      PAGE  METRICS API\n"
		"          gemma-0  -     0.85\n"
		"          gemma-1  12    11\n"
		"          the HPA's average is 10.5\n");
}

static void gpus_have_a_recorded_series_and_no_page(void **state)
{
	(void)state;
	assert_table(two_signals, two_averages, GPU,
		"          POD      PROMETHEUS  RECORDED        METRICS API\n"
		"          gemma-0  41.25 %     37 %, 14 s old  37 %\n"
		"          the HPA's average is 37 %\n");
}

static void what_was_read_some_time_ago_has_its_age(void **state)
{
	(void)state;
	assert_table_at(NOW_MS + 59000, two_signals, NULL, RUNNING,
		"          POD      PAGE  PROMETHEUS      METRICS API\n"
		"          gemma-0  -     0.85, 61 s old  -\n"
		"          gemma-1  12    11, 4 s old     11\n"
		"          leaving  -     -               7\n");
	assert_table_at(NOW_MS + 119000,
		"asked: {signals: [{metric: m, page: true}]}\n"
		"page: {values: {gemma-0: {m: 12000}}}\n"
		"signals: {m: {series: {samples: {gemma-0: {age: 4200, milli: 11000}}},\n"
		"              metric: {at: 1769842679000, values: {gemma-0: 11000}}}}\n",
		NULL, "m",
		"          POD      PAGE, read 1m ago  PROMETHEUS   METRICS API, read 4m ago\n"
		"          gemma-0  12                 11, 4 s old  11\n");
}

static void what_the_hpa_has_read_is_said_to_be_its_reading(void **state)
{
	(void)state;
	assert_table("asked: {signals: [{metric: " RUNNING "}]}\n"
		     "signals: {" RUNNING ": {series: {samples: {gemma-0: {age: 4200, milli: 11000}}},\n"
		     "                        metric: {byHpa: true, pods: 1}}}\n",
		two_averages, RUNNING,
		"          POD      PROMETHEUS   METRICS API\n"
		"          gemma-0  11, 4 s old  -\n"
		"          the HPA's average is 10.5; the metrics API was read by it, not by the operator\n");
}

static void what_was_not_seen_has_no_table(void **state)
{
	(void)state;
	assert_table(two_signals, NULL, "another", "");
	assert_table("asked: {signals: [{metric: " RUNNING ", page: true}]}\n", NULL, RUNNING, "");
	assert_table("{}", NULL, RUNNING, "");
}

static void names_do_not_command_the_terminal(void **state)
{
	(void)state;
	assert_table("{asked: {signals: [{metric: m}]}, signals: {m: {metric: {values: {\"a\\e[2J\": 1}}}}}", NULL, "m",
		"          POD    PROMETHEUS  METRICS API\n"
		"          a?[2J  -           0.001\n");
}

static void many_pods_are_not_all_shown(void **state)
{
	auto_json *document = parsed("{asked: {signals: [{metric: m}]}, signals: {m: {metric: {values: {}}}}}");
	struct evidence *evidence;
	auto_json *values = NULL;
	auto_strbuf text = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 33; i++) {
		auto_free char *pod = xasprintf("p-%02d", i);

		json_object_set_new(json_path(document, "signals.m.metric.values"), pod, json_integer(1000));
	}
	evidence = seen(document);
	values = values_make(evidence, NULL);
	evidence_free(evidence);
	values_text(&text, values, "m", NOW_MS);
	assert_non_null(strstr(text.buf, "p-19"));
	assert_null(strstr(text.buf, "p-20"));
	assert_non_null(strstr(text.buf, "          and 13 pods more\n"));
	assert_int_equal(json_array_size(json_object_get(json_array_get(values, 0), "pods")), 33);
}

static void the_document_has_decimal_strings(void **state)
{
	auto_json *document = parsed(two_signals);
	auto_view *hpa = hpa_of(two_averages);
	struct evidence *evidence = seen(document);
	auto_json *values = values_make(evidence, view_hpa(hpa));
	auto_free char *text = json_text(json_array_get(values, 1));

	(void)state;
	evidence_free(evidence);
	assert_string_equal(text, "{\"hpa\":\"37\",\"metric\":\"" GPU
				  "\",\"percent\":true,\"pods\":[{\"ageMs\":14999,\"pod\":\"gemma-0\","
				  "\"prometheus\":\"41.25\",\"recorded\":\"37\",\"served\":\"37\"}],"
				  "\"servedReadAt\":\"2026-01-31T07:00:00Z\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hops_stand_side_by_side),
		cmocka_unit_test(nothing_comes_over_prometheus_where_it_is_direct),
		cmocka_unit_test(gpus_have_a_recorded_series_and_no_page),
		cmocka_unit_test(what_was_read_some_time_ago_has_its_age),
		cmocka_unit_test(what_the_hpa_has_read_is_said_to_be_its_reading),
		cmocka_unit_test(what_was_not_seen_has_no_table),
		cmocka_unit_test(names_do_not_command_the_terminal),
		cmocka_unit_test(many_pods_are_not_all_shown),
		cmocka_unit_test(the_document_has_decimal_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
