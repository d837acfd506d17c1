/* Label selectors of views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "view/monitoring.h"
#include "view_rig.h"

/* What each matches and allows, '+' or '-': of `labels` in their order; of `values` of the keys a, b and c. */
static const struct {
	const char *selector;
	const char *matches;
	const char *allows;
	const char *text;
} selectors[] = {
	{"null", "-------", "+++++ +++++ +++++", ""},
	{"{}", "+++++++", "+++++ +++++ +++++", ""},
	{"7", "-------", "+++++ +++++ +++++", ""},
	{"{matchLabels: {a: x}}", "-+-+---", "-+--- +++++ +++++", "a=x"},
	{"{matchLabels: {a: x, b: y}}", "---+---", "-+--- --+-- +++++", "a=x,b=y"},
	{"{matchLabels: {a: 1}}", "-------", "----- +++++ +++++", "a="},
	{"{matchExpressions: [{key: a, operator: In, values: [x, z]}]}", "-+-+--+", "-+-+- +++++ +++++", "a in (x,z)"},
	{"{matchExpressions: [{key: a, operator: NotIn, values: [x]}]}", "+-+-+++", "+-+++ +++++ +++++", "a notin (x)"},
	{"{matchExpressions: [{key: a, operator: Exists}, {key: b, operator: DoesNotExist}]}", "-++---+",
		"-++++ +---- +++++", "a,!b"},
	{"{matchExpressions: [{key: a, operator: Gt, values: ['1']}]}", "-------", "----- +++++ +++++", "a,!a"},
	{"{matchExpressions: [{key: a, operator: In, values: [1, x]}]}", "-+-+---", "-+--- +++++ +++++", "a in (,x)"},
	{"{matchExpressions: [{key: a, operator: In}], matchLabels: {b: y}}", "-------", "----- --+-- +++++",
		"b=y,a in ()"},
	{"{matchExpressions: [app in (a)]}", "-------", "+++++ +++++ +++++", ",!"},
	{"{matchLabels: 3, matchExpressions: {}}", "+++++++", "+++++ +++++ +++++", ""},
};

static const char *const labels[] = {"{}", "{a: x}", "{a: y}", "{a: x, b: y}", "{b: y}", "{a: 1}", "{a: z, c: ''}"};
static const char *const values[] = {NULL, "x", "y", "z", "1"};

static void test_matches(void **state)
{
	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(selectors); s++) {
		char matches[ARRAY_LEN(labels) + 1] = "";

		for (size_t l = 0; l < ARRAY_LEN(labels); l++) {
			auto_free char *text = xasprintf("{metadata: {labels: %s}, spec: {selector: %s}}", labels[l],
				selectors[s].selector);
			auto_view *view = view_rig_yaml(&view_servicemonitor_type, text);
			const struct view_selector *selector = &view_servicemonitor(view)->selector;
			bool matched = view_selector_matches(selector, &view->meta.labels, false);

			matches[l] = matched ? '+' : '-';
			/* What is to be answered where there is none, counts only there. */
			assert_int_equal(view_selector_matches(selector, &view->meta.labels, true), matched || s == 0);
		}
		assert_string_equal(matches, selectors[s].matches);
	}
}

