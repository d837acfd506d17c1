/* The cache of trimmed objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "kube/cache.h"
#include "kube/resource.h"

#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

static json_t *object(const char *ns, const char *name, const char *version)
{
	return json_pack("{s:{s:s*, s:s*, s:s*, s:[{s:s}], s:{s:s, s:s}}, s:{s:i}}", "metadata", "namespace", ns,
		"name", name, "resourceVersion", version, "managedFields", "manager", "m", "annotations", LAST_APPLIED,
		"{}", "keep", "me", "spec", "replicas", 0);
}

static bool put(struct kube_cache *cache, const char *ns, const char *name, const char *version)
{
	auto_json *fresh = object(ns, name, version);

	return kube_cache_put(cache, fresh);
}

static void test_put_get_remove(void **state)
{
	struct kube_cache *cache = kube_cache_new(NULL, false);
	auto_json *got = NULL, *whole = object("a", "n", "1");

	(void)state;
	assert_true(kube_cache_put(cache, whole));
	assert_false(put(cache, "a", "n", "1"));
	assert_true(put(cache, "a", "n", "2"));
	assert_int_equal(kube_cache_count(cache), 1);
	assert_true(kube_cache_has(cache, "a", "n"));
	assert_false(kube_cache_has(cache, "b", "n"));
	got = kube_cache_get(cache, "a", "n");
	assert_string_equal(kube_object_resource_version(got), "2");
	assert_int_equal(json_path_int(got, "spec.replicas", -1), 0);
	assert_null(json_path(got, "metadata.managedFields"));
	assert_null(kube_object_annotation(got, LAST_APPLIED));
	assert_string_equal(kube_object_annotation(got, "keep"), "me");
	/* What was put in stays as it was. */
	assert_non_null(json_path(whole, "metadata.managedFields"));
	assert_non_null(kube_object_annotation(whole, LAST_APPLIED));
	assert_true(kube_cache_remove(cache, "a", "n"));
	assert_false(kube_cache_remove(cache, "a", "n"));
	assert_null(kube_cache_get(cache, "a", "n"));
	kube_cache_free(cache);
}

static void test_managers_are_kept_where_asked(void **state)
{
	struct kube_cache *cache = kube_cache_new(NULL, true);
	auto_json *whole = json_pack("{s:{s:s, s:[{s:s, s:s, s:{s:{}}}]}}", "metadata", "name", "n", "managedFields",
		"manager", "helm", "time", "2026-01-31T08:00:00Z", "fieldsV1", "f:data");
	auto_json *wanted = json_pack("[{s:s, s:s}]", "manager", "helm", "time", "2026-01-31T08:00:00Z");
	auto_json *got = NULL;

	(void)state;
	assert_true(kube_cache_put(cache, whole));
	got = kube_cache_get(cache, NULL, "n");
	assert_true(json_equal(json_path(got, "metadata.managedFields"), wanted));
	kube_cache_free(cache);
}

static void test_list_is_ordered_and_by_namespace(void **state)
{
	struct kube_cache *cache = kube_cache_new(NULL, false);
	auto_json *all = NULL, *one = NULL;
	auto_free const char **keys = NULL;

	(void)state;
	put(cache, "b", "1", "1");
	put(cache, "a", "2", "1");
	put(cache, "a", "1", "1");
	put(cache, "ab", "1", "1");
	put(cache, NULL, "cluster", "1");
	all = kube_cache_list(cache, NULL);
	one = kube_cache_list(cache, "a");
	keys = kube_cache_keys(cache);
	assert_int_equal(json_array_size(all), 5);
	assert_int_equal(json_array_size(one), 2);
	assert_string_equal(kube_object_name(json_array_get(one, 0)), "1");
	assert_string_equal(kube_object_name(json_array_get(one, 1)), "2");
	assert_string_equal(keys[0], "a/1");
	assert_string_equal(keys[4], "cluster");
	kube_cache_free(cache);
}

static const char *resource_version(const json_t *object)
{
	return json_path_string(object, "metadata.resourceVersion", NULL);
}

/* The keys of what is found by this value, in order. */
static void assert_found(const struct kube_cache *cache, const char *ns, const char *value, const char *expected)
{
	auto_json *found = kube_cache_list_by(cache, ns, value);
	auto_strbuf keys = STRBUF_INIT;
	size_t i;
	json_t *one;

	json_array_foreach(found, i, one) {
		auto_free char *key = kube_object_key(one);

		assert_string_equal(resource_version(one), value);
		strbuf_addf(&keys, "%s%s", i > 0 ? " " : "", key);
	}
	strbuf_addstr(&keys, "");
	assert_string_equal(keys.buf, expected);
}

static void test_list_by_finds_what_the_index_says_now(void **state)
{
	struct kube_cache *cache = kube_cache_new(resource_version, false);

	(void)state;
	put(cache, "b", "1", "x");
	put(cache, "a", "2", "x");
	put(cache, "a", "1", "x");
	put(cache, "a", "3", "y");
	put(cache, "a", "4", NULL);
	assert_found(cache, NULL, "x", "a/1 a/2 b/1");
	assert_found(cache, "a", "x", "a/1 a/2");
	assert_found(cache, "a", "z", "");
	put(cache, "a", "2", "y");  /* moves */
	put(cache, "a", "3", NULL); /* leaves the index */
	assert_found(cache, NULL, "x", "a/1 b/1");
	assert_found(cache, NULL, "y", "a/2");
	kube_cache_remove(cache, "a", "1");
	kube_cache_remove(cache, "a", "2");
	assert_found(cache, NULL, "x", "b/1");
	assert_found(cache, NULL, "y", "");
	assert_int_equal(kube_cache_count(cache), 3);
	kube_cache_free(cache);
}

static void test_an_object_without_a_name_is_not_kept(void **state)
{
	struct kube_cache *cache = kube_cache_new(NULL, false);
	auto_json *empty = json_object();

	(void)state;
	assert_false(kube_cache_put(cache, empty));
	assert_false(put(cache, "a", NULL, "1"));
	assert_int_equal(kube_cache_count(cache), 0);
	kube_cache_free(cache);
	kube_cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get_remove),
		cmocka_unit_test(test_managers_are_kept_where_asked),
		cmocka_unit_test(test_list_is_ordered_and_by_namespace),
		cmocka_unit_test(test_list_by_finds_what_the_index_says_now),
		cmocka_unit_test(test_an_object_without_a_name_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
