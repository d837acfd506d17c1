/* The cache of decoded objects. */
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
#include "json_cache.h"

static int decoded;

static json_t *object(const char *ns, const char *name, const char *version, const char *target)
{
	return json_pack("{s:{s:s*, s:s*, s:s*}, s:{s:s*}}", "metadata", "namespace", ns, "name", name,
		"resourceVersion", version, "spec", "target", target);
}

/* How a put changed the cache: "" not, "+" new, "~VERSION" in place of that version. Heap. */
static char *put(struct kube_cache *cache, const char *ns, const char *name, const char *version, const char *target)
{
	auto_json *fresh = object(ns, name, version, target);
	const void *before;
	char *change;

	if (!kube_cache_put(cache, fresh, NULL, &before)) {
		assert_null(before);
		return xstrdup("");
	}
	change = before != NULL ? xasprintf("~%s", kube_object_resource_version(before)) : xstrdup("+");
	json_decref((json_t *)(uintptr_t)before);
	return change;
}

static void assert_put(struct kube_cache *cache, const char *ns, const char *name, const char *version,
	const char *expected)
{
	auto_free char *change = put(cache, ns, name, version, NULL);

	assert_string_equal(change, expected);
}

static void add(struct kube_cache *cache, const char *ns, const char *name, const char *version, const char *target)
{
	auto_free char *change = put(cache, ns, name, version, target);

	assert_string_not_equal(change, "");
}

static bool take(struct kube_cache *cache, const char *ns, const char *name)
{
	auto_json *before = (json_t *)(uintptr_t)kube_cache_take(cache, ns, name);

	return before != NULL;
}

static struct kube_cache *new_cache(bool indexed)
{
	struct kube_cache_form form = json_cache_form(&decoded);

	decoded = 0;
	form.index = indexed ? json_cache_target : NULL;
	return kube_cache_new(&form);
}

static void test_put_get_take(void **state)
{
	struct kube_cache *cache = new_cache(false);

	(void)state;
	assert_put(cache, "a", "n", "1", "+");
	assert_put(cache, "a", "n", "1", "");
	assert_int_equal(decoded, 1);
	assert_put(cache, "a", "n", "2", "~1");
	assert_int_equal(kube_cache_count(cache), 1);
	assert_string_equal(kube_object_resource_version(kube_cache_get(cache, "a", "n")), "2");
	assert_ptr_equal(kube_cache_get_key(cache, "a/n"), kube_cache_get(cache, "a", "n"));
	assert_null(kube_cache_get(cache, "b", "n"));
	assert_null(kube_cache_get(cache, "a", "m"));
	assert_null(kube_cache_get(cache, NULL, "n"));
	assert_null(kube_cache_get_key(cache, "n"));
	assert_true(take(cache, "a", "n"));
	assert_false(take(cache, "a", "n"));
	assert_null(kube_cache_get(cache, "a", "n"));
	assert_int_equal(kube_cache_count(cache), 0);
	kube_cache_free(cache);
}

static const char *name_after(const struct kube_cache *cache, const char *key)
{
	const void *found = kube_cache_after(cache, key);

	return found != NULL ? kube_object_name(found) : "";
}

/* Also after one that is gone, and after all of a namespace: '0' is the character after '/'. */
static void test_one_after_the_other(void **state)
{
	struct kube_cache *cache = new_cache(false);

	(void)state;
	assert_null(kube_cache_after(cache, NULL));
	add(cache, "a", "1", "1", NULL);
	add(cache, "a", "3", "1", NULL);
	add(cache, "a-b", "2", "1", NULL);
	add(cache, "a0", "4", "1", NULL);
	assert_string_equal(name_after(cache, NULL), "2");
	assert_string_equal(name_after(cache, "a-b/2"), "1");
	assert_string_equal(name_after(cache, "a/1"), "3");
	assert_string_equal(name_after(cache, "a/2"), "3");
	assert_string_equal(name_after(cache, "a0/"), "4");
	assert_string_equal(name_after(cache, "a-b0/"), "1");
	assert_string_equal(name_after(cache, "a0/4"), "");
	kube_cache_free(cache);
}

/* Without a version nothing can be told to be the same. */
static void test_without_a_version_it_differs(void **state)
{
	struct kube_cache *cache = new_cache(false);

	(void)state;
	assert_put(cache, "a", "n", NULL, "+");
	assert_put(cache, "a", "n", NULL, "~");
	kube_cache_free(cache);
}

