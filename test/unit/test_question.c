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
#include "probe/samples_question.h"

/* A list of these, NULL at the end; the caller releases it. */
static struct texts list_of(const char *const *texts)
{
	struct texts list = {NULL, 0};

	for (; *texts != NULL; texts++) {
		texts_add(&list, *texts);
	}
	return list;
}

#define LIST(...) list_of((const char *const[]){__VA_ARGS__, NULL})

/* A signal with these series, which are borrowed. */
#define ASKED(list, of) (&(const struct signal_request){.metric = (char *)(uintptr_t)(of), .series = (list)})
#define TAGGED(list, of, by)                                                                                           \
	(&(const struct signal_request){.metric = (char *)(uintptr_t)(of),                                             \
		.series = (list),                                                                                      \
		.tag = (char *)(uintptr_t)(by)})

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

/* Its rows: the texts, then the numbers. */
static char *text_of(const struct table *table)
{
	struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < table->count; i++) {
		const char *row = (const char *)table->rows + i * table->type->row_size;
		const char *const *texts = (const void *)row;
		const int64_t *numbers = (const void *)(texts + table->type->texts);

		strbuf_addstr(&text, i > 0 ? "; " : "");
		for (unsigned t = 0; t < table->type->texts; t++) {
			strbuf_addf(&text, "%s'%s'", t > 0 ? " " : "", texts[t] != NULL ? texts[t] : "-");
		}
		for (; (const char *)numbers < row + table->type->row_size; numbers++) {
			strbuf_addf(&text, " %lld", (long long)*numbers);
		}
	}
	return strbuf_take(&text);
}

/* Of what an answer says beside its status. */
static struct table *table_of(const struct answer_type *type, const char *answer)
{
	auto_free char *whole = xasprintf("{\"status\":\"success\",%s", answer + 1);
	struct table *table = body_table(whole, strlen(whole), type, NULL, NULL);

	assert_non_null(table);
	return table;
}

static void assert_rows(const struct answer_type *type, const char *answer, const char *wanted)
{
	struct table *table = table_of(type, answer);
	auto_free char *text = text_of(table);

	assert_string_equal(text, wanted);
	table_unref(table);
}

static void test_scrapes_of_the_whole_cluster_are_one_question(void **state)
{
	(void)state;
	assert_query(question_scrapes(), "count_values by (namespace, job) (\"up\", up{endpoint=\"ias-metrics\"})");
	assert_rows(&answer_scrapes,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"namespace\":\"a\",\"job\":\"x-metrics\",\"up\":\"1\"},\"value\":[9,\"2\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"job\":\"x-metrics\",\"up\":\"0\"},\"value\":[9,\"1\"]},"
		"{\"metric\":{\"namespace\":\"b\",\"job\":\"x-metrics\",\"up\":\"1\"},\"value\":[9,\"3\"]}]}}",
		"'a' 'x-metrics' 2 1; 'b' 'x-metrics' 3 0");
}

#define PART(promql, part) "label_replace(" promql ", \"part\", \"" part "\", \"\", \"\")"

