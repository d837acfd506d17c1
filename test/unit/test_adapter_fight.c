/* Somebody takes our rules out of the adapter's ConfigMap, again and again: how often the adapter restarts for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "golden/golden_rules.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"
#include "yaml_file.h"

#define MINUTE (60 * 1000)
/* What somebody else wants in the ConfigMap. */
#define THEIRS "rules: []\n"

static const struct settings settings = SETTINGS_DEFAULT;

/* A cluster whose time passes as told, and an operator in it that remembers. */
struct fight {
	json_t *document;
	int64_t now_ms;
	struct shared_state state;
	int64_t again_ms; /* of the last pass */
	int restarts;
	int versions;
};

static json_t *find(const struct fight *fight, const char *kind, const char *name)
{
	size_t i;
	json_t *object;

	json_array_foreach(json_object_get(fight->document, "objects"), i, object) {
		if (strcmp(json_path_string(object, "kind", ""), kind) == 0 &&
			strcmp(kube_object_name(object), name) == 0) {
			return object;
		}
	}
	fail_msg("there is no %s '%s'", kind, name);
	return NULL;
}

static json_t *configmap(const struct fight *fight)
{
	return find(fight, "ConfigMap", "prometheus-adapter");
}

static json_t *metadata(json_t *object)
{
	return json_object_get(object, "metadata");
}

static void new_version(struct fight *fight, json_t *object)
{
	auto_free char *version = xasprintf("%d", 1000 + ++fight->versions);

	json_object_set_new(metadata(object), "resourceVersion", json_string(version));
}

static void setup(struct fight *fight)
{
	*fight = (struct fight){.document = yaml_file("golden/healthy/world.yaml"), .state = SHARED_STATE_INIT};
	golden_rules_unfold(fight->document);
	fight->now_ms = clock_parse_rfc3339(json_path_string(fight->document, "now", ""));
}

static void teardown(struct fight *fight)
{
	json_decref(fight->document);
	shared_state_release(&fight->state);
}

/* The operator ends, and another one goes on. */
static void restart_operator(struct fight *fight)
{
	shared_state_release(&fight->state);
}

static void merge(json_t *target, const json_t *patch)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)patch, key, value) {
		if (json_is_null(value)) {
			json_object_del(target, key);
		} else if (json_is_object(value) && json_is_object(json_object_get(target, key))) {
			merge(json_object_get(target, key), value);
		} else {
			json_object_set(target, key, value);
		}
	}
}

/* One pass, and what it asks for; with `lost` its writes are refused. */
static void pass(struct fight *fight, bool lost)
{
	auto_plan plan = PLAN_INIT;
	struct world world;

	world_from_document(&world, fight->document, &settings);
	world.now_ms = fight->now_ms;
	auto_needs needs = needs_of_world(&world);
	shared_reconcile(&world, &needs, &plan, &fight->state);
	world_release_document(&world);
	fight->again_ms = plan.again_ms;
	for (size_t i = 0; i < plan.count && !lost; i++) {
		const json_t *patch = plan.writes[i].object;
		json_t *object = find(fight, json_path_string(patch, "kind", ""), kube_object_name(patch));

		assert_string_equal(kube_object_resource_version(patch), kube_object_resource_version(object));
		fight->restarts += plan.writes[i].kind == KIND_DEPLOYMENT;
		merge(object, patch);
		new_version(fight, object);
	}
}

static void pass_at(struct fight *fight, int64_t later_ms)
{
	fight->now_ms += later_ms;
	pass(fight, false);
}

static bool has_our_rules(const struct fight *fight)
{
	const char *text = json_string_value(json_object_get(json_path(configmap(fight), "data"), "config.yaml"));

	return strstr(text, "'vllm_num_requests_running'") != NULL;
}

static void write_config(struct fight *fight, const char *text, const char *manager)
{
	auto_free char *now = clock_rfc3339(fight->now_ms);

	json_object_set_new(json_object_get(configmap(fight), "data"), "config.yaml", json_string(text));
	json_object_set_new(metadata(configmap(fight)), "managedFields",
		json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "manager", manager, "time", now, "manager", "helm",
			"time", "2026-01-01T00:00:00Z", "manager", FIELD_MANAGER, "time", now));
	new_version(fight, configmap(fight));
}

static void revert(struct fight *fight)
{
	write_config(fight, THEIRS, "argocd-controller");
}

static void revert_at(struct fight *fight, int64_t later_ms)
{
	fight->now_ms += later_ms;
	revert(fight);
	pass(fight, false);
}

static void assert_reverted(const struct fight *fight, int64_t again_ms)
{
	assert_int_equal(fight->state.state, ADAPTER_BROKEN);
	assert_string_equal(fight->state.reason, "RevertedBy");
	assert_int_equal(fight->again_ms, again_ms);
}

