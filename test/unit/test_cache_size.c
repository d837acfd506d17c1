/* What the caches take of memory: 10,000 autoscalers have to fit, with all that is watched of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <malloc.h>

#include "base/json.h"
#include "base/keep.h"
#include "base/memory.h"
#include "runtime/cached_views.h"
#include "view_rig.h"

#define MANY 10000
/* Of one autoscaler, with the arrays of the caches. */
#define BYTES_MAX 4800

static const struct {
	enum kind kind;
	const char *name; /* in the golden world `healthy`; NULL = a file of its own */
} rows[] = {
	{KIND_AUTOSCALER, "gemma"},
	{KIND_HPA, "gemma"},
	{KIND_SERVICE, "gemma-metrics"},
	{KIND_SERVICEMONITOR, "gemma"},
	{KIND_DEPLOYMENT, NULL},
};

static json_t *object_of(size_t row)
{
	return rows[row].name != NULL ? view_rig_object(kinds[rows[row].kind].resource.kind, rows[row].name)
	                              : yaml_file("unit/objects/deployment.yaml");
}

/* One of many: of another namespace, name and version, as what an API server sends. */
static void rename_object(json_t *object, int number)
{
	json_t *metadata = json_object_get(object, "metadata");
	json_t *target = json_path(object, "spec.scaleTargetRef");
	auto_free char *ns = xasprintf("tenant-%d", number % 100);
	auto_free char *name = xasprintf("model-%d", number);
	auto_free char *version = xasprintf("%d", 40000000 + number);
	auto_free char *uid = xasprintf("%08d-2c11-4be0-8f3e-0d6a4f1f9f77", number);

	json_object_set_new(metadata, "namespace", json_string(ns));
	json_object_set_new(metadata, "name", json_string(name));
	json_object_set_new(metadata, "resourceVersion", json_string(version));
	json_object_set_new(metadata, "uid", json_string(uid));
	if (target != NULL) {
		json_object_set_new(target, "name", json_string(name));
	}
}

static size_t heap_bytes(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd - keep_reserved_bytes() + keep_bytes();
}

static struct kube_cache *filled(size_t row)
{
	struct kube_cache_form form = cached_form(rows[row].kind);
	struct kube_cache *cache = kube_cache_new(&form);
	auto_json *object = object_of(row);

	for (int i = 0; i < MANY; i++) {
		const void *before;

		rename_object(object, i);
		assert_true(kube_cache_put(cache, object, NULL, &before));
		assert_null(before);
	}
	return cache;
}

static void test_the_caches_fit(void **state)
{
	struct kube_cache *caches[ARRAY_LEN(rows)];
	size_t sum = 0;

	(void)state;
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		size_t before = heap_bytes();
		const struct view *one;
		size_t bytes;

		caches[row] = filled(row);
		bytes = (heap_bytes() - before) / MANY;
		one = kube_cache_get(caches[row], "tenant-7", "model-7");
		print_message("%s: %zu bytes, %u of them the view\n", kinds[rows[row].kind].resource.kind, bytes,
			one->bytes);
		sum += bytes;
	}
	print_message("of one autoscaler: %zu bytes\n", sum);
#if !defined(__SANITIZE_ADDRESS__)
	/* Sanitizers have a heap of their own, which does not tell. */
	assert_in_range(sum, 1000, BYTES_MAX);
#endif
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		kube_cache_free(caches[row]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_caches_fit),
	};

	/* What is mapped by itself begins with room that no page stands behind, and that is counted. */
	mallopt(M_MMAP_MAX, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
