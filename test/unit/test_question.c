/* What Prometheus is asked, letter by letter, and what its answers come to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/gpu.h"
#include "probe/question.h"

static json_t *parse(const char *text)
{
	auto_error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), &err);

	assert_non_null(value);
	return value;
}

/* Indentation is left out of what is asked. */
static void assert_query(char *target_take, const char *promql)
{
	auto_strbuf wanted = STRBUF_INIT;
	auto_free char *line = xstrdup(promql);

	for (char *end; (end = strchr(line, '\n')) != NULL;) {
		*end++ = ' ';
		memmove(end, end + strspn(end, " "), strlen(end + strspn(end, " ")) + 1);
	}
	strbuf_addstr(&wanted, "/api/v1/query?query=");
	strbuf_add_urlencoded(&wanted, line);
	assert_string_equal(target_take, wanted.buf);
	free_indirect(&target_take);
}

static void assert_index(json_t *(*index)(const json_t *), const char *answer, const char *wanted)
{
	auto_json *parsed = parse(answer);
	auto_json *found = index(parsed);
	auto_free char *text = json_text(found);

	assert_string_equal(text, wanted);
}

static void test_scrapes_of_the_whole_cluster_are_one_question(void **state)
{
	(void)state;
	assert_query(question_scrapes(), "count_values by (namespace, job) (\"up\", up{endpoint=\"ias-metrics\"})");
	assert_index(question_scrapes_index,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"namespace\":\"a\",\"job\":\"x-metrics\",\"up\":\"1\"},\"value\":[9,\"2\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"job\":\"x-metrics\",\"up\":\"0\"},\"value\":[9,\"1\"]},"
		"{\"metric\":{\"namespace\":\"b\",\"job\":\"x-metrics\",\"up\":\"1\"},\"value\":[9,\"3\"]}]}}",
		"{\"a\":{\"x-metrics\":{\"down\":1,\"up\":2}},\"b\":{\"x-metrics\":{\"up\":3}}}");
}

#define PART(promql, part) "label_replace(" promql ", \"part\", \"" part "\", \"\", \"\")"

static void test_samples_and_their_values_are_one_question(void **state)
{
	auto_json *one = parse("[\"x\"]");
	auto_json *two = parse("[\"new{a=\\\"b\\\"}\",\"old\"]");
	auto_json *gpu = parse("[\"" GPU_RECORD "\"]");
	auto_free char *source = gpu_record_expr("up{a=\"b\"}");
	auto_free char *shared = gpu_shared_expr("up{a=\"b\"}");
	auto_free char *recorded =
		xasprintf(PART("max by (namespace, pod) (timestamp(" GPU_RECORD "))",
				  "time") " or " PART("max(" GPU_RECORD
						      "{namespace!=\"\",pod!=\"\"}) by (namespace, pod)",
				  "milli") " or " PART("%s", "source") " or " PART("%s", "shared"),
			source, shared);

	(void)state;
	assert_query(question_samples(one, "not a preset's", NULL),
		PART("max by (namespace, pod) (timestamp(x))", "time"));
	assert_query(question_samples(two, "llamacpp_num_requests_running", "up"),
		PART("max by (namespace, pod) (timestamp(new{a=\"b\"}) or timestamp(old))", "time") " or " PART(
			"(sum(llamacpp:requests_processing{unready=\"true\",namespace!=\"\",pod!=\"\"} >= 0) "
			"by (namespace, pod)) > 0 or "
			"(sum(llamacpp:requests_processing{unready=\"\",namespace!=\"\",pod!=\"\"} >= 0) by (namespace, pod))",
			"milli"));
	assert_query(question_samples(gpu, gpu_utilization.metric, "up{a=\"b\"}"), recorded);
}

/* Of 12 namespaces with names of 20 letters, which is more than a cluster has exporters: proxies take 8 KiB. */
static void test_the_longest_question_is_an_address(void **state)
{
	auto_json *gpu = parse("[\"" GPU_RECORD "\"]");
	auto_json *names = json_array();
	auto_free char *targets = NULL;
	auto_free char *target = NULL;

	(void)state;
	for (int i = 0; i < 12; i++) {
		json_array_append_new(names, json_string("aaaaaaaaaabbbbbbbbbb"));
	}
	targets = gpu_targets(names);
	target = question_samples(gpu, gpu_utilization.metric, targets);
	assert_in_range(strlen(target), 1, 8 * 1024 - 256);
}

