/* Engines of somebody's own: from a spec to queries, and what these come to on a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "api/autoscaler.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/yaml.h"
#include "engine/custom.h"
#include "engine/page.h"
#include "engine/query.h"

/* Of a spec with these signals. */
static struct custom_engine *engine_of(const char *signals)
{
	auto_free char *text = xasprintf(
		"{metadata: {name: a}, spec: {scaleTargetRef: {kind: Deployment, name: d}, maxReplicas: 2, engine: {type: "
		"Custom, signals: %s}}}",
		signals);
	auto_json *object = yaml_parse(text, strlen(text), NULL);
	auto_error err = ERROR_INIT;
	auto_autoscaler spec;

	if (autoscaler_decode(object, &spec, &err) < 0) {
		fail_msg("%s: %s", signals, err.message);
	}
	return custom_engine_new(spec.engine_type, spec.engine_signals);
}

static const struct engine_signal *only(const struct custom_engine *custom)
{
	assert_non_null(custom);
	assert_null(custom_engine(custom)->signals[1].name);
	return &custom_engine(custom)->signals[0];
}

static void a_digest_is_that_of_the_standard(void **state)
{
	auto_free char *empty = sha256_text("", 64);
	auto_free char *abc = sha256_text("abc", 16);
	auto_free char *two = sha256_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 64);

	(void)state;
	assert_string_equal(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_string_equal(abc, "ba7816bf8f01cfea");
	assert_string_equal(two, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_series_becomes_the_queries_of_a_preset(void **state)
{
	auto_custom_engine *custom = engine_of("[{name: Waiting, series: 'depth{queue=\"high\"}'}]");
	const struct engine_signal *signal = only(custom);

	(void)state;
	assert_string_equal(signal->name, "Waiting");
	assert_string_equal(signal->series[0], "depth{queue=\"high\"}");
	assert_string_equal(signal->series_query, "{__name__=~\"^depth$\",queue=\"high\",namespace!=\"\",pod!=\"\"}");
	assert_string_equal(signal->metrics_query,
		"(sum({__name__=~\"depth\",unready=\"true\",queue=\"high\",<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>)) > 0 or "
		"(sum({__name__=~\"depth\",unready=\"\",queue=\"high\",<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>))");
	assert_int_equal(signal->default_target_milli, 1000);
}

static void different_figures_are_different_metrics(void **state)
{
	static const char *const rows[] = {
		"[{name: Running, series: a}]",
		"[{name: Running, series: b}]",
		"[{name: Running, series: 'a{b=\"c\"}'}]",
		"[{name: Running, series: a, over: Max}]",
		"[{name: Waiting, series: a}]",
		"[{name: KVCache, series: a}]",
		"[{name: KVCache, series: a, unit: Percent}]",
	};
	char *metrics[ARRAY_LEN(rows)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_custom_engine *custom = engine_of(rows[i]);

		metrics[i] = xstrdup(only(custom)->metric);
		assert_int_equal(strncmp(metrics[i], CUSTOM_METRIC, strlen(CUSTOM_METRIC)), 0);
		assert_int_equal(engine_metric_is_percent(metrics[i]), i >= 5);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(metrics[i], metrics[k]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		free_indirect(&metrics[i]);
	}
}

static void a_page_says_what_the_spec_describes(void **state)
{
	static const struct {
		const char *signals;
		const char *page;
		double value; /* -1 = none */
	} rows[] = {
		{"[{name: Running, series: depth}]", "depth 3\n", 3},
		{"[{name: Running, series: depth}]", "depth{rank=\"0\"} 3\ndepth{rank=\"1\"} 4\n", 7},
		{"[{name: Running, series: depth, over: Max}]", "depth{rank=\"0\"} 3\ndepth{rank=\"1\"} 4\n", 4},
		{"[{name: Running, series: 'depth{queue=\"high\"}'}]",
			"depth{queue=\"high\"} 3\ndepth{queue=\"low\"} 9\n", 3},
		{"[{name: Running, series: 'depth{queue=\"\"}'}]", "depth 3\ndepth{queue=\"low\"} 9\n", 3},
		{"[{name: KVCache, series: fill}]", "fill 0.25\n", 25},
		{"[{name: KVCache, series: fill, unit: Percent}]", "fill 25\n", 25},
		{"[{name: Running, series: depth}]", "depth NaN\n", -1},
		{"[{name: Running, series: depth}]", "width 3\n", -1},
		{"[{name: Running, series: 'queue:depth'}]", "queue_depth 3\n", 3},
		{"[{name: Running, series: ray_vllm_num_requests_running}]", "ray_vllm_num_requests_running 3\n", 3},
		{"[{name: Running, series: ray_vllm_num_requests_running}]", "vllm:num_requests_running 3\n", 3},
		{"[{name: Running, series: 'vllm:num_requests_running'}]", "ray_vllm_num_requests_running 3\n", 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_custom_engine *custom = engine_of(rows[i].signals);
		const struct engine_signal *signal = only(custom);
		auto_page *page = page_new();
		double value = -1;

		/* All that a page of any engine is read for has room beside it. */
		page_want_engines(page);
		page_want(page, signal->metrics_query);
		assert_int_equal(page_read(page, rows[i].page, NULL), 0);
		if (query_on_page(signal->metrics_query, page, &value) != (rows[i].value >= 0) ||
			(rows[i].value >= 0 && (value < rows[i].value || value > rows[i].value))) {
			fail_msg("%s on '%s' is %g", rows[i].signals, rows[i].page, value);
		}
		assert_int_equal(page_has_series(page, signal->series[0]), strstr(rows[i].page, "width") == NULL);
	}
}

static void no_other_engine_is_one(void **state)
{
	(void)state;
	assert_null(custom_engine_new("VLLM", NULL));
	custom_engine_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_is_that_of_the_standard),
		cmocka_unit_test(a_series_becomes_the_queries_of_a_preset),
		cmocka_unit_test(different_figures_are_different_metrics),
		cmocka_unit_test(a_page_says_what_the_spec_describes),
		cmocka_unit_test(no_other_engine_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