static void test_allows_and_text(void **state)
{
	static const char *const keys[] = {"a", "b", "c"};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(selectors); s++) {
		auto_free char *object = xasprintf("{spec: {selector: %s}}", selectors[s].selector);
		auto_view *view = view_rig_yaml(&view_servicemonitor_type, object);
		const struct view_selector *selector = &view_servicemonitor(view)->selector;
		auto_free char *text = view_selector_text(selector);
		auto_strbuf allows = STRBUF_INIT;

		for (size_t i = 0; i < ARRAY_LEN(keys) * ARRAY_LEN(values); i++) {
			const char *key = keys[i / ARRAY_LEN(values)];
			const char *value = values[i % ARRAY_LEN(values)];

			strbuf_addstr(&allows, i > 0 && i % ARRAY_LEN(values) == 0 ? " " : "");
			strbuf_addch(&allows, view_selector_allows(selector, key, value) ? '+' : '-');
		}
		assert_string_equal(text, selectors[s].text);
		assert_string_equal(allows.buf, selectors[s].allows);
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

/* Text, labels, whether they match: as apimachinery's pkg/labels/selector_test.go has it. */
static void test_text_matches_as_the_api_says(void **state)
{
	static const struct {
		const char *text;
		const char *labels;
		bool matches;
	} rows[] = {
		{"", "{}", true},
		{" ", "{a: x}", true},
		{"a=x", "{a: x}", true},
		{"a==x", "{a: x}", true},
		{"a = x", "{a: y}", false},
		{"a=x", "{}", false},
		{"a=", "{a: ''}", true},
		{"a=", "{a: x}", false},
		{"a=,b=y", "{a: '', b: y}", true},
		{"a=x,b=y", "{a: x, b: y, c: z}", true},
		{"a=x , b=y", "{a: x}", false},
		{"a=x,a=y", "{a: x}", false},
		{"a!=x", "{a: x}", false},
		{"a!=x", "{a: y}", true},
		{"a!=x", "{}", true},
		{"a in (x,y)", "{a: y}", true},
		{"a in ( x , y )", "{a: z}", false},
		{"a in (x)", "{}", false},
		{"a in (,x)", "{a: ''}", true},
		{"a in (x,x)", "{a: x}", true},
		{"a notin (x,y)", "{a: x}", false},
		{"a notin (x,y)", "{a: z}", true},
		{"a notin (x,y)", "{}", true},
		{"a notin (x),b=y", "{b: y}", true},
		{"a", "{a: x}", true},
		{"a", "{b: x}", false},
		{"!a", "{b: x}", true},
		{"!a", "{a: x}", false},
		{"!a,b in (y)", "{b: y}", true},
		{"a>5", "{a: '6'}", true},
		{"a>5", "{a: '5'}", false},
		{"a > 5", "{a: x}", false},
		{"a>5", "{}", false},
		{"a<-5", "{a: '-6'}", true},
		{"a<5", "{a: '99999999999999999999'}", false},
		{"in in (in)", "{in: in}", true},
		{"notin,in=notin", "{in: notin, notin: x}", true},
		{"app.kubernetes.io/name=vllm-0.1_x", "{app.kubernetes.io/name: vllm-0.1_x}", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_error err = ERROR_INIT;
		auto_free struct view_selector *selector = view_selector_parse(rows[i].text, &err);
		auto_free char *text = xasprintf("{metadata: {labels: %s}}", rows[i].labels);
		auto_view *view = view_rig_yaml(&view_servicemonitor_type, text);

		if (selector == NULL || view_selector_matches(selector, &view->meta.labels, false) != rows[i].matches) {
			fail_msg("'%s' on %s: %s", rows[i].text, rows[i].labels,
				err.message != NULL ? err.message : "the other way");
		}
	}
}

static void test_text_that_is_no_selector(void **state)
{
	static const char *const texts[] = {"=", ",", "a,", "a=x,", ",a", "a=x y", "a in", "a in x", "a in ()",
		"a in (x", "a in (x,y", "a in (x=y)", "a b", "!", "!a=x", "!!a", "a=x)", "a=(x)", "a>", "a>x", "a<1.5",
		"a>99999999999999999999", "(a)", "a!", "a=!x", "a not in (x)"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		auto_error err = ERROR_INIT;

		if (view_selector_parse(texts[i], &err) != NULL) {
			fail_msg("'%s' was read", texts[i]);
		}
		assert_int_equal(err.kind, ERROR_INVALID);
		assert_non_null(strstr(err.message, texts[i]));
	}
	assert_null(view_selector_parse("a b", NULL));
}

/* What a workload's selector is as text leads back to what it matches. */
static void test_text_and_back(void **state)
{
	size_t matched = 0;

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(selectors); s++) {
		for (size_t l = 0; l < ARRAY_LEN(labels); l++) {
			auto_free char *text = xasprintf("{metadata: {labels: %s}, spec: {selector: %s}}", labels[l],
				selectors[s].selector);
			auto_view *view = view_rig_yaml(&view_servicemonitor_type, text);
			const struct view_selector *selector = &view_servicemonitor(view)->selector;
			auto_free char *form = view_selector_text(selector);
			auto_free struct view_selector *again = view_selector_parse(form, NULL);

			/* In what order the server has them, and what is no selector, is not kept. */
			if (again == NULL || !selector->valid) {
				continue;
			}
			assert_int_equal(view_selector_matches(again, &view->meta.labels, false),
				view_selector_matches(selector, &view->meta.labels, false));
			matched += view_selector_matches(again, &view->meta.labels, false);
		}
	}
	assert_true(matched > 20);
}

static void test_a_selector_of_many_values(void **state)
{
	auto_strbuf text = STRBUF_INIT;
	auto_free struct view_selector *selector = NULL;

	(void)state;
	strbuf_addstr(&text, "a in (v");
	for (int i = 0; i < 10000; i++) {
		strbuf_addf(&text, ",v%d", i);
	}
	strbuf_addch(&text, ')');
	selector = view_selector_parse(text.buf, NULL);
	assert_int_equal(selector->expressions_count, 1);
	assert_int_equal(selector->expressions[0].values_count, 10001);
	assert_string_equal(selector->expressions[0].values[10000], "v9999");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_allows_and_text),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_text_matches_as_the_api_says),
		cmocka_unit_test(test_text_that_is_no_selector),
		cmocka_unit_test(test_text_and_back),
		cmocka_unit_test(test_a_selector_of_many_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
