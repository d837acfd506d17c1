/* Paths, keys and label selectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "kube/resource.h"

static const struct kube_resource services = {"", "v1", "services", "Service", true};
static const struct kube_resource hpas = {"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler",
	true};
static const struct kube_resource nodes = {"", "v1", "nodes", "Node", false};

static void test_paths(void **state)
{
	static const struct {
		const struct kube_resource *resource;
		const char *ns, *name, *path;
	} rows[] = {
		{&services, NULL, NULL, "/api/v1/services"},
		{&services, "", NULL, "/api/v1/services"},
		{&services, "a", NULL, "/api/v1/namespaces/a/services"},
		{&services, "a", "b", "/api/v1/namespaces/a/services/b"},
		{&services, "a", "b/../c d", "/api/v1/namespaces/a/services/b%2F..%2Fc%20d"},
		{&hpas, "a", "b", "/apis/autoscaling/v2/namespaces/a/horizontalpodautoscalers/b"},
		{&nodes, "ignored", "n", "/api/v1/nodes/n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *path = kube_resource_path(rows[i].resource, rows[i].ns, rows[i].name);

		assert_string_equal(path, rows[i].path);
	}
}

static void test_names(void **state)
{
	auto_json *object =
		json_pack("{s:{s:s, s:s, s:s, s:s, s:{s:s}, s:{s:s}}}", "metadata", "name", "n", "namespace", "s",
			"uid", "u", "resourceVersion", "7", "labels", "a.b/c", "l", "annotations", "d.e/f", "x");
	auto_json *bare = json_object();
	auto_free char *core = kube_api_version(&services), *group = kube_api_version(&hpas);
	auto_free char *key = kube_object_key(object), *cluster_key = kube_key(NULL, "n");

	(void)state;
	assert_string_equal(core, "v1");
	assert_string_equal(group, "autoscaling/v2");
	assert_string_equal(key, "s/n");
	assert_string_equal(cluster_key, "n");
	assert_string_equal(kube_object_uid(object), "u");
	assert_string_equal(kube_object_resource_version(object), "7");
	assert_string_equal(kube_object_label(object, "a.b/c"), "l");
	assert_string_equal(kube_object_annotation(object, "d.e/f"), "x");
	assert_null(kube_object_label(object, "none"));
	assert_null(kube_object_annotation(bare, "none"));
	assert_string_equal(kube_object_name(bare), "");
	assert_string_equal(kube_object_name(NULL), "");
}

static void test_selectors(void **state)
{
	static const struct {
		const char *selector, *labels, *text;
		bool if_null, matches;
	} rows[] = {
		{"null", "{}", "", true, true},
		{"null", "{}", "", false, false},
		{"{}", "{}", "", false, true},
		{"[]", "{}", "", true, false},
		{"{'matchLabels':{'a':'1','b':'2'}}", "{'b':'2','a':'1','c':'3'}", "a=1,b=2", false, true},
		{"{'matchLabels':{'a':'1'}}", "{'a':'2'}", "a=1", false, false},
		{"{'matchLabels':{'a':'1'}}", "{}", "a=1", false, false},
		{"{'matchExpressions':[{'key':'a','operator':'In','values':['1','2']}]}", "{'a':'2'}", "a in (1,2)",
			false, true},
		{"{'matchExpressions':[{'key':'a','operator':'In','values':['1','2']}]}", "{'a':'3'}", "a in (1,2)",
			false, false},
		{"{'matchExpressions':[{'key':'a','operator':'In','values':['1']}]}", "{}", "a in (1)", false, false},
		{"{'matchExpressions':[{'key':'a','operator':'NotIn','values':['1']}]}", "{}", "a notin (1)", false,
			true},
		{"{'matchExpressions':[{'key':'a','operator':'NotIn','values':['1']}]}", "{'a':'1'}", "a notin (1)",
			false, false},
		{"{'matchExpressions':[{'key':'a','operator':'Exists'}]}", "{'a':''}", "a", false, true},
		{"{'matchExpressions':[{'key':'a','operator':'Exists'}]}", "{}", "a", false, false},
		{"{'matchExpressions':[{'key':'a','operator':'DoesNotExist'}]}", "{'a':'1'}", "!a", false, false},
		{"{'matchExpressions':[{'key':'a','operator':'DoesNotExist'}]}", "{}", "!a", false, true},
		{"{'matchExpressions':[{'key':'a','operator':'Gt','values':['1']}]}", "{'a':'2'}", "a,!a", false,
			false},
		{"{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'b','operator':'Exists'}]}", "{'a':'1'}", "a=1,b",
			false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *selector_json = xstrdup(rows[i].selector);
		auto_free char *labels_json = xstrdup(rows[i].labels);
		auto_json *selector = NULL, *labels = NULL;
		auto_free char *text = NULL;

		for (char *p = selector_json; *p; p++) {
			*p = *p == '\'' ? '"' : *p;
		}
		for (char *p = labels_json; *p; p++) {
			*p = *p == '\'' ? '"' : *p;
		}
		selector = json_loads(selector_json, JSON_DECODE_ANY, NULL);
		labels = json_loads(labels_json, 0, NULL);
		assert_non_null(selector);
		assert_non_null(labels);
		if (kube_selector_matches(selector, labels, rows[i].if_null) != rows[i].matches) {
			fail_msg("row %zu: '%s' on '%s'", i, rows[i].selector, rows[i].labels);
		}
		text = kube_selector_text(selector);
		assert_string_equal(text, rows[i].text);
	}
	assert_true(kube_selector_matches(NULL, NULL, true));
}

/* Of a selector only what it says of one key counts. */
static void test_selectors_by_key(void **state)
{
	auto_json *selector = json_pack("{s:{s:s}, s:[{s:s, s:s, s:[s]}, {s:s, s:s}, {s:s, s:s}]}", "matchLabels", "a",
		"1", "matchExpressions", "key", "b", "operator", "NotIn", "values", "2", "key", "c", "operator",
		"DoesNotExist", "key", "d", "operator", "Bogus");

	(void)state;
	assert_true(kube_selector_allows(selector, "a", "1"));
	assert_false(kube_selector_allows(selector, "a", "2"));
	assert_false(kube_selector_allows(selector, "a", NULL));
	assert_true(kube_selector_allows(selector, "b", "1"));
	assert_false(kube_selector_allows(selector, "b", "2"));
	assert_true(kube_selector_allows(selector, "b", NULL));
	assert_false(kube_selector_allows(selector, "c", "1"));
	assert_true(kube_selector_allows(selector, "c", NULL));
	assert_false(kube_selector_allows(selector, "d", "1"));
	assert_true(kube_selector_allows(selector, "e", "1"));
	assert_true(kube_selector_allows(NULL, "e", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_selectors_by_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
