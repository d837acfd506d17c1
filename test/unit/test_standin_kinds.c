/* Each engine's page of the stand-in is recognised as that engine's, carries its signals under the names of the
 * presets, and is served where the presets look for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "loaded_metrics.h"
#include "page_text.h"

static const struct expected {
	const char *name;
	enum standin_generation generation;
	const char *type;
	const char *missing; /* signals of the engine that this generation does not tell */
} expected[] = {
	{"vllm", GENERATION_NEW, "VLLM", ""},
	{"vllm", GENERATION_OLD, "VLLM", ""},
	{"sglang", GENERATION_NEW, "SGLang", ""},
	{"sglang", GENERATION_OLD, "SGLang", ""},
	{"tgi", GENERATION_NEW, "TGI", ""},
	{"tgi", GENERATION_OLD, "TGI", ""},
	{"tensorrt-llm", GENERATION_NEW, "TensorRTLLM", ""},
	{"tensorrt-llm", GENERATION_OLD, "TensorRTLLM", "Running Waiting InFlight"},
	{"triton", GENERATION_NEW, "Triton", ""},
	{"triton", GENERATION_OLD, "Triton", ""},
	{"lmdeploy", GENERATION_NEW, "LMDeploy", ""},
	{"lmdeploy", GENERATION_OLD, "LMDeploy", ""},
	{"nim", GENERATION_NEW, "VLLM", ""},
	{"nim", GENERATION_OLD, "NIM", ""},
	{"llamacpp", GENERATION_NEW, "LlamaCpp", "KVCache"},
	{"llamacpp", GENERATION_OLD, "LlamaCpp", ""},
};

static char *page_of(const struct standin_kind *kind, const struct standin_metrics *metrics)
{
	struct strbuf page = STRBUF_INIT;

	kind_page(&page, kind, metrics, "tiny");
	return strbuf_take(&page);
}

static bool proven(const char *page, const struct engine_signal *signal)
{
	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		if (text_has_series(page, signal->series[s])) {
			return true;
		}
	}
	return false;
}

static void every_page_is_its_engines_and_has_its_signals(void **state)
{
	const struct standin_metrics metrics = loaded_metrics();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct standin_kind *kind = kind_find(expected[i].name, expected[i].generation);
		auto_free char *page = page_of(kind, &metrics);
		const struct engine *engine = text_engine(page);

		if (engine == NULL || strcmp(engine->type, expected[i].type) != 0) {
			fail_msg("%s, generation %d: is taken for %s", kind->name, kind->generation,
				engine != NULL ? engine->type : "nobody's");
		}
		for (size_t s = 0; s < ENGINE_SIGNALS_MAX && engine->signals[s].name != NULL; s++) {
			bool wanted = strstr(expected[i].missing, engine->signals[s].name) == NULL;

			if (proven(page, &engine->signals[s]) != wanted) {
				fail_msg("%s, generation %d: %s", kind->name, kind->generation,
					engine->signals[s].name);
			}
		}
	}
}

/* Whose type is set by hand, while its page is vLLM's. */
static void a_new_nim_has_the_signals_of_nim(void **state)
{
	const struct standin_metrics metrics = loaded_metrics();
	auto_free char *page = page_of(kind_find("nim", GENERATION_NEW), &metrics);
	const struct engine *engine = engine_by_type("NIM");

	(void)state;
	for (size_t s = 0; s < ENGINE_SIGNALS_MAX && engine->signals[s].name != NULL; s++) {
		assert_true(proven(page, &engine->signals[s]));
	}
}

static void every_page_is_where_the_presets_look(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct standin_kind *kind = kind_find(expected[i].name, expected[i].generation);
		const struct engine *engine = engine_by_type(expected[i].type);
		bool found = false;

		for (size_t p = 0; p < ENGINE_PLACES_MAX && engine->places[p].path != NULL; p++) {
			found |=
				engine->places[p].port == kind->port && strcmp(engine->places[p].path, kind->path) == 0;
		}
		assert_true(found);
	}
}

static void every_version_is_where_the_presets_look(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct standin_kind *kind = kind_find(expected[i].name, expected[i].generation);
		/* a NIM tells its own, whatever the page */
		const struct engine *engine = engine_by_type(strcmp(kind->name, "nim") == 0 ? "NIM" : expected[i].type);
		auto_error err = ERROR_INIT;
		auto_json *answer = NULL;

		assert_true((kind->version_path == NULL) == (engine->version_path == NULL));
		if (kind->version_path == NULL) {
			continue;
		}
		assert_string_equal(kind->version_path, engine->version_path);
		answer = json_parse(kind->version, strlen(kind->version), &err);
		assert_non_null(answer);
		assert_non_null(strstr(json_path_string(answer, engine->version_member, ""), "standin"));
	}
}

