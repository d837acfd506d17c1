/* The table of engines: what must hold for every row, and what each signal of vLLM asks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "children/adapter_rule.h"
#include "engine/presets.h"

/* Calls with every signal of every engine. */
static void each(void (*check)(const struct engine *engine, const struct engine_signal *signal))
{
	size_t count = 0;

	for (size_t e = 0; e < engines_count; e++) {
		for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL;
		     i++, count++) {
			check(&engines[e], &engines[e].signals[i]);
		}
	}
	assert_true(count >= 4);
}

static struct adapter_rule rule_of(const struct engine_signal *signal)
{
	return (struct adapter_rule){.name = signal->metric,
				     .series_query = signal->series_query,
				     .metrics_query = signal->metrics_query};
}

static void check_rule(const struct engine *engine, const struct engine_signal *signal)
{
	struct adapter_rule rule = rule_of(signal);
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

static void check_query(const struct engine *engine, const struct engine_signal *signal)
{
	const char *query = signal->metrics_query;
	int open = 0;

	assert_non_null(strstr(query, "by (<<.GroupBy>>)"));
	/* a rule that names its series asks for all of them, whichever was discovered */
	assert_null(strstr(query, "<<.Series>>"));
	for (size_t s = 0; s < ENGINE_SERIES_MAX && signal->series[s] != NULL; s++) {
		auto_free char *selector = xasprintf("(%s{<<.LabelMatchers>>})", signal->series[s]);

		assert_non_null(strstr(query, selector));
	}
	for (const char *c = query; *c != '\0'; c++) {
		open += *c == '(' ? 1 : *c == ')' ? -1 : 0;
		assert_true(open >= 0);
	}
	assert_int_equal(open, 0);
	assert_non_null(signal->series[0]);
	assert_true(signal->default_target_milli > 0);
	assert_int_equal(*engine->path, '/');
	assert_true(engine->port > 0 && engine->port < 65536);
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
	assert_non_null(strstr(signal->series_query, "__name__"));
}

static void every_discovery_wants_namespace_and_pod(void **state)
{
	(void)state;
	each(check_discovery);
}

static const struct {
	const char *name;
	const char *metric;
	const char *query;
	int64_t target;
} vllm[] = {
	{"Running", "vllm_num_requests_running",
	 "sum(vllm:num_requests_running{<<.LabelMatchers>>}) by (<<.GroupBy>>)", 4000},
	{"Waiting", "vllm_num_requests_waiting",
	 "sum(vllm:num_requests_waiting{<<.LabelMatchers>>}) by (<<.GroupBy>>)", 1000},
	{"InFlight", "vllm_num_requests_in_flight",
	 "sum(vllm:num_requests_running{<<.LabelMatchers>>}) by (<<.GroupBy>>)"
	 " + sum(vllm:num_requests_waiting{<<.LabelMatchers>>}) by (<<.GroupBy>>)",
	 4000},
	{"KVCache", "vllm_kv_cache_usage_percent",
	 "100 * (max(vllm:kv_cache_usage_perc{<<.LabelMatchers>>}) by (<<.GroupBy>>)"
	 " or max(vllm:gpu_cache_usage_perc{<<.LabelMatchers>>}) by (<<.GroupBy>>))",
	 80000},
};

static void vllm_has_its_four_signals(void **state)
{
	const struct engine *engine = engine_by_type("VLLM");

	(void)state;
	assert_non_null(engine);
	assert_int_equal(engine->port, 8000);
	for (size_t i = 0; i < ARRAY_LEN(vllm); i++) {
		const struct engine_signal *signal = engine_signal_by_name(engine, vllm[i].name);

		assert_non_null(signal);
		assert_string_equal(signal->metric, vllm[i].metric);
		assert_string_equal(signal->metrics_query, vllm[i].query);
		assert_int_equal(signal->default_target_milli, vllm[i].target);
	}
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
		cmocka_unit_test(every_query_is_grouped_and_names_its_series),
		cmocka_unit_test(every_discovery_wants_namespace_and_pod),
		cmocka_unit_test(vllm_has_its_four_signals),
		cmocka_unit_test(the_unknown_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
