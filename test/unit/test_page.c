/* Series on a /metrics page: vLLM's own pages, and pages made to mislead. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <stdio.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "page_text.h"

/* Heap, caller owns. */
static char *fixture(const char *name)
{
	auto_free char *path = xasprintf(TEST_DIR "/fixtures/%s", name);
	auto_strbuf text = STRBUF_INIT;
	char chunk[8192];
	size_t got;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		strbuf_add(&text, chunk, got);
	}
	fclose(file);
	assert_true(text.len > 300);
	return strbuf_take(&text);
}

static const char *const pages[] = {"vllm-0.32.0-idle.txt", "vllm-0.32.0-load.txt"};

static void vllm_is_recognised_idle_and_loaded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		auto_free char *page = fixture(pages[i]);

		assert_non_null(text_engine(page));
		assert_string_equal(text_engine(page)->type, "VLLM");
	}
}

static const struct {
	const char *fixture;
	const char *metric; /* NULL = it is a router's */
	long milli;
} real[] = {
	{"sglang-underscore-smg.txt", "sglang_num_requests_running", 3000},
	{"sglang-prefill-disagg.txt", "sglang_num_requests_waiting", 40000},
	{"sglang-prefill-disagg.txt", "sglang_num_requests_in_flight", 43000},
	{"sglang-decode-disagg.txt", "sglang_num_requests_waiting", 22000},
	{"sglang-decode-disagg.txt", "sglang_num_requests_in_flight", 52000},
	{"vllm-router-production-stack.txt", NULL, 0},
};

static void each_page_comes_to_its_load_or_is_a_routers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(real); i++) {
		auto_free char *text = fixture(real[i].fixture);
		auto_page *page = page_of_engines(text, NULL);
		double value;

		assert_int_equal(page_router(page) != NULL, real[i].metric == NULL);
		if (real[i].metric != NULL) {
			assert_string_equal(page_engine(page)->type, "SGLang");
			assert_true(
				query_on_page(engine_signal_by_metric(real[i].metric)->metrics_query, page, &value));
			assert_int_equal((long)(value * 1000 + 0.5), real[i].milli);
		}
	}
}

static const struct {
	const char *page;
	bool router;
} fronts[] = {
	/* the engine's own label of that name says nothing of other pods */
	{"vllm:num_requests_running{server=\"\"} 1\n", false},
	{"vllm:num_requests_running{server=\"http://localhost:8000\"} 1\n", false},
	{"vllm:num_requests_running{server=\"10.1.0.7:8000\"} 1\n", true},
	{"sglang:num_running_reqs{worker_addr=\"grpc://[::1]:8001\"} 1\n", false},
	{"sglang:num_running_reqs{worker_addr=\"grpc://10.1.0.7:8001\"} 1\n", true},
	{"smg_worker_pool_size 2\n", true},
	/* the gateway and its engine in one pod */
	{"smg_worker_pool_size 1\nsglang:num_running_reqs{worker_addr=\"127.0.0.1:8001\"} 1\n", false},
	{"", false},
};

static void a_router_speaks_of_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fronts); i++) {
		auto_page *page = page_of_engines(fronts[i].page, NULL);

		assert_int_equal(page_router(page) != NULL, fronts[i].router);
	}
}

static void every_signal_of_vllm_is_on_its_page(void **state)
{
	const struct engine *engine = engine_by_type("VLLM");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		auto_free char *page = fixture(pages[i]);

		for (size_t s = 0; s < ENGINE_SIGNALS_MAX && engine->signals[s].name != NULL; s++) {
			assert_true(text_has_series(page, engine->signals[s].series[0]));
		}
		/* the former name is gone in 0.12 */
		assert_false(text_has_series(page, "vllm:gpu_cache_usage_perc"));
	}
}

static void a_page_without_its_samples_has_no_series(void **state)
{
	auto_free char *page = fixture(pages[0]);

	(void)state;
	/* what is left of a sample line that becomes a comment is HELP and TYPE */
	for (char *at = page; (at = strstr(at, "\nvllm:num_requests_running{")) != NULL; at++) {
		at[1] = '#';
	}
	assert_non_null(strstr(page, "# TYPE vllm:num_requests_running gauge"));
	assert_false(text_has_series(page, "vllm:num_requests_running"));
	/* an engine announces its series before it has any */
	assert_string_equal(text_engine(page)->type, "VLLM");
}

