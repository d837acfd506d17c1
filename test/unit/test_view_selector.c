/* Label selectors of views: the same as of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "view/monitoring.h"
#include "view_rig.h"

static const char *const selectors[] = {"null", "{}", "7", "{matchLabels: {a: x}}", "{matchLabels: {a: x, b: y}}",
	"{matchLabels: {a: 1}}", "{matchExpressions: [{key: a, operator: In, values: [x, z]}]}",
	"{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}",
	"{matchExpressions: [{key: a, operator: Exists}, {key: b, operator: DoesNotExist}]}",
	"{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}",
	"{matchExpressions: [{key: a, operator: In, values: [1, x]}]}",
	"{matchExpressions: [{key: a, operator: In}], matchLabels: {b: y}}", "{matchExpressions: [app in (a)]}",
	"{matchLabels: 3, matchExpressions: {}}"};

static const char *const labels[] = {"{}", "{a: x}", "{a: y}", "{a: x, b: y}", "{b: y}", "{a: 1}", "{a: z, c: ''}"};

static void test_matches_as_json_does(void **state)
{
	size_t matched = 0;

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(selectors); s++) {
		for (size_t l = 0; l < ARRAY_LEN(labels); l++) {
			auto_free char *text =
				xasprintf("{metadata: {labels: %s}, spec: {selector: %s}}", labels[l], selectors[s]);
			auto_json *object = yaml_parse(text, strlen(text), NULL);
			auto_view *view = view_decode(KIND_SERVICEMONITOR, object);
			const json_t *json = json_path(object, "spec.selector");
			const json_t *json_labels = json_path(object, "metadata.labels");
			const struct view_selector *selector = &view_servicemonitor(view)->selector;

			for (int if_not_given = 0; if_not_given < 2; if_not_given++) {
				bool wanted = kube_selector_matches(json, json_labels, if_not_given == 1);

				assert_int_equal(view_selector_matches(selector, &view->meta.labels, if_not_given == 1),
					wanted);
				matched += wanted;
			}
		}
	}
	assert_true(matched > 20);
}

static void test_allows_and_reads_as_json_does(void **state)
{
	static const char *const keys[] = {"a", "b", "c"};
	static const char *const values[] = {NULL, "x", "y", "z", "1"};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(selectors); s++) {
		auto_free char *text = xasprintf("{spec: {selector: %s}}", selectors[s]);
		auto_json *object = yaml_parse(text, strlen(text), NULL);
		auto_view *view = view_decode(KIND_SERVICEMONITOR, object);
		const json_t *json = json_path(object, "spec.selector");
		const struct view_selector *selector = &view_servicemonitor(view)->selector;
		auto_free char *wanted = kube_selector_text(json);
		auto_free char *got = view_selector_text(selector);

		assert_string_equal(got, wanted);
		for (size_t i = 0; i < ARRAY_LEN(keys) * ARRAY_LEN(values); i++) {
			const char *key = keys[i / ARRAY_LEN(values)];
			const char *value = values[i % ARRAY_LEN(values)];

			assert_int_equal(view_selector_allows(selector, key, value),
				kube_selector_allows(json, key, value));
		}
	}
}

static void test_pairs(void **state)
{
	auto_view *one =
		view_rig_yaml(&view_servicemonitor_type, "{metadata: {labels: {c: '3', a: '1', b: '2', n: 1}}}");
	auto_view *some = view_rig_yaml(&view_servicemonitor_type, "{metadata: {labels: {b: '2', c: '3'}}}");
	auto_view *none = view_rig_yaml(&view_servicemonitor_type, "{metadata: {labels: {}}}");
	const struct view_pairs *all = &one->meta.labels;

	(void)state;
	assert_int_equal(all->count, 4);
	assert_string_equal(all->items[0].key, "a");
	assert_string_equal(view_pairs_get(all, "c"), "3");
	assert_null(view_pairs_get(all, "n"));
	assert_null(view_pairs_get(all, "d"));
	assert_true(view_pairs_cover(all, &some->meta.labels));
	assert_false(view_pairs_cover(&some->meta.labels, all));
	assert_true(view_pairs_cover(&some->meta.labels, &none->meta.labels));
	assert_null(view_pairs_get(&none->meta.labels, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches_as_json_does),
		cmocka_unit_test(test_allows_and_reads_as_json_does),
		cmocka_unit_test(test_pairs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
