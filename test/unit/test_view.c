/* Views of whatever objects there may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <glob.h>

#include "base/json_cut.h"
#include "base/memory.h"
#include "kube/resource.h"
#include "view/usual.h"
#include "view/pod.h"
#include "view/view.h"
#include "view/workload.h"
#include "view_rig.h"

/* A word of a view that is the address of something freed is a pointer that was left behind. Only what can be an address
 * of the heap is asked about: others have no shadow. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>

#define HEAP_BITS 42

static bool is_freed(const struct view *view, uintptr_t word)
{
	return word >> HEAP_BITS == (uintptr_t)view >> HEAP_BITS && __asan_address_is_poisoned((void *)word);
}
#else
static bool is_freed(const struct view *view, uintptr_t word)
{
	(void)view;
	(void)word;
	return false;
}
#endif

static void check_block(const struct view *view)
{
	const uintptr_t *words = (const uintptr_t *)(const void *)view;

	for (size_t i = 0; i < view->bytes / sizeof(*words); i++) {
		assert_false(is_freed(view, words[i]));
	}
}

static size_t decoded;

static void decode_all(const json_t *object)
{
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		auto_json *copy = json_deep_copy(object);
		auto_view *view = view_decode((enum kind)kind, copy);

		json_decref(copy);
		copy = NULL;
		check_block(view);
		decoded++;
	}
}

static void decode_own(const json_t *object)
{
	enum kind kind = kind_by_name(json_path_string(object, "apiVersion", ""), json_path_string(object, "kind", ""));
	auto_json *copy = json_deep_copy(object);
	auto_view *view = kind != KIND_COUNT ? view_decode(kind, copy) : view_decode_as(&view_pod_type, copy);

	json_decref(copy);
	copy = NULL;
	check_block(view);
	decoded++;
}

static void test_every_world_is_decoded(void **state)
{
	glob_t found;

	(void)state;
	decoded = 0;
	assert_int_equal(glob(TEST_DIR "/golden/*/world.yaml", 0, NULL, &found), 0);
	for (size_t f = 0; f < found.gl_pathc; f++) {
		auto_json *world = yaml_file(found.gl_pathv[f] + strlen(TEST_DIR "/"));
		size_t i;
		json_t *object;

		json_array_foreach(json_object_get(world, "objects"), i, object) {
			decode_all(object);
		}
	}
	globfree(&found);
	assert_true(decoded > 1000);
}

static json_t *variant(size_t number)
{
	static const char *const texts[] = {"null", "true", "-1", "1.5", "9223372036854775807", "\"\"", "\"text\"",
		"[]", "[null, 1, \"a\", [], {}]", "{}", "{\"a\": 1, \"b\": {}, \"c\": null}", "\"a\\u0000b\""};

	return number < ARRAY_LEN(texts) ? json_parse(texts[number], strlen(texts[number]), NULL) : NULL;
}

/* Decodes the object with each variant in place of this value. */
static void break_value(const json_t *object, const json_t *value,
	json_t *(*set)(json_t *at, const void *key, json_t *fresh), json_t *parent, const void *key)
{
	auto_json *kept = json_incref((json_t *)value);
	json_t *fresh;

	for (size_t i = 0; (fresh = variant(i)) != NULL; i++) {
		set(parent, key, fresh);
		decode_own(object);
	}
	set(parent, key, json_incref(kept));
}

static json_t *set_member(json_t *parent, const void *key, json_t *fresh_take)
{
	json_object_set_new(parent, key, fresh_take);
	return fresh_take;
}

static json_t *set_item(json_t *parent, const void *key, json_t *fresh_take)
{
	json_array_set_new(parent, *(const size_t *)key, fresh_take);
	return fresh_take;
}

/* Every value below, one at a time. */
static void break_below(const json_t *object, json_t *parent)
{
	auto_json *keys = json_is_object(parent) ? json_sorted_keys(parent) : NULL;
	size_t i;
	json_t *key;

	json_array_foreach(keys, i, key) {
		json_t *value = json_object_get(parent, json_string_value(key));

		break_below(object, value);
		break_value(object, value, set_member, parent, json_string_value(key));
	}
	for (i = 0; json_is_array(parent) && i < json_array_size(parent); i++) {
		break_below(object, json_array_get(parent, i));
		break_value(object, json_array_get(parent, i), set_item, parent, &i);
	}
}

static void test_malformed_objects_are_decoded(void **state)
{
	static const char *const files[] = {"unit/objects/deployment.yaml", "unit/objects/pod.yaml"};
	auto_json *world = yaml_file("golden/healthy/world.yaml");
	json_t *objects = json_object_get(world, "objects");
	size_t i;
	json_t *object;

	(void)state;
	for (i = 0; i < ARRAY_LEN(files); i++) {
		json_array_append_new(objects, yaml_file(files[i]));
	}
	decoded = 0;
	json_array_foreach(objects, i, object) {
		break_below(object, object);
	}
	assert_true(decoded > 5000);
}

static void test_what_is_no_object_has_no_name(void **state)
{
	(void)state;
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		auto_json *list = json_array();
		auto_view *none = view_decode((enum kind)kind, NULL);
		auto_view *wrong = view_decode((enum kind)kind, list);

		assert_string_equal(none->meta.name, "");
		assert_string_equal(wrong->meta.name, "");
		check_block(none);
	}
}