static void test_what_is_known_is_not_decoded_again(void **state)
{
	struct kube_cache *known = new_cache(false);
	struct kube_cache *arrived = new_cache(false);
	auto_json *same = object("a", "same", "1", NULL);
	auto_json *other = object("a", "other", "2", NULL);
	const void *before;

	(void)state;
	assert_put(known, "a", "same", "1", "+");
	assert_put(known, "a", "other", "1", "+");
	decoded = 0;
	assert_true(kube_cache_put(arrived, same, known, &before));
	assert_int_equal(decoded, 0);
	assert_ptr_equal(kube_cache_get(arrived, "a", "same"), kube_cache_get(known, "a", "same"));
	assert_true(kube_cache_put(arrived, other, known, &before));
	assert_int_equal(decoded, 1);
	assert_string_equal(kube_object_resource_version(kube_cache_get(arrived, "a", "other")), "2");
	kube_cache_free(known);
	assert_string_equal(kube_object_name(kube_cache_get(arrived, "a", "same")), "same");
	kube_cache_free(arrived);
}

static const char *version_of(const void *object)
{
	return object != NULL ? kube_object_resource_version(object) : "none";
}

static void test_differences(void **state)
{
	static const struct {
		const char *name;
		const char *before; /* NULL = absent */
		const char *now;
	} rows[] = {
		{"changed", "1", "2"},
		{"gone", "1", NULL},
		{"new", NULL, "3"},
		{"same", "1", "1"},
		{"zoo", "4", NULL},
	};
	struct kube_cache *before = new_cache(true);
	struct kube_cache *now = new_cache(true);
	auto_free struct kube_difference *all = NULL;
	auto_free struct kube_difference *none = NULL;
	auto_strbuf text = STRBUF_INIT;
	const void *nothing;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *fresh = object("a", rows[i].name, rows[i].now, rows[i].now);

		if (rows[i].before != NULL) {
			add(before, "a", rows[i].name, rows[i].before, rows[i].before);
		}
		if (rows[i].now != NULL) {
			assert_true(kube_cache_put(now, fresh, before, &nothing));
		}
	}
	all = kube_cache_differences(before, now, &count);
	for (size_t i = 0; i < count; i++) {
		strbuf_addf(&text, "%s-%s ", version_of(all[i].before), version_of(all[i].now));
	}
	assert_string_equal(text.buf, "1-2 1-none none-3 4-none ");
	kube_cache_swap(before, now);
	assert_string_equal(version_of(kube_cache_get(before, "a", "changed")), "2");
	assert_string_equal(version_of(kube_cache_get(now, "a", "changed")), "1");
	none = kube_cache_differences(now, now, &count);
	assert_int_equal(count, 0);
	kube_cache_free(now);
	assert_string_equal(version_of(kube_cache_get(before, "a", "same")), "1");
	kube_cache_free(before);
}

/* The keys of some, in order. Takes the array. */
static void assert_keys(const void **found_take, size_t count, const char *expected)
{
	auto_strbuf keys = STRBUF_INIT;

	for (size_t i = 0; i < count; i++) {
		auto_free char *key = kube_object_key(found_take[i]);

		strbuf_addf(&keys, "%s%s", i > 0 ? " " : "", key);
	}
	free((void *)found_take);
	strbuf_addstr(&keys, "");
	assert_string_equal(keys.buf, expected);
}

static void assert_listed(const struct kube_cache *cache, const char *ns, const char *expected)
{
	size_t count;
	const void **found = kube_cache_list(cache, ns, &count);

	assert_keys(found, count, expected);
}

static void assert_found(const struct kube_cache *cache, const char *value, const char *expected)
{
	size_t count;
	const void **found = kube_cache_list_by(cache, value, &count);

	assert_keys(found, count, expected);
}

static void test_lists_are_ordered_as_keys_are(void **state)
{
	static const char *const namespaces[] = {"b", "a", "ab", "a-b", "a.b", "a"};
	struct kube_cache *cache = new_cache(false);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		auto_free char *name = xasprintf("%zu", 9 - i);

		add(cache, namespaces[i], name, "1", NULL);
	}
	/* As strcmp() has it: '-' and '.' stand before '/'. */
	assert_listed(cache, NULL, "a-b/6 a.b/5 a/4 a/8 ab/7 b/9");
	assert_listed(cache, "a", "a/4 a/8");
	assert_listed(cache, "b", "b/9");
	assert_listed(cache, "c", "");
	assert_listed(cache, "", "");
	kube_cache_free(cache);
}