static void test_samples_are_aged_by_prometheus_own_clock(void **state)
{
	(void)state;
	assert_index(question_samples_index,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"part\":\"time\"},\"value\":[1000.5,\"990\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"part\":\"milli\"},\"value\":[1000.5,\"85.1234567\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"part\":\"source\"},\"value\":[1000.5,\"NaN\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"q\",\"part\":\"time\"},\"value\":[1000.5,\"1000.25\"]},"
		"{\"metric\":{\"part\":\"time\"},\"value\":[1000.5,\"1000.5\"]}]}}",
		"{\"\":{\"\":{\"age\":0,\"time\":1000500}},"
		"\"a\":{\"p\":{\"age\":10500,\"milli\":85123,\"time\":990000},\"q\":{\"age\":250,\"time\":1000250}}}");
}

static void test_scrapers_are_the_jobs_of_a_pods_series(void **state)
{
	auto_json *two = parse("[\"new{a=\\\"b\\\"}\",\"old\"]");

	(void)state;
	assert_query(question_scrapers(two), "count by (namespace, pod, job) (new{a=\"b\"} or old)");
	assert_index(question_scrapers_index,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"job\":\"x\"},\"value\":[9,\"1\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"job\":\"y/z\"},\"value\":[9,\"1\"]},"
		"{\"metric\":{},\"value\":[9,\"1\"]}]}}",
		"{\"\":{\"\":[\"\"]},\"a\":{\"p\":[\"x\",\"y/z\"]}}");
}

static void test_a_pool_reports_its_pods_errors(void **state)
{
	auto_free char *target = question_pool("serviceMonitor/a/x/0");

	(void)state;
	assert_string_equal(target, "/api/v1/targets?state=active&scrapePool=serviceMonitor%2Fa%2Fx%2F0");
	assert_index(question_pool_index,
		"{\"data\":{\"activeTargets\":[{\"scrapePool\":\"p\",\"lastError\":\"\"},"
		"{\"scrapePool\":\"q\",\"lastError\":\"of another\"},"
		"{\"scrapePool\":\"p\",\"lastError\":\"connection refused\",\"labels\":{\"pod\":\"a\"}},"
		"{\"scrapePool\":\"p\",\"lastError\":\"no route\",\"labels\":{\"pod\":\"b\"}}]}}",
		"{\"p\":{\"a\":\"connection refused\",\"b\":\"no route\"},\"q\":{\"\":\"of another\"}}");
	assert_index(question_pool_index, "{\"data\":{\"activeTargets\":[{\"scrapePool\":\"p\",\"lastError\":\"\"}]}}",
		"{}");
}

/* Prometheus quotes what it cannot read, of any length. */
static void test_an_error_of_any_length_is_kept_short(void **state)
{
	auto_free char *much = xcalloc(1, 40001);
	auto_json *pools = NULL;
	auto_json *rules = NULL;
	auto_json *index = NULL;

	(void)state;
	memset(much, 'x', 40000);
	pools = json_pack("{s:{s:[{s:s, s:s, s:{s:s}}]}}", "data", "activeTargets", "scrapePool", "p", "lastError",
		much, "labels", "pod", "a");
	index = question_pool_index(pools);
	assert_int_equal(strlen(json_path_string(index, "p.a", "")), 4096);
	json_decref(index);
	rules = json_pack("{s:{s:[{s:[{s:s, s:s}]}]}}", "data", "groups", "rules", "name", "r", "lastError", much);
	index = question_rule_index(rules);
	assert_int_equal(strlen(json_path_string(json_array_get(json_object_get(index, "r"), 0), "lastError", "")),
		4096);
}

