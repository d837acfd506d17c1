/* Engines of somebody's own: from a spec to queries, and what these come to on a page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
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

static void a_series_becomes_what_is_read_of_a_page(void **state)
{
	auto_custom_engine *custom = engine_of("[{name: Waiting, series: 'depth{queue=\"high\"}'}]");
	const struct engine_signal *signal = only(custom);

	(void)state;
	assert_string_equal(signal->name, "Waiting");
	assert_string_equal(signal->series[0], "depth{queue=\"high\"}");
	assert_string_equal(engine_page_query(signal),
		"(sum({__name__=~\"depth\",unready=\"true\",queue=\"high\",<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>)) > 0 or "
		"(sum({__name__=~\"depth\",unready=\"\",queue=\"high\",<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>))");
	assert_int_equal(signal->default_target_milli, 1000);
}

/* The adapter restarts for no spec: whatever it describes, the rule of its figure is the one that is there. */
static void no_description_changes_a_rule(void **state)
{
	auto_custom_engine *custom =
		engine_of("[{name: KVCache, series: 'a{b=\"c\"}', over: Sum}, {name: Waiting, series: d}, "
			  "{name: InFlight, series: e, over: Max}, {name: Running, series: 'f:g'}]");

	(void)state;
	for (size_t i = 0; i < ENGINE_SIGNALS_MAX; i++) {
		const struct engine_signal *own = &custom_engine(custom)->signals[i];
		const struct engine_signal *rule = engine_signal_by_metric(own->metric);

		assert_ptr_equal(rule, &custom_rules.signals[i]);
		assert_string_equal(own->name, rule->name);
		assert_int_equal(strncmp(own->metric, CUSTOM_METRIC, strlen(CUSTOM_METRIC)), 0);
		assert_string_equal(own->metrics_query, rule->metrics_query);
		assert_string_equal(own->series_query, rule->series_query);
		assert_string_equal(own->tag.label, rule->tag.label);
		assert_int_equal(strncmp(own->tag.label, CUSTOM_TAGS, strlen(CUSTOM_TAGS)), 0);
		assert_null(rule->tag.value);
		assert_null(rule->series[0]);
		assert_string_equal(engine_page_query(rule), rule->metrics_query);
	}
}

static void different_descriptions_have_different_tags(void **state)
{
	static const struct {
		const char *signals;
		const char *begin; /* of the tag's value */
	} rows[] = {
		{"[{name: Running, series: a}]", "sum."},
		{"[{name: Running, series: b}]", "sum."},
		{"[{name: Running, series: 'a{b=\"c\"}'}]", "sum."},
		{"[{name: Running, series: a, over: Max}]", "max."},
		{"[{name: KVCache, series: a}]", "ratio_max."},
		{"[{name: KVCache, series: a, over: Sum}]", "ratio_sum."},
		{"[{name: KVCache, series: a, unit: Percent}]", "max."},
		{"[{name: KVCache, series: a, unit: Percent, over: Sum}]", "sum."},
	};
	char *values[ARRAY_LEN(rows)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_custom_engine *custom = engine_of(rows[i].signals);
		auto_free char *matcher = custom_tag_matcher(only(custom));
		auto_free char *wanted = xasprintf("%s=\"%s\"", only(custom)->tag.label, only(custom)->tag.value);

		values[i] = xstrdup(only(custom)->tag.value);
		assert_string_equal(matcher, wanted);
		assert_int_equal(strncmp(values[i], rows[i].begin, strlen(rows[i].begin)), 0);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(values[i], values[k]);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		free_indirect(&values[i]);
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
		page_want(page, engine_page_query(signal));
		assert_int_equal(page_read(page, rows[i].page, NULL), 0);
		if (query_on_page(engine_page_query(signal), page, &value) != (rows[i].value >= 0) ||
			(rows[i].value >= 0 && (value < rows[i].value || value > rows[i].value))) {
			fail_msg("%s on '%s' is %g", rows[i].signals, rows[i].page, value);
		}
		assert_int_equal(page_has_series(page, signal->series[0]), strstr(rows[i].page, "width") == NULL);
	}
}

