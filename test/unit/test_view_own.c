/* What is kept of objects of ours is compared as the whole is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <glob.h>

#include "base/memory.h"
#include "children/children.h"
#include "children/gpu.h"
#include "view/hpa.h"
#include "view/own.h"
#include "view/service.h"
#include "view/workload.h"
#include "view_rig.h"

static const struct child_form *const forms[] = {&child_service.form, &child_servicemonitor.form, &child_hpa.form,
	&gpu_service_form, &gpu_monitor_form, &gpu_rule_form};

/* All objects of the kind in all worlds. New reference. */
static json_t *objects_of(enum kind kind)
{
	json_t *all = json_array();
	glob_t found;

	assert_int_equal(glob(TEST_DIR "/golden/*/world.yaml", 0, NULL, &found), 0);
	for (size_t f = 0; f < found.gl_pathc; f++) {
		auto_json *world = yaml_file(found.gl_pathv[f] + strlen(TEST_DIR "/"));
		size_t i;
		json_t *object;

		json_array_foreach(json_object_get(world, "objects"), i, object) {
			if (strcmp(json_path_string(object, "kind", ""), kinds[kind].resource.kind) == 0 &&
				!json_holds(all, object)) {
				json_array_append(all, object);
			}
		}
	}
	globfree(&found);
	return all;
}

/* As make() of a child builds it and child_stamp() marks it, of an object that stands. New reference. */
static json_t *wanted_of(const json_t *object)
{
	return json_pack("{s:O*, s:O*, s:{s:O*, s:O*, s:O*, s:O*, s:O*}, s:O*}", "apiVersion",
		json_object_get(object, "apiVersion"), "kind", json_object_get(object, "kind"), "metadata", "name",
		json_path(object, "metadata.name"), "namespace", json_path(object, "metadata.namespace"), "labels",
		json_path(object, "metadata.labels"), "annotations", json_path(object, "metadata.annotations"),
		"ownerReferences", json_path(object, "metadata.ownerReferences"), "spec",
		json_object_get(object, "spec"));
}

static bool has_owner(const json_t *observed, const json_t *owner)
{
	size_t i;
	json_t *other;

	json_array_foreach(json_path(observed, "metadata.ownerReferences"), i, other) {
		if (json_covers(other, owner)) {
			return true;
		}
	}
	return false;
}

/* What child_matches() is to say, by the whole object. */
static bool whole_matches(const struct child_form *form, const json_t *observed, const json_t *wanted)
{
	const json_t *owner = json_array_get(json_path(wanted, "metadata.ownerReferences"), 0);
	auto_json *rest = json_deep_copy(wanted);

	json_object_del(json_object_get(rest, "metadata"), "ownerReferences");
	return json_covers(observed, rest) && (owner == NULL || has_owner(observed, owner)) &&
	       (form->exact == NULL || json_equal(json_path(observed, form->exact), json_path(wanted, form->exact)));
}

/* How many of all match. */
static size_t compare(const struct child_form *form, const json_t *observed, const struct view *view, const json_t *all)
{
	size_t matched = 0;
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)all, i, object) {
		auto_json *wanted = wanted_of(object);
		auto_json *patch = child_patch(form, view, wanted);
		bool matches = child_matches(form, view, wanted);

		assert_int_equal(matches, whole_matches(form, observed, wanted));
		assert_string_equal(kube_object_resource_version(patch), kube_object_resource_version(observed));
		/* The patch makes it what is wanted. */
		json_object_del(json_object_get(patch, "metadata"), "resourceVersion");
		if (form->exact != NULL && json_path(patch, form->exact) != NULL) {
			auto_json *mended = json_deep_copy(json_path(observed, form->exact));
			const char *key;
			json_t *value;

			mended = mended != NULL ? mended : json_object();
			json_object_foreach(json_path(patch, form->exact), key, value) {
				if (json_is_null(value)) {
					json_object_del(mended, key);
				} else {
					json_object_set(mended, key, value);
				}
			}
			assert_true(json_equal(mended, json_path(wanted, form->exact)));
		}
		matched += matches;
	}
	return matched;
}

static void test_the_view_stands_for_the_object(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
		auto_json *all = objects_of(forms[f]->kind);
		size_t ours = 0;
		size_t matched = 0;
		size_t differ = 0;
		size_t i;
		json_t *object;

		json_array_foreach(all, i, object) {
			auto_view *view = view_decode(forms[f]->kind, object);

			if (view_own_spec(view) != NULL) {
				size_t count = compare(forms[f], object, view, all);

				ours++;
				matched += count;
				differ += json_array_size(all) - count;
			}
		}
		/* Of each kind there are some of ours; of objects, those that match and those that do not. */
		assert_true(ours >= 1);
		assert_true(matched >= 1);
		assert_true(differ >= 1);
	}
}

