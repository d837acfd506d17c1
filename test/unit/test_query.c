/* The presets' queries, worked out on pages as Prometheus would. That they mean the same there is promtool's to
 * say, in test/integration/test_promql.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/gpu.h"
#include "engine/presets.h"
#include "page_text.h"

/* The value in thousandths; -1 when there is none. */
static long milli(const char *metric, const char *page)
{
	const struct engine_signal *signal = engine_signal_by_metric(metric);
	double value;

	assert_non_null(signal);
	return text_query(signal->metrics_query, page, &value) ? (long)(value * 1000 + 0.5) : -1;
}

static const struct {
	const char *metric;
	const char *page;
	long milli;
} rows[] = {
	/* one series, several ranks, and words that only look like it */
	{"vllm_num_requests_running", "# HELP x\nvllm:num_requests_running{engine=\"0\"} 3.0\n", 3000},
	{"vllm_num_requests_running",
		"vllm:num_requests_running_total 9\nvllm:num_requests_running{engine=\"0\"} 3\n"
		"vllm:num_requests_running{engine=\"1\",x=\"a\\\"} 7\"} 4 1700000000000",
		7000},
	{"vllm_num_requests_running", "", -1},
	{"vllm_num_requests_running", "vllm:num_requests_running \n5\n", -1},
	{"vllm_num_requests_running", "vllm:num_requests_running{a=\"b\n", -1},
	{"vllm_num_requests_running", "vllm:num_requests_running NaN\n", -1},
	{"vllm_num_requests_running", "vllm:num_requests_running NaN\nvllm:num_requests_running{a=\"1\"} 2\r\n", 2000},
	{"vllm_num_requests_in_flight", "vllm:num_requests_running 2\nvllm:num_requests_waiting 5\n", 7000},
	{"vllm_num_requests_in_flight", "vllm:num_requests_running 2\n", -1},
	/* percent of the fullest rank, by the new name or else the old */
	{"vllm_kv_cache_usage_percent",
		"vllm:kv_cache_usage_perc{engine=\"0\"} 0.25\n"
		"vllm:kv_cache_usage_perc{engine=\"1\"} 0.8515\n",
		85150},
	{"vllm_kv_cache_usage_percent", "vllm:gpu_cache_usage_perc 0.5\nvllm:kv_cache_usage_perc 0.25\n", 25000},
	{"vllm_kv_cache_usage_percent", "vllm:gpu_cache_usage_perc 0.5\n", 50000},
	/* all schedulers of a rank report the same; a priority breaks the total down */
	{"sglang_num_requests_running",
		"sglang:num_running_reqs{dp_rank=\"0\",tp_rank=\"0\"} 4\nsglang:num_running_reqs{dp_rank=\"0\",tp_rank=\"1\"} 4\n"
		"sglang:num_running_reqs{dp_rank=\"1\",priority=\"\"} 2\nsglang:num_running_reqs{dp_rank=\"1\",priority=\"5\"} 9\n",
		6000},
	/* a worker that only prefills, or only decodes, has queues of its own */
	{"sglang_num_requests_waiting",
		"sglang:num_queue_reqs{tp_rank=\"0\"} 0\nsglang:num_prefill_prealloc_queue_reqs{tp_rank=\"0\"} 40\n"
		"sglang:num_prefill_inflight_queue_reqs{tp_rank=\"0\"} 3\n",
		40000},
	{"sglang_num_requests_in_flight",
		"sglang:num_running_reqs 0\nsglang:num_queue_reqs 0\nsglang:num_prefill_bootstrap_queue_reqs 40\n"
		"sglang:num_prefill_inflight_queue_reqs 3\n",
		43000},
	{"sglang_num_requests_waiting",
		"sglang_num_queue_reqs 1\nsglang_num_decode_prealloc_queue_reqs{tp_rank=\"0\"} 17\n"
		"sglang_num_decode_prealloc_queue_reqs{tp_rank=\"1\"} 17\nsglang_num_decode_transfer_queue_reqs 5\n",
		23000},
	/* the spellings of the client libraries, and of Ray Serve */
	{"sglang_num_requests_running", "sglang_num_running_reqs{tp_rank=\"0\"} 4\n", 4000},
	{"vllm_num_requests_running", "vllm_num_requests_running{engine=\"0\"} 3\n", 3000},
	{"vllm_num_requests_in_flight", "ray_vllm_num_requests_running 3\nray_vllm:num_requests_waiting 2\n", 5000},
	{"vllm_num_requests_in_flight", "ray_num_requests_running 3\nray_num_requests_waiting 2\n", -1},
	{"vllm_kv_cache_usage_percent", "vllm_gpu_cache_usage_perc 0.5\n", 50000},
	{"lmdeploy_num_requests_waiting", "lmdeploy_num_requests_waiting 2\n", 2000},
	{"nim_num_requests_running", "vllm_num_requests_running 2\n", 2000},
	{"triton_trtllm_num_requests_waiting",
		"nv_trt_llm_request_metrics{request_type=\"active\"} 5\nnv_trt_llm_request_metrics{request_type=\"scheduled\"} 3\n",
		2000},
	{"triton_trtllm_num_requests_waiting",
		"nv_trt_llm_request_metrics{request_type=\"active\"} 1\nnv_trt_llm_request_metrics{request_type=\"scheduled\"} 3\n",
		0},
	{"triton_trtllm_num_requests_waiting",
		"nv_trt_llm_request_metrics{request_type=\"waiting\"} 6\nnv_trt_llm_request_metrics{request_type=\"active\"} 1\n"
		"nv_trt_llm_request_metrics{request_type=\"scheduled\"} 1\n",
		6000},
	{"lmdeploy_num_requests_in_flight",
		"lmdeploy:num_requests_running 1\nlmdeploy:num_requests_waiting 2\nlmdeploy:num_api_requests_waiting 4\n",
		7000},
	{"lmdeploy_num_requests_in_flight", "lmdeploy:num_requests_running 1\nlmdeploy:num_requests_waiting 2\n", 3000},
	{"nim_num_requests_in_flight",
		"num_requests_running 1\nvllm:num_requests_running 8\nvllm:num_requests_waiting 2\n", 3000},
};