static const struct {
	const char *name;
	enum standin_generation generation;
	const char *text;
} texts[] = {
	{"vllm", GENERATION_NEW, "\nvllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tiny\"} 0.25\n"},
	{"sglang", GENERATION_NEW,
		"# HELP sglang:num_running_reqs The number of running requests.\n"
		"# TYPE sglang:num_running_reqs gauge\n"
		"sglang:num_running_reqs{engine_type=\"unified\",model_name=\"tiny\",moe_ep_rank=\"0\",pp_rank=\"0\","
		"tp_rank=\"0\"} 7.0\n"},
	{"tgi", GENERATION_NEW,
		"# HELP tgi_queue_size Current queue size\n# TYPE tgi_queue_size gauge\ntgi_queue_size 2\n\n"},
	{"tensorrt-llm", GENERATION_NEW,
		"trtllm_kv_cache_utilization{engine_type=\"trtllm\",model_name=\"tiny\"} 0.25\n"},
	{"triton", GENERATION_NEW,
		"# HELP nv_trt_llm_request_metrics TRT LLM request metrics\n"
		"# TYPE nv_trt_llm_request_metrics gauge\n"
		"nv_trt_llm_request_metrics{model=\"tiny\",request_type=\"waiting\",version=\"1\"} 2\n"},
	{"triton", GENERATION_OLD,
		"# TYPE nv_trt_llm_request_metrics gauge\n"
		"nv_trt_llm_request_metrics{model=\"tiny\",request_type=\"context\",version=\"1\"} 0\n"
		"nv_trt_llm_request_metrics{model=\"tiny\",request_type=\"scheduled\",version=\"1\"} 7\n"},
	{"lmdeploy", GENERATION_NEW, "lmdeploy:num_requests_waiting{engine=\"0\",model_name=\"tiny\"} 2.0\n"},
	{"lmdeploy", GENERATION_OLD, "lmdeploy:num_requests_unfinished{engine=\"0\",model_name=\"tiny\"} 9.0\n"},
	{"nim", GENERATION_OLD, "\nnum_request_max{model_name=\"tiny\"} 64.0\n"},
	{"llamacpp", GENERATION_NEW, "\nllamacpp:requests_processing 7\n"},
	{"llamacpp", GENERATION_OLD, "\nllamacpp:kv_cache_usage_ratio 0.25\n"},
};

static void values_are_shown_as_each_engine_does(void **state)
{
	const struct standin_metrics metrics = loaded_metrics();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_free char *page = page_of(kind_find(texts[i].name, texts[i].generation), &metrics);

		if (strstr(page, texts[i].text) == NULL) {
			fail_msg("%s has no %s, but\n%s", texts[i].name, texts[i].text, page);
		}
	}
}

static void a_routers_page_is_no_engines(void **state)
{
	const struct standin_metrics metrics = loaded_metrics();
	auto_free char *text = page_of(kind_find("vllm-router", GENERATION_NEW), &metrics);
	auto_page *page = page_of_engines(text, NULL);

	(void)state;
	assert_non_null(page_router(page));
	assert_non_null(strstr(text, "\nvllm:num_requests_running{server=\"http://10.0.0.1:8000\"} 7.0\n"));
}

static void an_unused_engine_is_recognised_when_it_announces_itself(void **state)
{
	struct standin_metrics metrics;

	(void)state;
	standin_metrics_init(&metrics, 0);
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		const struct standin_kind *kind = kind_find(expected[i].name, expected[i].generation);
		auto_free char *page = page_of(kind, &metrics);
		const struct engine *engine = text_engine(page);

		if (kind->unused == UNUSED_EMPTY) {
			assert_string_equal(page, "");
			continue;
		}
		assert_non_null(engine);
		assert_string_equal(engine->type, expected[i].type);
		for (size_t s = 0; s < ENGINE_SIGNALS_MAX && engine->signals[s].name != NULL; s++) {
			assert_int_equal(proven(page, &engine->signals[s]),
				kind->unused == UNUSED_SHOWN &&
					strstr(expected[i].missing, engine->signals[s].name) == NULL);
		}
	}
}

static void a_model_name_is_escaped_and_a_nan_is_written(void **state)
{
	struct standin_metrics metrics = loaded_metrics();
	auto_strbuf page = STRBUF_INIT;

	(void)state;
	metrics.value[VALUE_RUNNING] = NAN;
	kind_page(&page, kind_find("sglang", GENERATION_NEW), &metrics, "a\"b$\\c");
	assert_non_null(
		strstr(page.buf, "sglang:num_running_reqs{engine_type=\"unified\",model_name=\"a\\\"b$\\\\c\","));
	assert_non_null(strstr(page.buf, "tp_rank=\"0\"} NaN\n"));
}

static void the_stats_are_json(void **state)
{
	struct standin_metrics metrics = loaded_metrics();
	auto_strbuf text = STRBUF_INIT;
	auto_error err = ERROR_INIT;
	auto_json *stats = NULL;

	(void)state;
	kind_stats(&text, &metrics);
	stats = json_parse(text.buf, text.len, &err);
	assert_int_equal(json_path_int(json_array_get(stats, 0), "numQueuedRequests", -1), 2);
	assert_null(text_engine(text.buf));
}

static void the_unknown_is_not_found(void **state)
{
	(void)state;
	assert_null(kind_find("VLLM", GENERATION_NEW));
	assert_null(kind_find("", GENERATION_OLD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_is_its_engines_and_has_its_signals),
		cmocka_unit_test(a_new_nim_has_the_signals_of_nim),
		cmocka_unit_test(every_page_is_where_the_presets_look),
		cmocka_unit_test(every_version_is_where_the_presets_look),
		cmocka_unit_test(values_are_shown_as_each_engine_does),
		cmocka_unit_test(a_routers_page_is_no_engines),
		cmocka_unit_test(an_unused_engine_is_recognised_when_it_announces_itself),
		cmocka_unit_test(a_model_name_is_escaped_and_a_nan_is_written),
		cmocka_unit_test(the_stats_are_json),
		cmocka_unit_test(the_unknown_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