static const struct {
	const char *page;
	bool found;
} misleading[] = {
	{"x 1\n", true},
	{"x{a=\"b\"} 1\n", true},
	{"x\t1\n", true},
	{"x 1", true},
	{"y 1\nx 1\n", true},
	{"y 1\r\nx 1\r\n", true},
	{"\n\nx 1\n", true},
	{"", false},
	{"\n", false},
	{"x", false},
	{"x\n1\n", false},
	{"xx 1\n", false},
	{"x_total 1\n", false},
	{"x:y 1\n", false},
	{"# HELP x help\n# TYPE x gauge\n", false},
	{"y{name=\"x 1\"} 1\n", false},
	{"y{name=\"\\nx 1\"} 1\n", false},
	{"{\"x\": 1}", false},
	{"<html>x 1</html>", false},
};

static void only_a_sample_line_counts(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(misleading); i++) {
		assert_int_equal(text_has_series(misleading[i].page, "x"), misleading[i].found);
	}
}

#define SELECTOR "x{a=\"1\",b=\"2\"}"

static const struct {
	const char *page;
	bool found;
} labelled[] = {
	{"x{a=\"1\",b=\"2\"} 1\n", true},
	{"x{b=\"2\",a=\"1\"} 1\n", true},
	{"x{c=\"3\",a=\"1\",d=\"4\",b=\"2\",} 1\n", true},
	{"x { a = \"1\" , b = \"2\" } 1\n", true},
	{"x{a=\"0\",b=\"2\"} 1\nx{a=\"1\",b=\"2\"} 1\n", true},
	{"x{q=\"\\\"}\",a=\"1\",b=\"2\"} 1\n", true},
	{"x{q=\"{\",a=\"1\",b=\"2\"} 1", true},
	{"x 1\n", false},
	{"x{} 1\n", false},
	{"x{a=\"1\"} 1\n", false},
	{"x{a=\"1\",b=\"22\"} 1\n", false},
	{"x{aa=\"1\",b=\"2\"} 1\n", false},
	{"x{a=\"1\"} 1\nx{b=\"2\"} 1\n", false},
	{"x{q=\"a=\\\"1\\\",b=\\\"2\\\"\"} 1\n", false},
	{"y{a=\"1\",b=\"2\"} 1\n", false},
	{"xx{a=\"1\",b=\"2\"} 1\n", false},
	{"x{a=\"1", false},
	{"x{a=\"1\",b=\"2\n", false},
	{"x{a=\"1\",b=\"\\", false},
	{"x{a", false},
	{"x{a=", false},
	{"x{,,,", false},
};

static void a_selector_wants_its_labels_in_one_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labelled); i++) {
		assert_int_equal(text_has_series(labelled[i].page, SELECTOR), labelled[i].found);
	}
	assert_true(text_has_series("x{a=\"1\"} 1\n", "x"));
	assert_true(text_has_series("x 1\n", "x{}"));
}

static void other_pages_are_of_no_engine(void **state)
{
	(void)state;
	assert_null(text_engine(""));
	assert_null(text_engine("process_cpu_seconds_total 1\n"));
	assert_null(text_engine("[{\"iterLatencyMS\": 12}]"));
	assert_null(text_engine("vllm:num_requests_running_total 1\n"));
	assert_null(text_engine("# TYPE vllm:num_requests_running_total gauge\n"));
	assert_null(text_engine("# HELP vllm:num_requests_running x\n"));
	assert_null(text_engine("x{y=\"# TYPE vllm:num_requests_running gauge\"} 1\n"));
	/* unprefixed names are many engines': MindIE's */
	assert_null(text_engine("num_requests_running{model_name=\"m\"} 0\nnpu_cache_usage_perc 0\n"));
}

/* A NIM that passes on what vLLM says is scaled by that, and so is a Triton whose backend is vLLM. */
static void of_two_engines_the_first_row_is_taken(void **state)
{
	(void)state;
	assert_string_equal(text_engine("num_request_max 8\nvllm:num_requests_running 1\n")->type, "VLLM");
	assert_string_equal(text_engine("vllm:num_requests_running 1\nnv_trt_llm_request_metrics 1\n")->type, "VLLM");
	assert_string_equal(text_engine("num_requests_running 1\nnum_request_max 8\n")->type, "NIM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vllm_is_recognised_idle_and_loaded),
		cmocka_unit_test(every_signal_of_vllm_is_on_its_page),
		cmocka_unit_test(each_page_comes_to_its_load_or_is_a_routers),
		cmocka_unit_test(a_router_speaks_of_others),
		cmocka_unit_test(a_page_without_its_samples_has_no_series),
		cmocka_unit_test(only_a_sample_line_counts),
		cmocka_unit_test(a_selector_wants_its_labels_in_one_line),
		cmocka_unit_test(of_two_engines_the_first_row_is_taken),
		cmocka_unit_test(other_pages_are_of_no_engine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
