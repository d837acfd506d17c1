/* The table of engines: what must hold for every row. That every query parses and means its signal is
 * promtool's to say, in test/integration/test_promql.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "adapter/adapter_rule.h"
#include "base/error.h"
#include "base/memory.h"
#include "engine/presets.h"
#include "engine/spelling.h"
#include "view/workload.h"

/* Calls with every signal of every engine. */
static void each(void (*check)(const struct engine *engine, const struct engine_signal *signal))
{
	for (size_t e = 0; e < engines_count; e++) {
		size_t count = 0;

		while (count < ENGINE_SIGNALS_MAX && engines[e].signals[count].name != NULL) {
			check(&engines[e], &engines[e].signals[count++]);
		}
		assert_true(count >= 3);
	}
}

static void check_rule(const struct engine *engine, const struct engine_signal *signal)
{
	struct adapter_rule rule = adapter_rule_of(signal);
	auto_error err = ERROR_INIT;

	(void)engine;
	assert_int_equal(adapter_rule_check(&rule, &err), 0);
}

static void the_adapter_would_take_every_rule(void **state)
{
	(void)state;
	each(check_rule);
}

static void check_found_by_metric(const struct engine *engine, const struct engine_signal *signal)
{
	assert_ptr_equal(engine_signal_by_metric(signal->metric), signal);
	assert_ptr_equal(engine_signal_by_name(engine, signal->name), signal);
	assert_ptr_equal(engine_by_type(engine->type), engine);
}

/* Two rows of one metric name would overwrite each other in the adapter. */
static void every_metric_has_one_signal(void **state)
{
	(void)state;
	each(check_found_by_metric);
}

static const struct {
	const char *type, *prefix;
	bool kv_cache;
} expected_engines[] = {
	{"VLLM", "vllm", true},
	{"SGLang", "sglang", true},
	{"TGI", "tgi", false},
	{"TensorRTLLM", "trtllm", true},
	{"Triton", "triton_trtllm", true},
	{"LMDeploy", "lmdeploy", true},
	{"NIM", "nim", true},
	{"LlamaCpp", "llamacpp", true},
};

static const struct {
	const char *name, *suffix;
	int64_t target;
} expected_signals[] = {
	{"Running", "num_requests_running", 4000},
	{"Waiting", "num_requests_waiting", 1000},
	{"InFlight", "num_requests_in_flight", 4000},
	{"KVCache", "kv_cache_usage_percent", 80000},
};

static void every_engine_has_the_signals_it_can_have(void **state)
{
	(void)state;
	assert_int_equal(engines_count, ARRAY_LEN(expected_engines));
	for (size_t e = 0; e < ARRAY_LEN(expected_engines); e++) {
		const struct engine *engine = engine_by_type(expected_engines[e].type);

		assert_non_null(engine);
		for (size_t i = 0; i < ARRAY_LEN(expected_signals); i++) {
			const struct engine_signal *signal = engine_signal_by_name(engine, expected_signals[i].name);
			auto_free char *metric =
				xasprintf("%s_%s", expected_engines[e].prefix, expected_signals[i].suffix);

			if (strcmp(expected_signals[i].name, "KVCache") == 0 && !expected_engines[e].kv_cache) {
				assert_null(signal);
				continue;
			}
			assert_non_null(signal);
			assert_string_equal(signal->metric, metric);
			/* llama.cpp works on 4 requests when it is told nothing, which must exceed the target */
			assert_int_equal(signal->default_target_milli,
				strcmp(metric, "llamacpp_num_requests_running") == 0 ? 3000
										     : expected_signals[i].target);
		}
	}
}

/* Whether the pattern (not ended) of a selector stands for this name. */
static bool pattern_has(const char *pattern, const char *name)
{
	size_t len = strcspn(pattern, "\"");
	bool has = false;
	char *one;

	for (size_t i = 0; (one = spelling_first_name(pattern, len, i)) != NULL; i++) {
		has = has || strcmp(one, name) == 0;
		free_indirect(&one);
	}
	return has;
}

static bool names(const char *query, const char *name)
{
	bool has = strstr(query, name) != NULL;

	for (const char *at = query; (at = strstr(at, SPELLING_BEGIN)) != NULL;) {
		at += strlen(SPELLING_BEGIN);
		has = has || pattern_has(at, name);
	}
	return has;
}

/* The text names a series with its labels: a selector's go before those of the adapter. */
static bool names_series(const char *query, const char *series)
{
	size_t len = strcspn(series, "{");
	auto_free char *name = xasprintf("%.*s", (int)len, series);
	auto_free char *labels =
		series[len] == '{' ? xasprintf("%.*s", (int)(strlen(series + len) - 2), series + len + 1) : xstrdup("");

	return names(query, name) && strstr(query, labels) != NULL;
}

