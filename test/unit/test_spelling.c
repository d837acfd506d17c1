/* The spellings of a name, one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/spelling.h"

static const struct {
	const char *series;
	const char *spellings;
} series_rows[] = {
	{"vllm:num_requests_running",
		"vllm:num_requests_running vllm_num_requests_running ray_vllm_num_requests_running "
		"ray_vllm:num_requests_running "},
	{"sglang:token_usage{a=\"b\"}", "sglang:token_usage{a=\"b\"} sglang_token_usage{a=\"b\"} "},
	{"tgi_queue_size", "tgi_queue_size "},
	{"nv_x{type=\"a:b\"}", "nv_x{type=\"a:b\"} "},
	/* recorded by a rule, which writes it as it is told */
	{"inference_autoscaler:gpu_utilization:percent", "inference_autoscaler:gpu_utilization:percent "},
};

static void a_series_has_its_spellings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(series_rows); i++) {
		auto_strbuf all = STRBUF_INIT;
		char *one;

		for (size_t k = 0; (one = spelling_of(series_rows[i].series, k)) != NULL; k++) {
			strbuf_addf(&all, "%s ", one);
			free_indirect(&one);
		}
		assert_string_equal(all.buf, series_rows[i].spellings);
	}
}

static const struct {
	const char *pattern;
	const char *names;
} pattern_rows[] = {
	{"tgi_queue_size", "tgi_queue_size "},
	{"sglang[:_]token_usage", "sglang:token_usage "},
	{"(vllm|ray_vllm)[:_]x", "vllm:x ray_vllm:x "},
	{"(a|b)[:_](c|d|e)", "a:c b:c a:d b:d a:e b:e "},
	{"a(b|)", "ab a "},
	{"a()b", "ab "},
	/* no group that ends */
	{"a(b|c", "ab ac "},
	{"a(", "a "},
	{"", " "},
};

static void a_pattern_stands_for_its_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pattern_rows); i++) {
		const char *pattern = pattern_rows[i].pattern;
		auto_strbuf all = STRBUF_INIT;
		char *one;

		for (size_t k = 0; (one = spelling_first_name(pattern, strlen(pattern), k)) != NULL; k++) {
			strbuf_addf(&all, "%s ", one);
			free_indirect(&one);
		}
		assert_string_equal(all.buf, pattern_rows[i].names);
	}
}

static void rays_prefix_is_taken_off_vllms_names_alone(void **state)
{
	(void)state;
	assert_string_equal(spelling_without_ray("ray_vllm_x"), "vllm_x");
	assert_string_equal(spelling_without_ray("ray_tasks"), "ray_tasks");
	assert_string_equal(spelling_without_ray("ray_vll"), "ray_vll");
	assert_string_equal(spelling_without_ray(""), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_series_has_its_spellings),
		cmocka_unit_test(a_pattern_stands_for_its_names),
		cmocka_unit_test(rays_prefix_is_taken_off_vllms_names_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
