/* The world of a document, asked for views. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/yaml.h"
#include "reconcile/world.h"
#include "view/workload.h"

static const struct settings settings = SETTINGS_DEFAULT;

static json_t *document(void)
{
	static const char text[] =
		"objects:\n"
		"- {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: b}, spec: {replicas: 3}}\n"
		"- {apiVersion: apps/v1, kind: Deployment, metadata: {name: z, namespace: a}}\n"
		"- {apiVersion: apps/v1, kind: Deployment, metadata: {name: c, namespace: b}}\n"
		"- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n"
		"- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: b}}\n"
		"- {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler,\n"
		"   metadata: {name: h, namespace: b}, spec: {scaleTargetRef: {name: d}}}\n"
		"- {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler,\n"
		"   metadata: {name: h, namespace: a}, spec: {scaleTargetRef: {name: d}}}\n";

	return yaml_parse(text, sizeof(text) - 1, NULL);
}

static void test_one_object(void **state)
{
	auto_json *json = document();
	struct world world;

	(void)state;
	world_from_document(&world, json, &settings);
	assert_int_equal(view_workload(world_view(&world, KIND_DEPLOYMENT, "b", "d"))->replicas, 3);
	assert_null(world_view(&world, KIND_DEPLOYMENT, "a", "d"));
	assert_null(world_view(&world, KIND_STATEFULSET, "b", "d"));
	assert_string_equal(world_view(&world, KIND_NAMESPACE, NULL, "b")->meta.name, "b");
	world_release_document(&world);
}

static void assert_names(struct view_list list, const char *const *names)
{
	for (size_t i = 0; i < list.count; i++) {
		assert_non_null(names[i]);
		assert_string_equal(list.items[i]->meta.name, names[i]);
	}
	assert_null(names[list.count]);
	view_list_release(&list);
}

static void test_lists(void **state)
{
	auto_json *json = document();
	struct world world;

	(void)state;
	world_from_document(&world, json, &settings);
	assert_names(world_views(&world, KIND_DEPLOYMENT, NULL), (const char *const[]){"z", "c", "d", NULL});
	assert_names(world_views(&world, KIND_DEPLOYMENT, "b"), (const char *const[]){"c", "d", NULL});
	assert_names(world_views(&world, KIND_SERVICE, NULL), (const char *const[]){NULL});
	assert_names(world_views_by(&world, KIND_HPA, "b/d"), (const char *const[]){"h", NULL});
	assert_names(world_views_by(&world, KIND_HPA, "c/d"), (const char *const[]){NULL});
	world_release_document(&world);
}

static void test_no_objects(void **state)
{
	auto_json *json = json_object();
	struct world world;

	(void)state;
	world_from_document(&world, json, &settings);
	assert_null(world_view(&world, KIND_DEPLOYMENT, "b", "d"));
	assert_names(world_views(&world, KIND_DEPLOYMENT, NULL), (const char *const[]){NULL});
	world_release_document(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_object),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_no_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