/* One that nothing marks as ours, though it is what is wanted. */
static void test_what_nothing_marks_is_a_mismatch(void **state)
{
	auto_json *object = view_rig_object("Service", "gemma-metrics");
	auto_view *ours = view_decode(KIND_SERVICE, object);
	auto_json *wanted = wanted_of(object);
	auto_view *other = NULL;
	auto_json *patch = NULL;

	(void)state;
	json_object_del(json_object_get(object, "metadata"), "labels");
	json_object_set_new(json_array_get(json_path(object, "metadata.ownerReferences"), 0), "kind",
		json_string("Other"));
	json_object_del(json_object_get(wanted, "metadata"), "labels");
	json_object_del(json_object_get(wanted, "metadata"), "ownerReferences");
	other = view_decode(KIND_SERVICE, object);
	assert_true(child_matches(&child_service.form, ours, wanted));
	assert_false(child_matches(&child_service.form, other, wanted));
	patch = child_patch(&child_service.form, other, wanted);
	assert_true(json_covers(patch, wanted));
}

static void test_whose_is_kept(void **state)
{
	static const struct {
		const char *metadata;
		bool kept;
	} rows[] = {
		{"{name: n}", false},
		{"{name: n, labels: {app.kubernetes.io/managed-by: Helm}}", false},
		{"{name: n, labels: {app.kubernetes.io/managed-by: 7}}", false},
		{"{name: n, labels: {app.kubernetes.io/managed-by: inference-autoscaler}}", true},
		{"{name: n, labels: {inference-autoscaler.io/shared: gpu}}", true},
		{"{name: n, ownerReferences: [{kind: Deployment, name: d}]}", false},
		{"{name: n, ownerReferences: [{kind: Deployment}, {kind: InferenceAutoscaler, name: a}]}", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{metadata: %s}", rows[i].metadata);
		auto_view *view = view_rig_yaml(&view_service_type, text);

		assert_int_equal(view_service(view)->own_spec != NULL, rows[i].kept);
	}
}

static void test_the_object_again(void **state)
{
	auto_json *object = view_rig_object("HorizontalPodAutoscaler", "gemma");
	auto_view *view = NULL;
	auto_json *again = NULL;

	(void)state;
	json_object_set_new(json_path(object, "metadata.annotations"), "someone/else", json_string("x"));
	json_object_set_new(json_object_get(object, "metadata"), "managedFields", json_array());
	view = view_decode(KIND_HPA, object);
	again = own_object(KIND_HPA, view);
	/* What nobody compares is left out. */
	json_object_del(json_path(object, "metadata.annotations"), "someone/else");
	json_object_del(json_object_get(object, "metadata"), "managedFields");
	json_object_del(json_object_get(object, "metadata"), "creationTimestamp");
	json_object_del(json_object_get(object, "metadata"), "uid");
	json_object_del(object, "status");
	assert_true(json_equal(again, object));
}

static void test_no_spec(void **state)
{
	auto_view *view = view_rig_yaml(&view_service_type,
		"{metadata: {name: n, labels: {inference-autoscaler.io/shared: gpu, a: 1}}}");
	auto_json *again = own_object(KIND_SERVICE, view);

	(void)state;
	assert_true(json_is_null(json_object_get(again, "spec")));
	assert_int_equal(json_object_size(json_path(again, "metadata.labels")), 1);
}

static void test_what_our_create_left_is_to_be_claimed(void **state)
{
	static const struct {
		const char *fields;
		uint16_t entry;
	} rows[] = {
		{"[]", 0},
		{"7", 0},
		{"[{manager: inference-autoscaler, operation: Update}]", 1},
		{"[7, {operation: Update}, {manager: 7}, {manager: inference-autoscaler, operation: Update}]", 4},
		{"[{manager: inference-autoscaler, operation: Apply}]", 0},
		{"[{manager: kubectl, operation: Update}, {manager: someone, operation: Apply}]", 0},
		{"[{manager: inference-autoscaler, operation: Update, subresource: status}]", 0},
		{"[{manager: someone, operation: Apply}, {manager: inference-autoscaler, operation: Update},"
		 " {manager: inference-autoscaler, operation: Update, subresource: status}]",
			2},
		/* Claimed, or applied all the same. */
		{"[{manager: inference-autoscaler, operation: Update},"
		 " {manager: inference-autoscaler, operation: Apply}]",
			0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *text = xasprintf("{metadata: {name: n, managedFields: %s}}", rows[i].fields);
		auto_view *hpa = view_rig_yaml(&view_hpa_type, text);
		auto_view *deployment = view_rig_yaml(&view_workload_type, text);

		assert_int_equal(hpa->meta.created_entry, rows[i].entry);
		assert_int_equal(deployment->meta.created_entry, 0); /* none is ours */
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_our_create_left_is_to_be_claimed),
		cmocka_unit_test(test_the_view_stands_for_the_object),
		cmocka_unit_test(test_what_nothing_marks_is_a_mismatch),
		cmocka_unit_test(test_whose_is_kept),
		cmocka_unit_test(test_the_object_again),
		cmocka_unit_test(test_no_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