static void test_samples_and_their_values_are_one_question(void **state)
{
	struct texts one = LIST("x");
	struct texts two = LIST("new{a=\"b\"}", "old");
	struct texts spelled = LIST("vllm:x", "y");
	struct texts gpu = LIST(GPU_RECORD);
	auto_free char *source = gpu_record_expr("up{a=\"b\"}");
	auto_free char *shared = gpu_shared_expr("up{a=\"b\"}");
	auto_free char *recorded =
		xasprintf(PART("max by (namespace, pod) (timestamp(" GPU_RECORD "))",
				  "time") " or " PART("max(" GPU_RECORD
						      "{namespace!=\"\",pod!=\"\"}) by (namespace, pod)",
				  "milli") " or " PART("%s", "source") " or " PART("%s", "shared"),
			source, shared);

	(void)state;
	assert_query(question_samples(ASKED(one, "not a preset's"), NULL, false),
		PART("max by (namespace, pod) (timestamp(x))", "time"));
	assert_query(question_samples(ASKED(two, "llamacpp_num_requests_running"), "up", false),
		PART("max by (namespace, pod) (timestamp(new{a=\"b\"}) or timestamp(old))", "time") " or " PART(
			"(sum({__name__=~\"llamacpp[:_]requests_processing\",unready=\"true\",namespace!=\"\",pod!=\"\"} >= 0) "
			"by (namespace, pod)) > 0 or "
			"(sum({__name__=~\"llamacpp[:_]requests_processing\",unready=\"\",namespace!=\"\",pod!=\"\"} >= 0) by (namespace, pod))",
			"milli"));
	/* each spelling, one by one: a function of a pattern fails where a target has two of them */
	assert_query(question_samples(ASKED(spelled, "x"), NULL, false),
		PART("max by (namespace, pod) (timestamp(vllm:x) or timestamp(vllm_x) or timestamp(ray_vllm_x) or "
		     "timestamp(ray_vllm:x) or timestamp(y))",
			"time"));
	assert_query(question_samples(ASKED(gpu, gpu_utilization.metric), "up{a=\"b\"}", false), recorded);
	texts_release(&one);
	texts_release(&two);
	texts_release(&spelled);
	texts_release(&gpu);
}

/* Of 12 namespaces with names of 20 letters, which is more than a cluster has exporters: proxies take 8 KiB. */
#define TAG "inference_autoscaler_waiting=\"sum.3fbe7e95\""

