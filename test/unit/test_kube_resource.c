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

static void test_selectors_as_text(void **state)
{
	static const struct {
		const char *selector, *text;
	} rows[] = {
		{"null", ""},
		{"{}", ""},
		{"[]", ""},
		{"{'matchLabels':{'a':'1','b':'2'}}", "a=1,b=2"},
		{"{'matchExpressions':[{'key':'a','operator':'In','values':['1','2']}]}", "a in (1,2)"},
		{"{'matchExpressions':[{'key':'a','operator':'NotIn','values':['1']}]}", "a notin (1)"},
		{"{'matchExpressions':[{'key':'a','operator':'Exists'}]}", "a"},
		{"{'matchExpressions':[{'key':'a','operator':'DoesNotExist'}]}", "!a"},
		{"{'matchExpressions':[{'key':'a','operator':'Gt','values':['1']}]}", "a,!a"},
		{"{'matchLabels':{'a':'1'},'matchExpressions':[{'key':'b','operator':'Exists'}]}", "a=1,b"},
	};
	auto_free char *none = kube_selector_text(NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *json = xstrdup(rows[i].selector);
		auto_json *selector = NULL;
		auto_free char *text = NULL;

		for (char *p = json; *p; p++) {
			*p = *p == '\'' ? '"' : *p;
		}
		selector = json_loads(json, JSON_DECODE_ANY, NULL);
		assert_non_null(selector);
		text = kube_selector_text(selector);
		assert_string_equal(text, rows[i].text);
	}
	assert_string_equal(none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_selectors_as_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
