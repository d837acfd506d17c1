/* What a scrape keeps of an engine's page: all that is read of it in Prometheus, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "engine/kept.h"
#include "engine/spelling.h"

/* Of a preset: the expression of its only relabeling. Heap. */
static char *kept_names(const struct engine *engine)
{
	auto_json *relabelings = kept_relabelings(engine);
	const json_t *only = json_array_get(relabelings, 0);

	assert_int_equal(json_array_size(relabelings), 1);
	assert_string_equal(json_path_string(only, "action", ""), "keep");
	return xstrdup(json_path_string(only, "regex", ""));
}

/* As Prometheus does: the expression means the whole name. */
static bool keeps(const struct engine *engine, const char *name)
{
	auto_free char *names = kept_names(engine);
	auto_free char *whole = xasprintf("^(%s)$", names);
	regex_t regex;
	bool kept;

	assert_int_equal(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
	kept = regexec(&regex, name, 0, NULL, 0) == 0;
	regfree(&regex);
	return kept;
}

/* NIM does not run under Ray, and no rule looks for it there. */
static bool is_spelled_so(const struct engine *engine, const char *name)
{
	return strcmp(engine->type, "NIM") != 0 || strncmp(name, "ray_", 4) != 0;
}

static void all_that_is_asked_for_is_kept(void **state)
{
	(void)state;
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			const struct engine_signal *signal = &engines[e].signals[i];

			for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
				char *spelled;

				for (size_t k = 0; (spelled = spelling_of(signal->series[s], k)) != NULL; k++) {
					spelled[strcspn(spelled, "{")] = '\0';
					if (keeps(&engines[e], spelled) != is_spelled_so(&engines[e], spelled)) {
						fail_msg("%s: %s", engines[e].type, spelled);
					}
					free_indirect(&spelled);
				}
			}
		}
	}
}

/* Every name of a query, with the ':' and the '_'. */
static void all_that_the_rules_read_is_kept(void **state)
{
	(void)state;
	for (size_t e = 0; e < engines_count; e++) {
		size_t count = 0;

		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
			const char *at = engines[e].signals[i].metrics_query;
			const char *pattern;
			size_t len;

			while ((pattern = spelling_next(&at, &len)) != NULL) {
				char *name;

				for (size_t k = 0; (name = spelling_first_name(pattern, len, k)) != NULL; k++) {
					char *colon = strchr(name, ':');

					assert_true(keeps(&engines[e], name));
					if (colon != NULL) {
						*colon = '_';
						assert_true(keeps(&engines[e], name));
					}
					free_indirect(&name);
					count++;
				}
			}
		}
		assert_true(count >= 3);
	}
}

static void nothing_else_is_kept(void **state)
{
	static const char *const others[] = {"vllm:e2e_request_latency_seconds_bucket", "process_cpu_seconds_total",
		"python_gc_objects_collected_total", GPU_RECORD, "xvllm:num_requests_running",
		"vllm:num_requests_running_total", "vllm:num_requests_running\n", "up", "ALERTS", ""};

	(void)state;
	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ARRAY_LEN(others); i++) {
			assert_false(keeps(&engines[e], others[i]));
		}
		for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
			assert_false(keeps(&engines[e], gpu_dcgm_series[i]));
		}
	}
	assert_false(keeps(engine_by_type("VLLM"), "sglang:token_usage"));
}

static void an_expression_is_short(void **state)
{
	auto_free char *vllm = kept_names(engine_by_type("VLLM"));
	auto_free char *triton = kept_names(engine_by_type("Triton"));

	(void)state;
	assert_string_equal(vllm, "(vllm|ray_vllm)[:_]num_requests_running|(vllm|ray_vllm)[:_]num_requests_waiting|"
				  "(vllm|ray_vllm)[:_]kv_cache_usage_perc|(vllm|ray_vllm)[:_]gpu_cache_usage_perc");
	assert_string_equal(triton, "nv_trt_llm_request_metrics|nv_trt_llm_kv_cache_block_metrics");
}

static void a_page_that_we_read_is_taken_whole(void **state)
{
	static const struct {
		const char *type;
		size_t series;
	} rows[] = {{"VLLM", 4}, {"Triton", 2}, {"TGI", 2}, {"SGLang", 8}, {"NIM", 6}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(kept_samples_max(engine_by_type(rows[i].type)), rows[i].series * PAGE_SAMPLES_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_is_asked_for_is_kept),
		cmocka_unit_test(all_that_the_rules_read_is_kept),
		cmocka_unit_test(nothing_else_is_kept),
		cmocka_unit_test(an_expression_is_short),
		cmocka_unit_test(a_page_that_we_read_is_taken_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