/* Of a ServiceMonitor's relabelings as of a configuration's. */
static void a_tag_is_put_on_what_is_described(void **state)
{
	static const struct {
		const char *series;
		const char *labels;
		const char *regex;
	} rows[] = {
		{"depth", "__name__", "depth"},
		{"depth{queue=\"high\"}", "__name__, queue", "depth;high"},
		{"depth{queue=\"\",b=\"x.y+z/@:-_\"}", "__name__, queue, b", "depth;;x[.]y[+]z/@:-_"},
		{"a:b:c", "__name__", "a[:_]b[:_]c"},
		{"ray_vllm_x{a=\"b\"}", "__name__, a", "(vllm|ray_vllm)[:_]x;b"},
		/* what the target has itself */
		{"x{job=\"a\",instance=\"b\",service=\"c\",endpoint=\"d\",jobs=\"e\",container=\"f\"}",
			"__name__, exported_job, exported_instance, exported_service, exported_endpoint, jobs, container",
			"x;a;b;c;d;e;f"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *signals = xasprintf("[{name: InFlight, series: '%s'}]", rows[i].series);
		auto_custom_engine *custom = engine_of(signals);
		const struct engine_signal *signal = only(custom);
		auto_json *relabeling = custom_tag_relabeling(signal);
		auto_free char *config = custom_tag_config(signal);
		auto_free char *wanted = xasprintf(
			"{source_labels: [%s], regex: '%s', target_label: inference_autoscaler_in_flight, replacement: %s}",
			rows[i].labels, rows[i].regex, signal->tag.value);
		auto_json *read = yaml_parse(config, strlen(config), NULL);

		assert_string_equal(config, wanted);
		assert_true(json_equal(json_object_get(relabeling, "sourceLabels"),
			json_object_get(read, "source_labels")));
		assert_string_equal(json_path_string(relabeling, "regex", ""), rows[i].regex);
		assert_string_equal(json_path_string(read, "regex", ""), rows[i].regex);
		assert_string_equal(json_path_string(relabeling, "targetLabel", ""), "inference_autoscaler_in_flight");
		assert_string_equal(json_path_string(relabeling, "replacement", ""), signal->tag.value);
		assert_string_equal(json_path_string(relabeling, "action", ""), "replace");
	}
}

/* Each character that a value may have stands for itself. */
static void an_expression_means_what_is_written(void **state)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@+-";

	(void)state;
	for (const char *c = chars; *c != '\0'; c++) {
		auto_free char *signals = xasprintf("[{name: Running, series: 'x{a=\"b%cd\"}'}]", *c);
		auto_custom_engine *custom = engine_of(signals);
		auto_json *relabeling = custom_tag_relabeling(only(custom));
		auto_free char *whole = xasprintf("^(%s)$", json_path_string(relabeling, "regex", ""));
		regex_t regex;

		assert_int_equal(regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB), 0);
		for (const char *other = chars; *other != '\0'; other++) {
			auto_free char *sample = xasprintf("x;b%cd", *other);

			assert_int_equal(regexec(&regex, sample, 0, NULL, 0) == 0, *other == *c);
		}
		assert_int_not_equal(regexec(&regex, "x;bd", 0, NULL, 0), 0);
		regfree(&regex);
	}
}

static void no_other_engine_is_one(void **state)
{
	(void)state;
	assert_null(custom_engine_new("VLLM", NULL));
	assert_null(custom_tag_matcher(&engines[0].signals[0]));
	assert_null(custom_tag_relabeling(&custom_rules.signals[0]));
	assert_null(custom_tag_config(&custom_rules.signals[0]));
	custom_engine_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_digest_is_that_of_the_standard),
		cmocka_unit_test(a_series_becomes_what_is_read_of_a_page),
		cmocka_unit_test(no_description_changes_a_rule),
		cmocka_unit_test(different_descriptions_have_different_tags),
		cmocka_unit_test(a_tag_is_put_on_what_is_described),
		cmocka_unit_test(an_expression_means_what_is_written),
		cmocka_unit_test(a_page_says_what_the_spec_describes),
		cmocka_unit_test(no_other_engine_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
