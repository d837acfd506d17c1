/* Which changes of Services and ServiceMonitors the shared part is checked again for: those that may be a GPU exporter's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "runtime/cached_views.h"
#include "runtime/routes.h"

#define CHILD "ownerReferences: [{kind: InferenceAutoscaler, name: gemma, uid: '1', controller: true}]"
#define DEPLOYMENTS "ownerReferences: [{kind: Deployment, name: gemma, uid: '1', controller: true}]"

struct rig {
	uv_loop_t loop;
	struct queue *queue;
	struct kube_cache *autoscalers;
	struct routes routes;
	bool shared;
};

static void work(void *ctx, const char *key)
{
	struct rig *rig = ctx;

	rig->shared = rig->shared || strcmp(key, SHARED_KEY) == 0;
	queue_done(rig->queue, key);
}

static void ignore(void *ctx)
{
	(void)ctx;
}

static int rig_begin(void **state)
{
	struct rig *rig = xcalloc(1, sizeof(*rig));
	struct kube_cache_form form = cached_form(KIND_AUTOSCALER);

	uv_loop_init(&rig->loop);
	rig->queue = queue_new(&rig->loop, 1, work, NULL, rig);
	rig->autoscalers = kube_cache_new(&form);
	routes_init(&rig->routes, rig->autoscalers, rig->queue, NULL);
	*state = rig;
	return 0;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;

	queue_close(rig->queue, ignore, NULL);
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	kube_cache_free(rig->autoscalers);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	free_indirect(&rig);
	return 0;
}

/* Its metadata in YAML; NULL = there is none. */
static const struct view *object(enum kind kind, const char *metadata)
{
	auto_free char *text =
		metadata != NULL ? xasprintf("{metadata: {namespace: shop, name: a, %s}}", metadata) : NULL;
	auto_json *json = text != NULL ? yaml_parse(text, strlen(text), NULL) : NULL;

	assert_true(text == NULL || json != NULL);
	return json != NULL ? view_decode(kind, json) : NULL;
}

/* Whether the shared part is checked again after this change. */
static bool concerns_shared(struct rig *rig, enum kind kind, const char *before, const char *now)
{
	auto_view *was = object(kind, before);
	auto_view *is = object(kind, now);

	rig->shared = false;
	routes_changed(&rig->routes, kind, was, is);
	while (queue_length(rig->queue) > 0) {
		uv_run(&rig->loop, UV_RUN_ONCE);
	}
	return rig->shared;
}

static void test_a_child_of_an_autoscaler_concerns_it_alone(void **state)
{
	static const enum kind both[] = {KIND_SERVICE, KIND_SERVICEMONITOR};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		assert_false(concerns_shared(*state, both[i], NULL, CHILD));
		assert_false(concerns_shared(*state, both[i], CHILD, CHILD));
		assert_false(concerns_shared(*state, both[i], CHILD, NULL));
	}
}

static void test_any_other_may_be_an_exporters(void **state)
{
	static const enum kind both[] = {KIND_SERVICE, KIND_SERVICEMONITOR};

	for (size_t i = 0; i < ARRAY_LEN(both); i++) {
		assert_true(concerns_shared(*state, both[i], NULL, "labels: {app: dcgm-exporter}"));
		assert_true(concerns_shared(*state, both[i], "labels: {app: dcgm-exporter}", NULL));
		assert_true(concerns_shared(*state, both[i], NULL, DEPLOYMENTS));
		/* It was somebody else's, or is from now on. */
		assert_true(concerns_shared(*state, both[i], "labels: {app: dcgm-exporter}", CHILD));
		assert_true(concerns_shared(*state, both[i], CHILD, "labels: {app: dcgm-exporter}"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_child_of_an_autoscaler_concerns_it_alone, rig_begin, rig_end),
		cmocka_unit_test_setup_teardown(test_any_other_may_be_an_exporters, rig_begin, rig_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