static void test_what_is_in_no_namespace(void **state)
{
	struct kube_cache *cache = new_cache(false);

	(void)state;
	add(cache, NULL, "two", "1", NULL);
	add(cache, NULL, "one", "1", NULL);
	assert_listed(cache, NULL, "one two");
	assert_ptr_equal(kube_cache_get_key(cache, "one"), kube_cache_get(cache, NULL, "one"));
	assert_non_null(kube_cache_get(cache, "", "one"));
	kube_cache_free(cache);
}

static void test_list_by_finds_what_the_index_says_now(void **state)
{
	struct kube_cache *cache = new_cache(true);

	(void)state;
	add(cache, "b", "1", "1", "x");
	add(cache, "a", "2", "1", "x");
	add(cache, "a", "1", "1", "x");
	add(cache, "a", "3", "1", "y");
	add(cache, "a", "4", "1", NULL);
	assert_found(cache, "a/x", "a/1 a/2");
	assert_found(cache, "b/x", "b/1");
	assert_found(cache, "a/z", "");
	assert_found(cache, "x", "");
	add(cache, "a", "2", "2", "y");  /* moves */
	add(cache, "a", "3", "2", NULL); /* leaves the index */
	assert_found(cache, "a/x", "a/1");
	assert_found(cache, "a/y", "a/2");
	assert_true(take(cache, "a", "1"));
	assert_true(take(cache, "a", "2"));
	assert_found(cache, "a/x", "");
	assert_found(cache, "a/y", "");
	assert_found(cache, "b/x", "b/1");
	assert_int_equal(kube_cache_count(cache), 3);
	kube_cache_free(cache);
}

static void test_an_object_without_a_name_is_not_kept(void **state)
{
	struct kube_cache *cache = new_cache(false);
	auto_json *empty = json_object();
	const void *before;

	(void)state;
	assert_false(kube_cache_put(cache, empty, NULL, &before));
	assert_put(cache, "a", NULL, "1", "");
	assert_int_equal(kube_cache_count(cache), 0);
	kube_cache_free(cache);
	kube_cache_free(NULL);
}

#define MANY 10000
#define LOOKUPS 500

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each comes, is found by its index and goes, in an order that is none; of `spread` namespaces. */
static double cost_of(int spread, bool one_target)
{
	struct kube_cache *cache = new_cache(true);
	double start = cpu_s();

	for (int i = 0; i < MANY; i++) {
		int number = i * 7919 % MANY;
		auto_free char *ns = xasprintf("tenant-%d", number % spread);
		auto_free char *name = xasprintf("gemma-%d", number);

		add(cache, ns, name, "1", one_target ? "target" : name);
	}
	for (int i = 0; i < LOOKUPS && i < spread; i++) {
		auto_free char *key = one_target ? xasprintf("tenant-%d/target", i % spread)
		                                 : xasprintf("tenant-%d/gemma-%d", i % spread, i);
		size_t count;
		auto_free const void **found = kube_cache_list_by(cache, key, &count);

		assert_int_equal(count, one_target ? MANY / spread : 1);
	}
	for (int i = 0; i < MANY; i++) {
		int number = i * 7 % MANY;
		auto_free char *ns = xasprintf("tenant-%d", number % spread);
		auto_free char *name = xasprintf("gemma-%d", number);

		assert_true(take(cache, ns, name));
	}
	assert_int_equal(kube_cache_count(cache), 0);
	kube_cache_free(cache);
	return cpu_s() - start;
}

/* Tenants like to call a thing by the same name, and whoever likes to gives all the same target: neither costs much more
 * than what differs. */
static void test_many_come_and_go(void **state)
{
	double usual = cost_of(100, false);
	double many_namespaces = cost_of(MANY, true);
	double one_index = cost_of(1, true);

	(void)state;
	print_message("%d objects: %.3f s; in as many namespaces %.3f s; all of one index %.3f s\n", MANY, usual,
		many_namespaces, one_index);
	/* Each of them quadratic in a walk would be hundreds of times as much. */
	assert_true(many_namespaces < 3 * usual + 0.1);
	assert_true(one_index < 3 * usual + 0.1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get_take),
		cmocka_unit_test(test_one_after_the_other),
		cmocka_unit_test(test_without_a_version_it_differs),
		cmocka_unit_test(test_what_is_known_is_not_decoded_again),
		cmocka_unit_test(test_differences),
		cmocka_unit_test(test_lists_are_ordered_as_keys_are),
		cmocka_unit_test(test_what_is_in_no_namespace),
		cmocka_unit_test(test_list_by_finds_what_the_index_says_now),
		cmocka_unit_test(test_an_object_without_a_name_is_not_kept),
		cmocka_unit_test(test_many_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