static void a_single_edit_is_mended_at_once(void **state)
{
	struct fight fight;

	(void)state;
	setup(&fight);
	pass(&fight, false);
	assert_int_equal(fight.restarts, 0);
	revert_at(&fight, MINUTE);
	assert_true(has_our_rules(&fight));
	assert_int_equal(fight.restarts, 1);
	pass_at(&fight, MINUTE);
	assert_int_equal(fight.restarts, 1);
	/* and so is the next, if it is not of the same hand that is at it again */
	revert_at(&fight, 11 * MINUTE);
	assert_true(has_our_rules(&fight));
	assert_int_equal(fight.restarts, 2);
	teardown(&fight);
}

static void fifteen_reverts_are_not_fifteen_restarts(void **state)
{
	struct fight fight;

	(void)state;
	setup(&fight);
	for (int i = 0; i < 15; i++) {
		revert_at(&fight, 1300);
	}
	assert_int_equal(fight.restarts, 1);
	assert_false(has_our_rules(&fight));
	assert_reverted(&fight, 10 * MINUTE - 13 * 1300);
	teardown(&fight);
}

static void it_is_said_who_does_it_until_when_and_what_helps(void **state)
{
	struct fight fight;
	auto_free char *reported = NULL;

	(void)state;
	setup(&fight);
	revert_at(&fight, 0);
	revert_at(&fight, 1000);
	assert_reverted(&fight, 10 * MINUTE);
	reported = xstrdup(fight.state.message);
	assert_non_null(strstr(reported, "field manager 'argocd-controller' takes our rules out"));
	assert_non_null(strstr(reported, "ConfigMap 'monitoring/prometheus-adapter', key 'config.yaml'"));
	assert_non_null(strstr(reported, "once more at 2026-01-31T08:10:01Z"));
	assert_non_null(strstr(reported, "ignoreDifferences"));
	assert_non_null(strstr(reported, "'inference-autoscaler rules'"));
	/* and the same as long as it lasts */
	revert_at(&fight, 5 * MINUTE);
	assert_string_equal(fight.state.message, reported);
	/* Of what the API server does not tell nobody is accused. */
	json_object_del(metadata(configmap(&fight)), "managedFields");
	pass_at(&fight, 1000);
	assert_non_null(strstr(fight.state.message, "somebody takes our rules out"));
	teardown(&fight);
}

static void it_is_tried_again_after_longer_and_longer_waits(void **state)
{
	static const int waits[] = {10, 20, 40, 60, 60};
	struct fight fight;
	int restarts;

	(void)state;
	setup(&fight);
	revert_at(&fight, 0);
	revert_at(&fight, 1000);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		assert_reverted(&fight, waits[i] * MINUTE);
		restarts = fight.restarts;
		pass_at(&fight, waits[i] * MINUTE - 1);
		assert_int_equal(fight.restarts, restarts);
		pass_at(&fight, 1);
		assert_true(has_our_rules(&fight));
		assert_int_equal(fight.restarts, restarts + 1);
		assert_int_not_equal(fight.state.state, ADAPTER_BROKEN);
		revert_at(&fight, 1000);
	}
	teardown(&fight);
}

static void rules_that_stay_end_it(void **state)
{
	struct fight fight;

	(void)state;
	setup(&fight);
	revert_at(&fight, 0);
	revert_at(&fight, 1000);
	pass_at(&fight, 10 * MINUTE);
	assert_int_equal(fight.restarts, 2);
	/* After a day an edit is an edit. */
	revert_at(&fight, 24 * 60 * MINUTE);
	assert_true(has_our_rules(&fight));
	assert_int_equal(fight.restarts, 3);
	revert_at(&fight, 1000);
	assert_reverted(&fight, 10 * MINUTE);
	teardown(&fight);
}

static void rules_that_somebody_puts_back_end_it_at_once(void **state)
{
	struct fight fight;
	auto_free char *ours = NULL;

	(void)state;
	setup(&fight);
	revert_at(&fight, 0);
	ours = xstrdup(json_string_value(json_object_get(json_path(configmap(&fight), "data"), "config.yaml")));
	revert_at(&fight, 1000);
	assert_reverted(&fight, 10 * MINUTE);
	write_config(&fight, ours, "kubectl-edit");
	pass_at(&fight, 1000);
	assert_int_not_equal(fight.state.state, ADAPTER_BROKEN);
	/* An adapter that started in between read none of ours. */
	assert_int_equal(fight.restarts, 2);
	pass_at(&fight, 1000);
	assert_int_equal(fight.restarts, 2);
	/* It begins again where it was. */
	revert_at(&fight, 1000);
	assert_reverted(&fight, 20 * MINUTE);
	assert_int_equal(fight.restarts, 2);
	teardown(&fight);
}

