/* Children that were seen to be as they should be are not made again from the same, and are from anything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"
#include "yaml_file.h"

static const struct settings settings = SETTINGS_DEFAULT;

static struct digest remembered;

static struct digest give_remembered(void *ctx, const char *key)
{
	(void)ctx;
	assert_string_equal(key, "vllm-example/gemma");
	return remembered;
}

/* What is to be remembered; *text, the caller's,) becomes all that is planned. */
static struct digest reconcile(const json_t *document, bool remembers, char **text)
{
	struct shared_state shared = SHARED_STATE_INIT;
	auto_plan shared_plan = PLAN_INIT;
	auto_plan plan = PLAN_INIT;
	auto_json *planned = NULL;
	struct world world;

	world_from_document(&world, document, &settings);
	auto_needs needs = needs_of_world(&world);
	shared_reconcile(&world, &needs, &shared_plan, &shared);
	world.shared = &shared;
	world.settled = remembers ? give_remembered : NULL;
	autoscaler_reconcile(&world, "vllm-example", "gemma", &plan);
	planned = plan_document(&plan);
	*text = json_text(planned);
	world_release_document(&world);
	shared_state_release(&shared);
	return plan.settled;
}

/* Lays the patch over the object of this kind and name; over the document where the kind is NULL. */
static void lay(json_t *document, const char *kind, const char *name, const char *patch)
{
	auto_json *value = yaml_parse(patch, strlen(patch), NULL);
	size_t i;
	json_t *object;

	assert_non_null(value);
	if (kind == NULL) {
		assert_int_equal(json_object_update_recursive(document, value), 0);
		return;
	}
	json_array_foreach(json_object_get(document, "objects"), i, object) {
		if (strcmp(json_path_string(object, "kind", ""), kind) == 0 &&
			strcmp(json_path_string(object, "metadata.name", ""), name) == 0) {
			assert_int_equal(json_object_update_recursive(object, value), 0);
			return;
		}
	}
	fail_msg("no %s '%s' in the world", kind, name);
}

#define ANNOTATION "metadata: {annotations: {inference-autoscaler.io/applied: other}}"

static const struct {
	const char *kind, *name, *patch;
	bool same; /* nothing that children are made of, or that is compared of them */
} edits[] = {
	{"HorizontalPodAutoscaler", "gemma", "spec: {maxReplicas: 50}", false},
	{"HorizontalPodAutoscaler", "gemma", ANNOTATION, false},
	{"HorizontalPodAutoscaler", "gemma",
		"metadata: {ownerReferences: [{kind: InferenceAutoscaler, name: gemma, "
		"uid: 11111111-1111-1111-1111-111111111111, controller: true}]}",
		false},
	{"HorizontalPodAutoscaler", "gemma", "metadata: {labels: {app.kubernetes.io/managed-by: other}}", false},
	{"HorizontalPodAutoscaler", "gemma", "{metadata: {resourceVersion: '9'}, status: {currentReplicas: 2}}", true},
	{"Service", "gemma-metrics", "spec: {selector: {stray: label}}", false},
	{"ServiceMonitor", "gemma", "metadata: {labels: {release: other}}", false},
	{"ServiceMonitor", "gemma", "spec: {endpoints: [{port: other}]}", false},
	{"InferenceAutoscaler", "gemma", "{metadata: {generation: 2}, spec: {maxReplicas: 9}}", false},
	{"InferenceAutoscaler", "gemma", "{metadata: {generation: 2}, spec: {paused: true}}", false},
	{"InferenceAutoscaler", "gemma", "{metadata: {generation: 2}, spec: {requests: {target: 7}}}", false},
	{"Deployment", "vllm-gemma-deployment", "spec: {selector: {matchLabels: {tier: gpu}}}", false},
	{"Prometheus", "k8s", "spec: {serviceMonitorSelector: {matchLabels: {team: a}}}", false},
	{NULL, NULL, "evidence: {vllm-example/gemma: {page: {path: /v1/metrics}}}", false},
	{NULL, NULL, "missing: [ServiceMonitor]", false},
	{NULL, NULL, "now: 2026-01-31T08:30:00Z", true},
};

static void what_differs_is_planned_as_ever(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		auto_json *document = yaml_file("golden/healthy/world.yaml");
		auto_free char *before = NULL;
		auto_free char *whole = NULL;
		auto_free char *short_cut = NULL;
		struct digest after;

		remembered = reconcile(document, false, &before);
		assert_false(digest_equal(&remembered, &DIGEST_NONE));
		lay(document, edits[i].kind, edits[i].name, edits[i].patch);
		(void)reconcile(document, false, &whole);
		after = reconcile(document, true, &short_cut);
		assert_string_equal(short_cut, whole);
		if (digest_equal(&after, &remembered) != edits[i].same) {
			fail_msg("'%s' of %s is %s", edits[i].patch, edits[i].kind,
				edits[i].same ? "read" : "not read");
		}
	}
}

static void while_something_is_to_be_written_nothing_is_remembered(void **state)
{
	auto_json *document = yaml_file("golden/healthy/world.yaml");
	auto_free char *text = NULL;
	struct digest now;

	(void)state;
	lay(document, "HorizontalPodAutoscaler", "gemma", "spec: {maxReplicas: 50}");
	now = reconcile(document, false, &text);
	assert_non_null(strstr(text, "\"verb\":\"apply\""));
	assert_true(digest_equal(&now, &DIGEST_NONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_is_planned_as_ever),
		cmocka_unit_test(while_something_is_to_be_written_nothing_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