static void test_the_exporter_is_asked_for_jobs_and_workloads(void **state)
{
	auto_json *series = parse("[\"A\",\"B\"]");
	auto_json *jobs = parse("[\"dcgm\",\"od\\\"d\\\\\"]");

	(void)state;
	assert_query(question_exporter(series, "up{x=\"y\"}", "up"),
		PART("count by (job) ({__name__=~\"A|B\"} and on (job, instance) up{x=\"y\"})",
			"trusted") " or " PART("count by (job) ({__name__=~\"A|B\"} and on (job, instance) up)",
			"targets"));
	assert_index(question_exporter_index,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"job\":\"dcgm\",\"part\":\"targets\"},\"value\":[9,\"8\"]},"
		"{\"metric\":{\"job\":\"dcgm\",\"part\":\"trusted\"},\"value\":[9,\"6\"]}]}}",
		"{\"targets\":{\"dcgm\":8},\"trusted\":{\"dcgm\":6}}");
	assert_query(question_workloads(series, "up"),
		"count(({__name__=~\"A|B\",exported_pod!=\"\"} or ({__name__=~\"A|B\",exported_pod=\"\",pod!=\"\"} "
		"unless on (job, instance, namespace, pod) up)) and on (job, instance) up)");
	assert_index(question_workloads_index, "{\"data\":{\"result\":[{\"metric\":{},\"value\":[9,\"6\"]}]}}", "6");
	assert_index(question_workloads_index, "{\"data\":{\"result\":[]}}", "0");
	assert_query(question_jobs(jobs, "up{x=\"y\"}"),
		"count_values by (job) (\"up\", (up{job=\"dcgm\"} or up{job=\"od\\\"d\\\\\"}) and up{x=\"y\"})");
	assert_index(question_jobs_index,
		"{\"data\":{\"result\":[{\"metric\":{\"job\":\"dcgm\",\"up\":\"0\"},\"value\":[9,\"2\"]}]}}",
		"{\"dcgm\":{\"down\":2}}");
}

static void test_the_rules_of_a_name(void **state)
{
	auto_free char *target = question_rule("a:b");

	(void)state;
	assert_string_equal(target, "/api/v1/rules?type=record&rule_name%5B%5D=a%3Ab");
	assert_index(question_rule_index,
		"{\"data\":{\"groups\":[{\"file\":\"f\",\"rules\":[{\"name\":\"other\",\"health\":\"ok\",\"query\":\"q\"},"
		"{\"name\":\"a:b\",\"health\":\"ok\",\"query\":\"1\"}]},"
		"{\"rules\":[{\"name\":\"a:b\",\"health\":\"err\",\"lastError\":\"duplicate\"}]}]}}",
		"{\"a:b\":[{\"file\":\"f\",\"health\":\"ok\",\"query\":\"1\"},"
		"{\"file\":\"\",\"health\":\"err\",\"lastError\":\"duplicate\",\"query\":\"\"}],"
		"\"other\":[{\"file\":\"f\",\"health\":\"ok\",\"query\":\"q\"}]}");
}

static void test_an_answer_of_another_shape_is_empty(void **state)
{
	static const char *const odd[] = {"[]", "{\"data\":7}",
		"{\"data\":{\"result\":[1,{\"metric\":2,\"value\":\"x\"}],"
		"\"groups\":[{\"rules\":3},4],\"activeTargets\":[[]]}}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		auto_json *answer = parse(odd[i]);
		auto_json *pool = question_pool_index(answer);
		auto_json *rule = question_rule_index(answer);
		auto_json *workloads = question_workloads_index(answer);

		json_decref(question_scrapes_index(answer));
		json_decref(question_samples_index(answer));
		json_decref(question_scrapers_index(answer));
		json_decref(question_exporter_index(answer));
		json_decref(question_jobs_index(answer));
		assert_int_equal(json_object_size(pool), 0);
		assert_int_equal(json_object_size(rule), 0);
		assert_int_equal(json_integer_value(workloads), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scrapes_of_the_whole_cluster_are_one_question),
		cmocka_unit_test(test_samples_and_their_values_are_one_question),
		cmocka_unit_test(test_the_longest_question_is_an_address),
		cmocka_unit_test(test_samples_are_aged_by_prometheus_own_clock),
		cmocka_unit_test(test_scrapers_are_the_jobs_of_a_pods_series),
		cmocka_unit_test(test_a_pool_reports_its_pods_errors),
		cmocka_unit_test(test_an_error_of_any_length_is_kept_short),
		cmocka_unit_test(test_the_exporter_is_asked_for_jobs_and_workloads),
		cmocka_unit_test(test_the_rules_of_a_name),
		cmocka_unit_test(test_an_answer_of_another_shape_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