static void who_replaces_all_takes_the_annotations_too(void **state)
{
	struct fight fight;

	(void)state;
	setup(&fight);
	for (int i = 0; i < 5; i++) {
		json_object_del(metadata(configmap(&fight)), "annotations");
		revert_at(&fight, 1000);
	}
	assert_int_equal(fight.restarts, 1); /* the Deployment tells that they were there */
	assert_string_equal(fight.state.reason, "RevertedBy");
	teardown(&fight);
}

static void an_operator_that_starts_costs_one_restart(void **state)
{
	struct fight fight;

	(void)state;
	setup(&fight);
	for (int i = 0; i < 3; i++) {
		for (int k = 0; k < 5; k++) {
			revert_at(&fight, 1000);
		}
		assert_int_equal(fight.restarts, i + 1);
		restart_operator(&fight);
	}
	teardown(&fight);
}

static void writes_that_are_refused_are_no_reverts(void **state)
{
	struct fight fight;

	(void)state;
	setup(&fight);
	revert(&fight);
	for (int i = 0; i < 5; i++) {
		pass(&fight, true);
		assert_int_not_equal(fight.state.state, ADAPTER_BROKEN);
	}
	pass(&fight, false);
	assert_true(has_our_rules(&fight));
	teardown(&fight);
}

static void what_nobody_needs_is_not_fought_for(void **state)
{
	struct fight fight;
	json_t *autoscaler;

	(void)state;
	setup(&fight);
	autoscaler = find(&fight, "InferenceAutoscaler", "gemma");
	json_object_set_new(metadata(autoscaler), "deletionTimestamp", json_string("2026-01-31T08:00:00Z"));
	revert_at(&fight, 0);
	assert_int_equal(fight.restarts, 0);
	assert_false(has_our_rules(&fight));
	json_object_del(metadata(autoscaler), "deletionTimestamp");
	pass_at(&fight, MINUTE);
	assert_true(has_our_rules(&fight));
	teardown(&fight);
}

/* Another ConfigMap, and a Deployment that mounts it. */
static void deliver(struct fight *fight, const char *name)
{
	json_t *spec = json_path(find(fight, "Deployment", "prometheus-adapter"), "spec.template.spec");
	json_t *container = json_array_get(json_object_get(spec, "containers"), 0);

	json_array_append_new(json_object_get(fight->document, "objects"),
		json_pack("{s:s, s:s, s:{s:s, s:s, s:s}, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata",
			"name", name, "namespace", "monitoring", "resourceVersion", "1", "data", "config.yaml",
			THEIRS));
	new_version(fight, find(fight, "ConfigMap", name));
	json_object_set_new(spec, "volumes", json_pack("[{s:s, s:{s:s}}]", "name", "c", "configMap", "name", name));
	json_object_set_new(container, "volumeMounts", json_pack("[{s:s, s:s}]", "name", "c", "mountPath", "/etc/a"));
	json_array_append_new(json_object_get(container, "args"), json_string("--config=/etc/a/config.yaml"));
}

/* Who delivers a new version of what is theirs takes nothing out: it never had our rules. */
static void a_configmap_of_another_name_is_no_revert(void **state)
{
	static const char *const names[] = {"rules-1", "rules-2", "rules-3", "rules-4"};
	struct fight fight;

	(void)state;
	setup(&fight);
	revert_at(&fight, 0);
	revert_at(&fight, 1000);
	assert_reverted(&fight, 10 * MINUTE);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		deliver(&fight, names[i]);
		pass_at(&fight, 1000);
		assert_int_not_equal(fight.state.state, ADAPTER_BROKEN);
		assert_non_null(kube_object_annotation(find(&fight, "ConfigMap", names[i]), ANNOTATION_ADAPTER_RULES));
		assert_int_equal(fight.restarts, 2 + (int)i);
		pass_at(&fight, 1000);
		assert_int_equal(fight.restarts, 2 + (int)i);
	}
	teardown(&fight);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_single_edit_is_mended_at_once),
		cmocka_unit_test(fifteen_reverts_are_not_fifteen_restarts),
		cmocka_unit_test(it_is_said_who_does_it_until_when_and_what_helps),
		cmocka_unit_test(it_is_tried_again_after_longer_and_longer_waits),
		cmocka_unit_test(rules_that_stay_end_it),
		cmocka_unit_test(rules_that_somebody_puts_back_end_it_at_once),
		cmocka_unit_test(who_replaces_all_takes_the_annotations_too),
		cmocka_unit_test(an_operator_that_starts_costs_one_restart),
		cmocka_unit_test(writes_that_are_refused_are_no_reverts),
		cmocka_unit_test(what_nobody_needs_is_not_fought_for),
		cmocka_unit_test(a_configmap_of_another_name_is_no_revert),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
