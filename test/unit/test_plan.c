/* A plan: what is put in comes out in order, and belongs to the plan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "reconcile/plan.h"

static void an_empty_plan_is_empty(void **state)
{
	auto_plan plan = PLAN_INIT;
	auto_json *document = plan_document(&plan);
	auto_free char *text = json_text(document);

	(void)state;
	assert_string_equal(text, "{\"healthy\":false,\"writes\":[]}");
}

static void the_document_reports_all(void **state)
{
	auto_plan plan = PLAN_INIT;
	auto_json *document = NULL;
	auto_free char *text = NULL;

	(void)state;
	plan_add_take(&plan, PLAN_APPLY, KIND_SERVICE, json_pack("{s:i}", "a", 1));
	plan_add_take(&plan, PLAN_PATCH, KIND_DEPLOYMENT, json_pack("{s:n}", "b"));
	plan_add_take(&plan, PLAN_DELETE, KIND_HPA, json_object());
	plan.status = json_pack("{s:s}", "c", "d");
	plan.probe = probe_request_new();
	plan.probe->name = xstrdup("e");
	plan.healthy = true;
	document = plan_document(&plan);
	text = json_text(document);
	assert_string_equal(text, "{\"healthy\":true,\"probe\":{\"name\":\"e\"},\"status\":{\"c\":\"d\"},\"writes\":["
				  "{\"kind\":\"Service\",\"object\":{\"a\":1},\"verb\":\"apply\"},"
				  "{\"kind\":\"Deployment\",\"object\":{\"b\":null},\"verb\":\"patch\"},"
				  "{\"kind\":\"HorizontalPodAutoscaler\",\"object\":{},\"verb\":\"delete\"}]}");
}

static void the_shared_request_is_the_probe_of_a_shared_plan(void **state)
{
	auto_plan plan = PLAN_INIT;
	auto_json *document = NULL;
	auto_free char *text = NULL;

	(void)state;
	plan.shared_probe = shared_request_new();
	plan.shared_probe->record = xstrdup("r");
	document = plan_document(&plan);
	text = json_text(document);
	assert_string_equal(text, "{\"healthy\":false,\"probe\":{\"record\":\"r\"},\"writes\":[]}");
}

static void any_number_of_writes_keeps_its_order(void **state)
{
	auto_plan plan = PLAN_INIT;

	(void)state;
	for (int i = 0; i < 100; i++) {
		plan_add_take(&plan, PLAN_APPLY, KIND_SERVICE, json_integer(i));
	}
	assert_int_equal(plan.count, 100);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(json_integer_value(plan.writes[i].object), i);
	}
}

/* The leak sanitizer and the count of references see whether this is true. */
static void the_plan_owns_what_it_was_given(void **state)
{
	struct plan plan = PLAN_INIT;
	json_t *object = json_object();
	struct probe_request *request = probe_request_new();

	(void)state;
	plan_add_take(&plan, PLAN_APPLY, KIND_SERVICE, json_incref(object));
	plan.status = json_incref(object);
	plan.probe = probe_request_ref(request);
	assert_int_equal(object->refcount, 3);
	assert_int_equal(request->references, 2);
	plan_release(&plan);
	assert_int_equal(object->refcount, 1);
	assert_int_equal(plan.count, 0);
	assert_null(plan.status);
	plan_release(&plan);
	assert_int_equal(object->refcount, 1);
	assert_int_equal(request->references, 1);
	assert_null(plan.probe);
	json_decref(object);
	probe_request_unref(request);
}

static void the_document_outlives_the_plan(void **state)
{
	struct plan plan = PLAN_INIT;
	auto_json *document = NULL;

	(void)state;
	plan_add_take(&plan, PLAN_APPLY, KIND_SERVICE, json_pack("{s:s}", "kind", "Service"));
	document = plan_document(&plan);
	plan_release(&plan);
	assert_string_equal(json_path_string(json_array_get(json_object_get(document, "writes"), 0), "object.kind", ""),
		"Service");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_plan_is_empty),
		cmocka_unit_test(the_document_reports_all),
		cmocka_unit_test(the_shared_request_is_the_probe_of_a_shared_plan),
		cmocka_unit_test(any_number_of_writes_keeps_its_order),
		cmocka_unit_test(the_plan_owns_what_it_was_given),
		cmocka_unit_test(the_document_outlives_the_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