/* What the page's labels are does not matter to whoever has the tag; the name does, since a function of several fails. */
static void test_tagged_samples_are_asked_for_by_their_tag(void **state)
{
	static const struct {
		const char *series;
		const char *times;
	} rows[] = {
		{"depth", "timestamp(depth{" TAG "})"},
		{"depth{queue=\"high\"}", "timestamp(depth{" TAG "})"},
		{"queue:depth{a=\"b:c\"}", "timestamp(queue:depth{" TAG "}) or timestamp(queue_depth{" TAG "})"},
		{"vllm:x", "timestamp(vllm:x{" TAG "}) or timestamp(vllm_x{" TAG "}) or timestamp(ray_vllm_x{" TAG
			   "}) or timestamp(ray_vllm:x{" TAG "})"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct texts series = LIST(rows[i].series);
		auto_free char *wanted = xasprintf(PART("max by (namespace, pod) (%s)", "time"), rows[i].times);

		assert_query(question_samples(TAGGED(series, "another's", TAG), NULL, false), wanted);
		texts_release(&series);
	}
}

/* As the adapter asks, but for others' descriptions. */
static void test_the_value_of_tagged_samples_is_that_of_the_rule(void **state)
{
	struct texts series = LIST("depth");

	(void)state;
#define OF(how, unready)                                                                                               \
	"({inference_autoscaler_waiting=~\"" how ".*\",unready=\"" unready "\"," TAG                                   \
	",namespace!=\"\",pod!=\"\"} >= 0) by (namespace, pod"
#define COUNT(unready)                                                                                                 \
	"(max(sum" OF("sum", unready) ", inference_autoscaler_waiting)) by (namespace, pod) or max" OF("max",          \
		unready) "))"
	assert_query(question_samples(TAGGED(series, "custom_num_requests_waiting", TAG), NULL, false),
		PART("max by (namespace, pod) (timestamp(depth{" TAG "}))",
			"time") " or " PART(COUNT("true") " > 0 or " COUNT(""), "milli"));
	texts_release(&series);
}

static void test_the_longest_question_is_an_address(void **state)
{
	struct texts gpu = LIST(GPU_RECORD);
	auto_json *names = json_array();
	auto_free char *targets = NULL;

	(void)state;
	for (int i = 0; i < 12; i++) {
		json_array_append_new(names, json_string("aaaaaaaaaabbbbbbbbbb"));
	}
	targets = gpu_targets(names);
	for (int part = 0; part < 2; part++) {
		auto_free char *target = question_samples(ASKED(gpu, gpu_utilization.metric), targets, part == 1);

		print_message("%zu letters\n", strlen(target));
		assert_in_range(strlen(target), 1, 8 * 1024 - 256);
	}
	texts_release(&gpu);
}

static void test_so_is_that_of_the_longest_series(void **state)
{
	auto_free char *name = xasprintf("vllm:%0250d", 0);
	struct texts series = LIST(name);

	(void)state;
	for (int part = 0; part < 2; part++) {
		auto_free char *target =
			question_samples(TAGGED(series, "custom_kv_cache_usage_percent",
						 "inference_autoscaler_kv_cache=\"ratio_max.3fbe7e95\""),
				NULL, part == 1);

		print_message("%zu letters\n", strlen(target));
		assert_in_range(strlen(target), 4 * 255, 8 * 1024 - 256);
	}
	texts_release(&series);
}

/* Each selector wants the pods of the part, whichever label of it is the pod's. */
static void test_a_part_is_of_some_pods(void **state)
{
	struct texts two = LIST("new{a=\"b\"}", "old");
	struct texts gpu = LIST(GPU_RECORD);
	auto_free char *target = question_samples(ASKED(gpu, gpu_utilization.metric), "up", true);

	(void)state;
	assert_query(question_samples(ASKED(two, "llamacpp_num_requests_running"), NULL, true),
		PART("max by (namespace, pod) (timestamp(new{a=\"b\",pod=~\".*[\001]\"}) or "
		     "timestamp(old{pod=~\".*[\001]\"}))",
			"time") " or " PART("(sum({__name__=~\"llamacpp[:_]requests_processing\",unready=\"true\",namespace!=\"\",pod=~\".*["
					    "\001]\"} >= 0) by (namespace, pod)) > 0 or "
					    "(sum({__name__=~\"llamacpp[:_]requests_processing\",unready=\"\",namespace!=\"\",pod=~\".*["
					    "\001]\"} >= 0) by (namespace, pod))",
			"milli"));
	assert_null(strstr(target, "pod%21%3D"));
	assert_non_null(strstr(target, "exported_pod%3D~%22.%2A%5B%01%5D%22"));
	assert_non_null(strstr(target, "exported_pod%3D%22%22%2Cpod%3D~%22.%2A%5B%01%5D%22"));
	texts_release(&two);
	texts_release(&gpu);
}

static void test_samples_are_aged_by_prometheus_own_clock(void **state)
{
	(void)state;
	assert_rows(&answer_samples,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"part\":\"time\"},\"value\":[1000.5,\"990\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"part\":\"milli\"},\"value\":[1000.5,\"85.1234567\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"part\":\"source\"},\"value\":[1000.5,\"NaN\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"q\",\"part\":\"time\"},\"value\":[1000.5,\"1000.25\"]},"
		"{\"metric\":{\"namespace\":\"b\",\"pod\":\"r\",\"part\":\"source\"},\"value\":[1000.5,\"40\"]},"
		"{\"metric\":{\"namespace\":\"b\",\"pod\":\"r\",\"part\":\"shared\"},\"value\":[1000.5,\"2\"]},"
		"{\"metric\":{\"part\":\"time\"},\"value\":[1000.5,\"1000.5\"]}]}}",
		"'' '' 0 1000500 -1 -1 0; 'a' 'p' 10500 990000 85123 -1 0; 'a' 'q' 250 1000250 -1 -1 0; "
		"'b' 'r' 0 -1 -1 40000 1");
}

static void test_scrapers_are_the_jobs_of_a_pods_series(void **state)
{
	struct texts two = LIST("new{a=\"b\"}", "old");

	(void)state;
	assert_query(question_scrapers(ASKED(two, "x"), true),
		"count by (namespace, pod, job) (new{a=\"b\",pod=~\".*[\001]\"} or old{pod=~\".*[\001]\"})");
	assert_query(question_scrapers(ASKED(two, "x"), false), "count by (namespace, pod, job) (new{a=\"b\"} or old)");
	assert_rows(&answer_scrapers,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"job\":\"x\"},\"value\":[9,\"1\"]},"
		"{\"metric\":{\"namespace\":\"a\",\"pod\":\"p\",\"job\":\"y/z\"},\"value\":[9,\"1\"]},"
		"{\"metric\":{},\"value\":[9,\"1\"]}]}}",
		"'' '' ''; 'a' 'p' 'x'; 'a' 'p' 'y/z'");
	texts_release(&two);
}

static void test_a_pool_reports_its_pods_errors(void **state)
{
	auto_free char *target = question_pool("serviceMonitor/a/x/0");

	(void)state;
	assert_string_equal(target, "/api/v1/targets?state=active&scrapePool=serviceMonitor%2Fa%2Fx%2F0");
	assert_rows(&answer_pool,
		"{\"data\":{\"activeTargets\":[{\"scrapePool\":\"p\",\"lastError\":\"\"},"
		"{\"scrapePool\":\"q\",\"lastError\":\"of another\"},"
		"{\"scrapePool\":\"p\",\"lastError\":\"connection refused\",\"labels\":{\"pod\":\"a\"}},"
		"{\"scrapePool\":\"p\",\"lastError\":\"no route\",\"labels\":{\"pod\":\"b\"}}]}}",
		"'p' 'a' 'connection refused'; 'p' 'b' 'no route'; 'q' '' 'of another'");
	assert_rows(&answer_pool, "{\"data\":{\"activeTargets\":[{\"scrapePool\":\"p\",\"lastError\":\"\"}]}}", "");
}

/* Prometheus quotes what it cannot read, of any length. */
static void test_an_error_of_any_length_is_kept_short(void **state)
{
	auto_free char *much = xcalloc(1, 40001);
	auto_free char *pools = NULL;
	auto_free char *rules = NULL;
	struct table *table;

	(void)state;
	memset(much, 'x', 40000);
	pools = xasprintf("{\"data\":{\"activeTargets\":[{\"scrapePool\":\"p\",\"lastError\":\"%s\"}]}}", much);
	table = table_of(&answer_pool, pools);
	assert_int_equal(strlen(((const struct target_row *)table->rows)->error), 4096);
	table_unref(table);
	rules = xasprintf("{\"data\":{\"groups\":[{\"rules\":[{\"name\":\"r\",\"lastError\":\"%s\"}]}]}}", much);
	table = table_of(&answer_rule, rules);
	assert_int_equal(strlen(((const struct rule_row *)table->rows)->last_error), 4096);
	table_unref(table);
}

static void test_the_exporter_is_asked_for_jobs_and_workloads(void **state)
{
	struct texts series = LIST("A", "B");
	struct texts jobs = LIST("dcgm", "od\"d\\");

	(void)state;
	assert_query(question_exporter(&series, "up{x=\"y\"}"),
		"count by (job) ({__name__=~\"A|B\"} and on (job, instance) up{x=\"y\"})");
	assert_rows(&answer_exporter,
		"{\"data\":{\"result\":["
		"{\"metric\":{\"job\":\"second\"},\"value\":[9,\"8\"]},"
		"{\"metric\":{\"job\":\"dcgm\"},\"value\":[9,\"6\"]}]}}",
		"'' 'dcgm' 6; '' 'second' 8");
	assert_query(question_workloads(&series, "up"),
		"count(({__name__=~\"A|B\",exported_pod!=\"\"} or ({__name__=~\"A|B\",exported_pod=\"\",pod!=\"\"} "
		"unless on (job, instance, namespace, pod) up)) and on (job, instance) up)");
	assert_rows(&answer_workloads, "{\"data\":{\"result\":[{\"metric\":{},\"value\":[9,\"6\"]}]}}", "'' '' 6");
	assert_rows(&answer_workloads, "{\"data\":{\"result\":[]}}", "");
	assert_query(question_jobs(&jobs, "up{x=\"y\"}"),
		"count_values by (job) (\"up\", (up{job=\"dcgm\"} or up{job=\"od\\\"d\\\\\"}) and up{x=\"y\"})");
	assert_rows(&answer_jobs,
		"{\"data\":{\"result\":[{\"metric\":{\"job\":\"dcgm\",\"up\":\"0\"},\"value\":[9,\"2\"]}]}}",
		"'' 'dcgm' 0 2");
	texts_release(&series);
	texts_release(&jobs);
}

static void test_the_rules_of_a_name(void **state)
{
	auto_free char *target = question_rule("a:b");

	(void)state;
	assert_string_equal(target, "/api/v1/rules?type=record&rule_name%5B%5D=a%3Ab");
	assert_rows(&answer_rule,
		"{\"data\":{\"groups\":[{\"file\":\"f\",\"rules\":[{\"name\":\"other\",\"health\":\"ok\",\"query\":\"q\"},"
		"{\"name\":\"a:b\",\"health\":\"ok\",\"query\":\"1\"}]},"
		"{\"rules\":[{\"name\":\"a:b\",\"health\":\"err\",\"lastError\":\"duplicate\"}]}]}}",
		"'a:b' '' '' 'duplicate' 3; 'a:b' 'f' '1' '-' 1; 'other' 'f' 'q' '-' 1");
}

static void test_an_answer_of_another_shape_is_empty(void **state)
{
	static const struct answer_type *const types[] = {&answer_scrapes, &answer_samples, &answer_scrapers,
		&answer_pool, &answer_exporter, &answer_workloads, &answer_jobs, &answer_rule};
	static const char *const odd[] = {"{\"data\":7}", "{\"data\":[]}",
		("{\"data\":{\"result\":[1,{\"metric\":2,\"value\":\"x\"}],"
		 "\"groups\":[{\"rules\":3},4],\"activeTargets\":[[]]}}")};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		for (size_t t = 0; t < ARRAY_LEN(types); t++) {
			struct table *table = table_of(types[t], odd[i]);

			/* An element that is no row is one of nobody. */
			assert_null(table_find(table, "a", NULL, &(size_t){0}));
			table_unref(table);
		}
	}
}

