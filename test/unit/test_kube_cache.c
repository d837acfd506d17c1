/* The cache of trimmed objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

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
	struct kube_cache *cache = kube_cache_new(&(struct kube_cache_form){.index = NULL});
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
	struct kube_cache *cache = kube_cache_new(&(struct kube_cache_form){.managers = true});
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

static char *resource_version(const json_t *object)
{
	const char *version = json_path_string(object, "metadata.resourceVersion", NULL);

	return version != NULL ? xstrdup(version) : NULL;
}

/* Objects decoded to their resourceVersion; how many there are. */
static int decoded;

static const void *decode_version(const void *type, const json_t *object)
{
	decoded++;
	return xasprintf("%s %s", (const char *)type, kube_object_resource_version(object));
}

static void unref_version(const void *text)
{
	decoded--;
	free((void *)(uintptr_t)text);
}

static const struct kube_cache_form decoding = {.decode = decode_version, .unref = unref_version, .type = "version"};

static void test_objects_are_decoded_once(void **state)
{
	struct kube_cache *cache = kube_cache_new(&decoding);
	auto_free const void **all = NULL;
	auto_free const void **one = NULL;
	const void *first;
	size_t count;

	(void)state;
	put(cache, "b", "1", "7");
	put(cache, "a", "1", "8");
	first = kube_cache_decoded(cache, "a", "1");
	assert_string_equal(first, "version 8");
	put(cache, "a", "1", "8");
	assert_ptr_equal(kube_cache_decoded(cache, "a", "1"), first);
	put(cache, "a", "1", "9");
	assert_string_equal(kube_cache_decoded(cache, "a", "1"), "version 9");
	assert_null(kube_cache_decoded(cache, "a", "2"));
	assert_int_equal(decoded, 2);
	all = kube_cache_decoded_list(cache, NULL, &count);
	assert_int_equal(count, 2);
	assert_string_equal(all[0], "version 9");
	assert_string_equal(all[1], "version 7");
	one = kube_cache_decoded_list(cache, "b", &count);
	assert_int_equal(count, 1);
	assert_string_equal(one[0], "version 7");
	kube_cache_remove(cache, "a", "1");
	assert_int_equal(decoded, 1);
	kube_cache_free(cache);
	assert_int_equal(decoded, 0);
}

static void test_objects_go_from_cache_to_cache_as_they_are(void **state)
{
	struct kube_cache_form form = decoding;
	struct kube_cache *cache;
	struct kube_cache *arrived;
	auto_free const void **found = NULL;
	const void *fresh;
	size_t count;

	(void)state;
	form.index = resource_version;
	cache = kube_cache_new(&form);
	arrived = kube_cache_new(&form);
	put(cache, "a", "same", "1");
	put(cache, "a", "moved", "1");
	put(arrived, "a", "same", "1");
	put(arrived, "a", "moved", "2");
	put(arrived, "a", "new", "2");
	fresh = kube_cache_decoded(arrived, "a", "moved");
	assert_false(kube_cache_put_from(cache, arrived, "a/same"));
	assert_true(kube_cache_put_from(cache, arrived, "a/moved"));
	assert_true(kube_cache_put_from(cache, arrived, "a/new"));
	assert_false(kube_cache_put_from(cache, arrived, "a/new"));
	assert_ptr_equal(kube_cache_decoded(cache, "a", "moved"), fresh);
	assert_int_equal(decoded, 3);
	assert_int_equal(kube_cache_count(arrived), 0);
	kube_cache_free(arrived);
	found = kube_cache_decoded_list_by(cache, "2", &count);
	assert_int_equal(count, 2);
	assert_ptr_equal(found[0], fresh);
	kube_cache_free(cache);
	assert_int_equal(decoded, 0);
}

