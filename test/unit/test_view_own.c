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
#include "view/monitoring.h"
#include "view/own.h"
#include "view/service.h"
#include "view_rig.h"

static const struct {
	const struct child_form *form;
	const struct view_type *type;
} forms[] = {
	{&child_service.form, &view_service_type},
	{&child_servicemonitor.form, &view_servicemonitor_type},
	{&child_hpa.form, &view_hpa_type},
	{&gpu_service_form, &view_service_type},
	{&gpu_monitor_form, &view_servicemonitor_type},
	{&gpu_rule_form, &view_prometheusrule_type},
};

static const char *text_of(size_t form, const struct view *view)
{
	switch (forms[form].form->kind) {
	case KIND_SERVICE:
		return view_service(view)->own_spec;
	case KIND_SERVICEMONITOR:
		return view_servicemonitor(view)->own_spec;
	case KIND_HPA:
		return view_hpa(view)->own_spec;
	default:
		return view_prometheusrule(view)->own_spec;
	}
}

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

/* Whether the form can find it to be what is wanted. */
static bool is_whole(size_t f, const json_t *object)
{
	return forms[f].form->exact == NULL || json_path(object, forms[f].form->exact) != NULL;
}

/* How many of all match. */
static size_t compare(size_t f, const json_t *observed, const json_t *kept, const json_t *all)
{
	size_t matched = 0;
	size_t i;
	json_t *object;

	json_array_foreach((json_t *)all, i, object) {
		auto_json *wanted = wanted_of(object);
		auto_json *patch = child_patch(forms[f].form, observed, wanted);
		auto_json *kept_patch = child_patch(forms[f].form, kept, wanted);
		bool matches = child_matches(forms[f].form, observed, wanted);

		assert_int_equal(child_matches(forms[f].form, kept, wanted), matches);
		assert_true(json_equal(kept_patch, patch));
		assert_true(matches || object != observed || !is_whole(f, object));
		matched += matches;
	}
	return matched;
}

static void test_the_text_stands_for_the_object(void **state)
{
	(void)state;
	for (size_t f = 0; f < ARRAY_LEN(forms); f++) {
		auto_json *all = objects_of(forms[f].form->kind);
		size_t ours = 0;
		size_t differ = 0;
		size_t i;
		json_t *object;

		json_array_foreach(all, i, object) {
			auto_view *view = view_decode_as(forms[f].type, object);
			const char *text = text_of(f, view);
			auto_json *kept = text != NULL ? own_object(forms[f].form->kind, view, text) : NULL;

			if (text != NULL) {
				differ += json_array_size(all) - compare(f, object, kept, all);
				ours += is_whole(f, object);
			}
		}
		/* Of each kind there are some of ours, which match themselves, and others, which do not. */
		assert_true(ours >= 1);
		assert_true(differ >= 1);
	}
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
	again = own_object(KIND_HPA, view, view_hpa(view)->own_spec);
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
	auto_json *again = own_object(KIND_SERVICE, view, view_service(view)->own_spec);

	(void)state;
	assert_true(json_is_null(json_object_get(again, "spec")));
	assert_int_equal(json_object_size(json_path(again, "metadata.labels")), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_text_stands_for_the_object),
		cmocka_unit_test(test_whose_is_kept),
		cmocka_unit_test(test_the_object_again),
		cmocka_unit_test(test_no_spec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