static void a_page_comes_to_what_the_adapter_serves(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(milli(rows[i].metric, rows[i].page), rows[i].milli);
	}
}

/* A page on which every signal of an engine is 1 (or 100 percent). */
static char *page_of_ones(const struct engine *engine)
{
	struct strbuf page = STRBUF_INIT;

	for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engine->signals[i].name != NULL; i++) {
		for (size_t s = 0; s < ENGINE_SERIES_MAX && engine->signals[i].series[s] != NULL; s++) {
			strbuf_addf(&page, "%s 1\n", engine->signals[i].series[s]);
		}
	}
	return strbuf_take(&page);
}

static void every_query_can_be_worked_out(void **state)
{
	(void)state;
	for (size_t e = 0; e < engines_count; e++) {
		auto_free char *page = page_of_ones(&engines[e]);

		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			assert_true(milli(engines[e].signals[i].metric, page) > 0);
		}
	}
}

static void what_cannot_be_read_has_no_value(void **state)
{
	static const char *const odd[] = {"", "x", "rate(x{}[1m])", "sum(x{<<.LabelMatchers>>})", "x{", "1 +", "(1",
		"1)", "sum(x{} by (<<.GroupBy>>)", "x{} + x{}", "((((((((((((((((((((((((((((((((((((((((1"};
	double value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
		assert_false(text_query(odd[i], "x{a=\"1\"} 1\nx{a=\"2\"} 2\n", &value));
	}
	assert_true(text_query("2 * 3 + 1 - 4", "", &value));
	assert_true(value > 2.9 && value < 3.1);
}

/* A count that some versions break down by a label, and others do not: the part when there is one, else the total. */
#define PART_OR_TOTAL                                                                                                  \
	"sum(a{x=\"true\",<<.LabelMatchers>>}) by (<<.GroupBy>>) > 0 or "                                              \
	"sum(a{x=\"\",<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>)"

static void a_filter_leaves_what_is_above(void **state)
{
	static const struct {
		const char *query;
		const char *page;
		double value; /* -1 = none */
	} filters[] = {
		{PART_OR_TOTAL, "a{x=\"true\"} 3\na{x=\"true\",y=\"1\"} 4\na 9\n", 7},
		{PART_OR_TOTAL, "a{x=\"true\"} 0\na 9\na{x=\"\"} 1\na{x=\"false\"} 5\n", 10},
		{PART_OR_TOTAL, "a{x=\"true\"} NaN\na 0\n", 0},
		{PART_OR_TOTAL, "a 9\n", 9},
		{PART_OR_TOTAL, "a{x=\"true\"} 0\n", -1},
		{PART_OR_TOTAL, "a{x=\"false\"} 5\n", -1},
		{PART_OR_TOTAL, "", -1},
		{"2 * (" PART_OR_TOTAL ")", "a{x=\"true\"} 0\na 9\n", 18},
		{"sum(a{} > 1) by (<<.GroupBy>>)", "a{x=\"1\"} 1\na{x=\"2\"} 2\na{x=\"3\"} NaN\na{x=\"4\"} 4\n", 6},
		{"a{} > 1", "a 1\n", -1},
		{"a{} >= 1", "a 1\n", 1},
		{"a{} > 0.5 + 1", "a 1\n", -1},
		{"a{} >", "a 1\n", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		double value;
		bool found = text_query(filters[i].query, filters[i].page, &value);

		assert_int_equal(found, filters[i].value >= 0);
		assert_true(!found || (value >= filters[i].value && value <= filters[i].value));
	}
}

static void prometheus_is_asked_for_all_pods_at_once(void **state)
{
	auto_free char *sglang =
		query_for_all(engine_signal_by_metric("sglang_num_requests_running")->metrics_query, NULL);
	auto_free char *gpu = query_for_all(gpu_utilization.metrics_query, NULL);

	(void)state;
	assert_string_equal(sglang,
		"(sum(max({__name__=~\"sglang[:_]num_running_reqs\",unready=\"true\",priority=\"\",namespace!=\"\",pod!=\"\"} >= 0) by "
		"(namespace, pod, dp_rank)) by (namespace, pod)) > 0 or "
		"(sum(max({__name__=~\"sglang[:_]num_running_reqs\",unready=\"\",priority=\"\",namespace!=\"\",pod!=\"\"} >= 0) by "
		"(namespace, pod, dp_rank)) by (namespace, pod))");
	assert_string_equal(gpu, "max(" GPU_RECORD "{namespace!=\"\",pod!=\"\"}) by (namespace, pod)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_page_comes_to_what_the_adapter_serves),
		cmocka_unit_test(every_query_can_be_worked_out),
		cmocka_unit_test(what_cannot_be_read_has_no_value),
		cmocka_unit_test(a_filter_leaves_what_is_above),
		cmocka_unit_test(prometheus_is_asked_for_all_pods_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