static void test_list_is_ordered_and_by_namespace(void **state)
{
	struct kube_cache *cache = kube_cache_new(&(struct kube_cache_form){.index = NULL});
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

/* The keys of what is found by this value, in order. */
static void assert_found(const struct kube_cache *cache, const char *value, const char *expected)
{
	auto_json *found = kube_cache_list_by(cache, value);
	auto_strbuf keys = STRBUF_INIT;
	size_t i;
	json_t *one;

	json_array_foreach(found, i, one) {
		auto_free char *key = kube_object_key(one);

		assert_string_equal(kube_object_resource_version(one), value);
		strbuf_addf(&keys, "%s%s", i > 0 ? " " : "", key);
	}
	strbuf_addstr(&keys, "");
	assert_string_equal(keys.buf, expected);
}

static void test_list_by_finds_what_the_index_says_now(void **state)
{
	struct kube_cache *cache = kube_cache_new(&(struct kube_cache_form){.index = resource_version});

	(void)state;
	put(cache, "b", "1", "x");
	put(cache, "a", "2", "x");
	put(cache, "a", "1", "x");
	put(cache, "a", "3", "y");
	put(cache, "a", "4", NULL);
	assert_found(cache, "x", "a/1 a/2 b/1");
	assert_found(cache, "z", "");
	put(cache, "a", "2", "y");  /* moves */
	put(cache, "a", "3", NULL); /* leaves the index */
	assert_found(cache, "x", "a/1 b/1");
	assert_found(cache, "y", "a/2");
	kube_cache_remove(cache, "a", "1");
	kube_cache_remove(cache, "a", "2");
	assert_found(cache, "x", "b/1");
	assert_found(cache, "y", "");
	assert_int_equal(kube_cache_count(cache), 3);
	kube_cache_free(cache);
}

static void test_an_object_without_a_name_is_not_kept(void **state)
{
	struct kube_cache *cache = kube_cache_new(&(struct kube_cache_form){.index = NULL});
	auto_json *empty = json_object();

	(void)state;
	assert_false(kube_cache_put(cache, empty));
	assert_false(put(cache, "a", NULL, "1"));
	assert_int_equal(kube_cache_count(cache), 0);
	kube_cache_free(cache);
	kube_cache_free(NULL);
}

#define MANY 10000
#define LOOKUPS 500

static char *target_key(const json_t *object)
{
	return kube_key(kube_object_namespace(object), json_path_string(object, "spec.target", ""));
}

/* The CPU time of keeping MANY objects of as many namespaces, and of finding LOOKUPS of them. */
struct cost {
	double put_s;
	double find_s;
};

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct cost cost_of(bool one_name)
{
	struct kube_cache *cache = kube_cache_new(&(struct kube_cache_form){.index = target_key});
	struct cost cost;
	double start = cpu_s();

	for (int i = 0; i < MANY; i++) {
		/* In no order: a list that is kept in order by walking it is not let off. */
		auto_free char *ns = xasprintf("tenant-%d", i * 7919 % MANY);
		auto_free char *name = one_name ? xstrdup("gemma") : xasprintf("gemma-%d", i);
		auto_json *object = json_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "namespace", ns, "name", name,
			"spec", "target", name);

		assert_true(kube_cache_put(cache, object));
	}
	cost.put_s = cpu_s() - start;
	start = cpu_s();
	for (int i = 0; i < LOOKUPS; i++) {
		auto_free char *ns = xasprintf("tenant-%d", i * 7919 % MANY);
		auto_free char *name = one_name ? xstrdup("gemma") : xasprintf("gemma-%d", i);
		auto_free char *key = kube_key(ns, name);
		auto_json *found = kube_cache_list_by(cache, key);

		assert_int_equal(json_array_size(found), 1);
	}
	cost.find_s = cpu_s() - start;
	kube_cache_free(cache);
	return cost;
}

/* Tenants like to call a thing by the same name: it must not cost more than names that differ. */
static void test_one_name_in_many_namespaces_costs_no_more(void **state)
{
	struct cost different = cost_of(false);
	struct cost one = cost_of(true);

	(void)state;
	print_message("put: %.3f s of different names, %.3f s of one name; find: %.4f s, %.4f s\n", different.put_s,
		one.put_s, different.find_s, one.find_s);
	/* Twice, and a little for the clock: what is linear in the namespaces is hundreds of times as much. */
	assert_true(one.put_s < 2 * different.put_s + 0.05);
	assert_true(one.find_s < 2 * different.find_s + 0.01);
}

/* All of one index, as all that autoscalers share is: they come and go without a walk along the others. */
static void test_many_of_one_index_come_and_go_in_any_order(void **state)
{
	double of_many = cost_of(false).put_s;
	struct kube_cache *cache = kube_cache_new(&(struct kube_cache_form){.index = resource_version});
	double start = cpu_s();
	auto_json *found = NULL;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("n-%05d", i * 7919 % MANY);

		assert_true(put(cache, "a", name, "x"));
	}
	found = kube_cache_list_by(cache, "x");
	assert_int_equal(json_array_size(found), MANY);
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("n-%05d", i);

		assert_string_equal(kube_object_name(json_array_get(found, (size_t)i)), name);
	}
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("n-%05d", i * 7 % MANY);

		assert_true(kube_cache_remove(cache, "a", name));
	}
	json_decref(found);
	found = kube_cache_list_by(cache, "x");
	assert_int_equal(json_array_size(found), 0);
	print_message("%d came and went in %.3f s, %d of many indices came in %.3f s\n", MANY, cpu_s() - start, MANY,
		of_many);
	assert_true(cpu_s() - start < 5 * of_many + 0.1);
	kube_cache_free(cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get_remove),
		cmocka_unit_test(test_managers_are_kept_where_asked),
		cmocka_unit_test(test_objects_are_decoded_once),
		cmocka_unit_test(test_objects_go_from_cache_to_cache_as_they_are),
		cmocka_unit_test(test_list_is_ordered_and_by_namespace),
		cmocka_unit_test(test_list_by_finds_what_the_index_says_now),
		cmocka_unit_test(test_an_object_without_a_name_is_not_kept),
		cmocka_unit_test(test_one_name_in_many_namespaces_costs_no_more),
		cmocka_unit_test(test_many_of_one_index_come_and_go_in_any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