static void check_query(const struct engine *engine, const struct engine_signal *signal)
{
	static const char samples[] = "<<.LabelMatchers>>}";
	const char *query = signal->metrics_query;
	int open = 0;

	(void)engine;
	assert_non_null(strstr(query, "by (<<.GroupBy>>)"));
	/* a rule that names its series asks for all of them, whichever was discovered */
	assert_null(strstr(query, "<<.Series>>"));
	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		assert_true(names_series(query, signal->series[s]));
	}
	assert_non_null(signal->series[0]);
	/* NaN is dropped from every series */
	assert_non_null(strstr(query, samples));
	for (const char *at = query; (at = strstr(at, samples)) != NULL; at++) {
		assert_memory_equal(at + sizeof(samples) - 1, " >= 0)", 6);
	}
	for (const char *c = query; *c != '\0'; c++) {
		open += *c == '(' ? 1 : *c == ')' ? -1 : 0;
		assert_true(open >= 0);
	}
	assert_int_equal(open, 0);
}

static void every_query_is_grouped_and_names_its_series(void **state)
{
	(void)state;
	each(check_query);
}

static void check_discovery(const struct engine *engine, const struct engine_signal *signal)
{
	(void)engine;
	/* without both labels the adapter could not tell whose value it is */
	assert_non_null(strstr(signal->series_query, "namespace!=\"\""));
	assert_non_null(strstr(signal->series_query, "pod!=\"\""));
	/* a regular expression on the name only as a whole */
	assert_memory_equal(signal->series_query, "{__name__=~\"^", 13);
	assert_non_null(strstr(signal->series_query, "$\","));
}

static void every_discovery_wants_namespace_and_pod(void **state)
{
	(void)state;
	each(check_discovery);
}

static void every_engine_has_places_and_marks(void **state)
{
	(void)state;
	for (size_t e = 0; e < engines_count; e++) {
		const struct engine *engine = &engines[e];

		assert_non_null(engine->places[0].path);
		for (size_t i = 0; i < ENGINE_PLACES_MAX && engine->places[i].path != NULL; i++) {
			assert_int_equal(*engine->places[i].path, '/');
			assert_true(engine->places[i].port > 0 && engine->places[i].port < 65536);
		}
		assert_non_null(engine->marks[0]);
		assert_true((engine->version_path == NULL) == (engine->version_member == NULL));
		assert_true(engine->version_path == NULL || *engine->version_path == '/');
	}
}

static void check_limits(const struct engine *engine, const struct engine_signal *signal)
{
	for (size_t i = 0; i < ENGINE_LIMITS_MAX && signal->limits[i].flags[0] != NULL; i++) {
		assert_true(signal->limits[i].env == NULL || view_env_is_read(signal->limits[i].env));
	}
	assert_true(signal->limit_member == NULL || engine->version_path != NULL);
	assert_true(signal->limit_member == NULL || signal->limit_series == NULL);
}

/* A variable that the view leaves out would never be seen. */
static void what_bounds_a_signal_can_be_read(void **state)
{
	(void)state;
	each(check_limits);
}

static void the_signals_are_listed_for_a_message(void **state)
{
	auto_free char *vllm = engine_signals_text(engine_by_type("VLLM"));
	auto_free char *tgi = engine_signals_text(engine_by_type("TGI"));

	(void)state;
	assert_string_equal(vllm, "Running, Waiting, InFlight or KVCache");
	assert_string_equal(tgi, "Running, Waiting or InFlight");
}

static void the_unknown_is_not_found(void **state)
{
	(void)state;
	assert_null(engine_by_type(""));
	assert_null(engine_by_type("vllm"));
	assert_null(engine_by_type("Auto"));
	assert_null(engine_signal_by_name(&engines[0], "running"));
	assert_null(engine_signal_by_metric("http_requests"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_adapter_would_take_every_rule),
		cmocka_unit_test(every_metric_has_one_signal),
		cmocka_unit_test(every_engine_has_the_signals_it_can_have),
		cmocka_unit_test(every_query_is_grouped_and_names_its_series),
		cmocka_unit_test(every_discovery_wants_namespace_and_pod),
		cmocka_unit_test(every_engine_has_places_and_marks),
		cmocka_unit_test(what_bounds_a_signal_can_be_read),
		cmocka_unit_test(the_signals_are_listed_for_a_message),
		cmocka_unit_test(the_unknown_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