static void test_references_are_counted(void **state)
{
	auto_json *object = view_rig_object("Namespace", "monitoring");
	const struct view *view = view_decode(KIND_NAMESPACE, object);
	const struct view *other = view_ref(view);

	(void)state;
	assert_ptr_equal(other, view);
	assert_int_equal(view->references, 2);
	view_unref(view);
	assert_int_equal(other->references, 1);
	assert_string_equal(other->meta.name, "monitoring");
	view_unref(other);
	view_unref(NULL);
	assert_null(view_ref(NULL));
}

/* An object that is a thousand times as large as others is decoded in time, and is kept whole where that matters. */
static void test_large_objects(void **state)
{
	enum { MANY = 20000 };
	auto_json *object = json_pack("{s:{s:s}, s:{}}", "metadata", "name", "n", "data");
	json_t *data = json_object_get(object, "data");
	json_t *labels = json_child(json_object_get(object, "metadata"), "labels");

	(void)state;
	for (int i = 0; i < MANY; i++) {
		auto_free char *key = xasprintf("key-%d", i);

		json_object_set_new(data, key, json_string(key));
		json_object_set_new(labels, key, json_string(key));
	}
	auto_view *view = view_decode(KIND_NAMESPACE, object);

	assert_int_equal(view->meta.labels.count, MANY);
	assert_string_equal(meta_label(&view->meta, "key-19999"), "key-19999");
	decode_all(object);
}

/* What one autoscaler costs in all caches together: 10,000 of them have 64 MiB of the operator's 96. */
static void test_size_of_one_autoscaler_with_all_its_objects(void **state)
{
	static const struct {
		const char *kind;
		const char *name;
	} rows[] = {{"InferenceAutoscaler", "gemma"}, {"HorizontalPodAutoscaler", "gemma"}, {"ServiceMonitor", "gemma"},
		{"Service", "gemma-metrics"}};
	auto_view *deployment = view_rig_decode(view_types[KIND_DEPLOYMENT], yaml_file("unit/objects/deployment.yaml"));
	auto_view *pod = view_rig_decode(&view_pod_type, yaml_file("unit/objects/pod.yaml"));
	size_t bytes = deployment->bytes + pod->bytes;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_json *object = view_rig_object(rows[i].kind, rows[i].name);
		auto_view *view =
			view_decode(kind_by_name(json_path_string(object, "apiVersion", ""), rows[i].kind), object);

		bytes += view->bytes;
	}
	print_message("all objects of one autoscaler: %zu bytes\n", bytes);
	assert_true(bytes <= 64 * 1024 * 1024 / 10000);
}

static void test_usual_texts_are_in_order(void **state)
{
	(void)state;
	for (size_t i = 1; i < usual_texts_count; i++) {
		assert_true(strcmp(usual_texts[i - 1], usual_texts[i]) < 0);
		assert_ptr_equal(usual_text(usual_texts[i]), usual_texts[i]);
	}
	assert_null(usual_text("unusual"));
}

/* With the managedFields of a Deployment, each object as each kind. */
static void test_what_is_cut_out_nobody_reads(void **state)
{
	auto_json *deployment = yaml_file("unit/objects/deployment.yaml");
	const json_t *fields = json_path(deployment, "metadata.managedFields");
	auto_json *world = yaml_file("golden/healthy/world.yaml");
	size_t i;
	json_t *object;

	(void)state;
	assert_non_null(json_object_get(json_array_get(fields, 0), "fieldsV1"));
	json_array_append(json_object_get(world, "objects"), deployment);
	json_array_foreach(json_object_get(world, "objects"), i, object) {
		auto_free char *text = NULL;

		json_object_set(json_object_get(object, "metadata"), "managedFields", (json_t *)(uintptr_t)fields);
		text = json_text(object);
		for (int kind = 0; kind < KIND_COUNT; kind++) {
			auto_json *rest = json_parse_read(text, strlen(text), view_unread(view_types[kind]), NULL);
			auto_view *whole = view_decode((enum kind)kind, object);
			auto_view *cut = view_decode((enum kind)kind, rest);

			assert_int_equal(cut->bytes, whole->bytes);
			if (kind == KIND_DEPLOYMENT && object == deployment) {
				assert_non_null(view_workload(whole)->replicas_manager);
				assert_string_equal(view_workload(cut)->replicas_manager,
					view_workload(whole)->replicas_manager);
			}
		}
	}
	for (int kind = 0; kind < KIND_COUNT; kind++) {
		assert_non_null(view_unread(view_types[kind]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_cut_out_nobody_reads),
		cmocka_unit_test(test_every_world_is_decoded),
		cmocka_unit_test(test_malformed_objects_are_decoded),
		cmocka_unit_test(test_what_is_no_object_has_no_name),
		cmocka_unit_test(test_references_are_counted),
		cmocka_unit_test(test_large_objects),
		cmocka_unit_test(test_size_of_one_autoscaler_with_all_its_objects),
		cmocka_unit_test(test_usual_texts_are_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