static void test_what_says_no_success_is_no_answer(void **state)
{
	static const struct {
		const char *body, *unreadable; /* NULL = it is JSON */
	} rows[] = {
		{"{}", NULL},
		{"[]", NULL},
		{"{\"status\":\"error\",\"data\":{\"result\":[]}}", NULL},
		{"<html>", "cannot parse JSON at line 1"},
		{"{\"status\":\"success\",\"data\":{\"result\":[1,]}}", "cannot parse JSON at line 1"},
		{"{\"status\":\"success\"} more", "cannot parse JSON at line 1"},
		{"", "cannot parse JSON"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_error err = ERROR_INIT;

		assert_null(body_table(rows[i].body, strlen(rows[i].body), &answer_samples, NULL, &err));
		assert_int_equal(err.kind, rows[i].unreadable == NULL ? ERROR_NONE : ERROR_INVALID);
		if (rows[i].unreadable != NULL) {
			assert_non_null(strstr(err.message, rows[i].unreadable));
		}
	}
}

#define TIME(pod) "{\"metric\":{\"namespace\":\"a\",\"pod\":\"" pod "\",\"part\":\"time\"},\"value\":[9,\"8\"]}"

/* Members in any order, white space, elements with anything in them. */
static void test_an_answer_may_be_written_in_many_ways(void **state)
{
	static const char *const bodies[] = {
		"{\"status\":\"success\",\"data\":{\"result\":[" TIME("p") "]}}",
		" {\n \"data\" : { \"resultType\":\"vector\", \"result\" : [ " TIME(
			"p") " ] , \"more\": [1, {}] },\n"
			     "\"warnings\":[\"]}\\\"\"], \"status\" : \"success\" }\n",
		/* a member twice: what cannot be gone through is read as a whole, and there the last counts */
		"{\"status\":\"success\",\"data\":7,\"data\":{\"result\":[" TIME("p") "]}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct table *table = body_table(bodies[i], strlen(bodies[i]), &answer_samples, NULL, NULL);
		auto_free char *text = text_of(table);

		assert_string_equal(text, "'a' 'p' 1000 8000 -1 -1 0");
		table_unref(table);
	}
}

static void test_parts_add_up(void **state)
{
	static const char more[] = "{\"status\":\"success\",\"data\":{\"result\":[" TIME("b") "," TIME("q") "]}}";
	struct table *part = table_of(&answer_samples, "{\"data\":{\"result\":[" TIME("c") "," TIME("a") "]}}");
	struct table *both = body_table(more, strlen(more), &answer_samples, part, NULL);
	auto_free char *text = text_of(both);

	(void)state;
	assert_string_equal(text, "'a' 'a' 1000 8000 -1 -1 0; 'a' 'b' 1000 8000 -1 -1 0; 'a' 'c' 1000 8000 -1 -1 0; "
				  "'a' 'q' 1000 8000 -1 -1 0");
	assert_false(table_equal(part, both));
	assert_true(table_equal(both, both));
	table_unref(part);
	table_unref(both);
}

/* Each name ends in one of the parts. */
static void test_the_parts_are_of_all_letters(void **state)
{
	char found[256] = "";

	(void)state;
	for (unsigned part = 0; part < QUESTION_PARTS; part++) {
		for (const char *c = question_part_letters(part); *c != '\0'; c++) {
			found[(unsigned char)*c]++;
		}
	}
	for (unsigned c = 0; c < 256; c++) {
		assert_int_equal(found[c], (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'));
	}
}

/* Each is made once, and as many as there may be are remembered. */
static void the_question_about_samples_is_made_once(void **state)
{
	struct samples_questions questions = {.count = 0};
	struct texts series = {NULL, 0};
	const struct samples_question *first;

	(void)state;
	texts_add(&series, "vllm:num_requests_running");
	first = samples_question(&questions, ASKED(series, "vllm_num_requests_running"), NULL);
	auto_free char *target = question_samples(ASKED(series, "vllm_num_requests_running"), NULL, false);
	auto_free char *part = question_samples(ASKED(series, "vllm_num_requests_running"), NULL, true);
	assert_string_equal(first->target, target);
	assert_string_equal(first->part, part);
	assert_ptr_equal(samples_question(&questions, ASKED(series, "vllm_num_requests_running"), NULL), first);
	assert_ptr_not_equal(samples_question(&questions, ASKED(series, "vllm_num_requests_running"), "up"), first);
	assert_ptr_not_equal(samples_question(&questions, ASKED(series, "other"), NULL), first);
	assert_ptr_not_equal(samples_question(&questions, TAGGED(series, "vllm_num_requests_running", TAG), NULL),
		first);
	texts_add(&series, "more");
	assert_ptr_not_equal(samples_question(&questions, ASKED(series, "vllm_num_requests_running"), NULL), first);
	assert_int_equal(questions.count, 5);
	for (int i = 0; i < 100; i++) {
		auto_free char *metric = xasprintf("m%d", i);

		assert_string_equal(samples_question(&questions, ASKED(series, metric), NULL)->metric, metric);
		assert_in_range(questions.count, 1, SAMPLES_QUESTIONS_MAX);
	}
	samples_questions_release(&questions);
	texts_release(&series);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question_about_samples_is_made_once),
		cmocka_unit_test(test_scrapes_of_the_whole_cluster_are_one_question),
		cmocka_unit_test(test_samples_and_their_values_are_one_question),
		cmocka_unit_test(test_tagged_samples_are_asked_for_by_their_tag),
		cmocka_unit_test(test_the_value_of_tagged_samples_is_that_of_the_rule),
		cmocka_unit_test(test_the_longest_question_is_an_address),
		cmocka_unit_test(test_so_is_that_of_the_longest_series),
		cmocka_unit_test(test_samples_are_aged_by_prometheus_own_clock),
		cmocka_unit_test(test_scrapers_are_the_jobs_of_a_pods_series),
		cmocka_unit_test(test_a_pool_reports_its_pods_errors),
		cmocka_unit_test(test_an_error_of_any_length_is_kept_short),
		cmocka_unit_test(test_the_exporter_is_asked_for_jobs_and_workloads),
		cmocka_unit_test(test_the_rules_of_a_name),
		cmocka_unit_test(test_an_answer_of_another_shape_is_empty),
		cmocka_unit_test(test_what_says_no_success_is_no_answer),
		cmocka_unit_test(test_an_answer_may_be_written_in_many_ways),
		cmocka_unit_test(test_parts_add_up),
		cmocka_unit_test(test_the_parts_are_of_all_letters),
		cmocka_unit_test(test_a_part_is_of_some_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
