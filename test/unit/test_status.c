/* The status fits the CRD, whatever others said: one string too long, or not UTF-8, and all of it is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "base/text.h"
#include "kube/resource.h"
#include "reconcile/needs.h"
#include "reconcile/reconcile.h"
#include "report/kstatus.h"
#include "report/status_bound.h"
#include "yaml_file.h"

#define MUCH 40000

static const struct settings settings = SETTINGS_DEFAULT;
static const char *failure;

/* The CRD's schema of the status; borrowed. */
static json_t *status_schema(const json_t *crd)
{
	const json_t *version = json_array_get(json_path(crd, "spec.versions"), 0);
	json_t *schema = json_path(version, "schema.openAPIV3Schema.properties.status");

	assert_non_null(schema);
	return schema;
}

static const char *what_failed(void *ctx, const char *key)
{
	(void)ctx;
	(void)key;
	return failure;
}

/* The status that a healthy world is given with this evidence merged into it, and this failure; new reference. */
static json_t *status_with(const json_t *evidence, const char *failed)
{
	auto_json *document = yaml_file("golden/healthy/world.yaml");
	struct shared_state shared = SHARED_STATE_INIT;
	auto_plan shared_plan = PLAN_INIT;
	auto_plan plan = PLAN_INIT;
	struct world world;

	json_object_update_recursive(json_path(document, "evidence"), (json_t *)evidence);
	world_from_document(&world, document, &settings);
	auto_needs needs = needs_of_world(&world);
	shared_reconcile(&world, &needs, &shared_plan, &shared);
	world.shared = &shared;
	failure = failed;
	world.failure = what_failed;
	autoscaler_reconcile(&world, "vllm-example", "gemma", &plan);
	shared_state_release(&shared);
	world_release_document(&world);
	assert_non_null(plan.status);
	return json_incref(plan.status);
}

static char *much_of(const char *words)
{
	struct strbuf text = STRBUF_INIT;

	while (text.len < MUCH) {
		strbuf_addstr(&text, words);
	}
	return strbuf_take(&text);
}

/* Walks the value beside its schema: no string is longer than the schema lets it be. */
static void assert_fits(const json_t *value, const json_t *schema, const char *path)
{
	json_int_t max = json_path_int(schema, "maxLength", -1);
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_string(value) && max >= 0 && (json_int_t)json_string_length(value) > max) {
		fail_msg("%s has %zu bytes, of %lld", path, json_string_length(value), (long long)max);
	}
	json_array_foreach((json_t *)value, i, inner) {
		assert_fits(inner, json_object_get(schema, "items"), path);
	}
	json_object_foreach((json_t *)value, key, inner) {
		auto_free char *inner_path = xasprintf("%s.%s", path, key);
		const json_t *properties = json_object_get(schema, "properties");

		assert_non_null(json_object_get(properties, key));
		assert_fits(inner, json_object_get(properties, key), inner_path);
	}
}

static const json_t *ready_of(const json_t *status)
{
	return json_find(json_object_get(status, "conditions"), "type", "Ready");
}

static void test_words_of_others_are_cut_and_the_status_is_reported(void **state)
{
	static const char *const words[] = {"x", "caf\xc3\xa9 ", "caf\xe9 ", "\xf0\x9f\x99\x82"};
	auto_json *crd = yaml_file("../crds/inferenceautoscalers.yaml");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		auto_free char *much = much_of(words[i]);
		auto_json *status = status_with(NULL, much);

		assert_string_equal(json_path_string(ready_of(status), "reason", ""), "WriteFailed");
		assert_fits(status, status_schema(crd), "status");
	}
}

/* As a proxy before the API server says it, in another alphabet's bytes. */
static void test_words_that_are_not_utf8_do_not_take_ready_away(void **state)
{
	auto_json *status = status_with(NULL, "cannot patch: caf\xe9 ferm\xe9 (HTTP 502)");

	(void)state;
	assert_string_equal(json_path_string(ready_of(status), "message", ""), "cannot patch: caf? ferm? (HTTP 502)");
}

/* What is only away comes back without anybody; all else needs somebody. */
static void test_only_what_needs_somebody_is_stalled(void **state)
{
	static const struct {
		struct verdict ready;
		const char *beside;
	} cases[] = {
		{{VERDICT_TRUE, "Ready", NULL}, NULL},
		{{VERDICT_TRUE, "Paused", NULL}, NULL},
		{{VERDICT_UNKNOWN, "Probing", NULL}, CONDITION_RECONCILING},
		{{VERDICT_UNKNOWN, "NoReadyPod", NULL}, CONDITION_RECONCILING},
		{{VERDICT_FALSE, "PrometheusNotReachable", NULL}, CONDITION_RECONCILING},
		{{VERDICT_FALSE, "APIServiceUnavailable", NULL}, CONDITION_RECONCILING},
		{{VERDICT_FALSE, "WriteFailed", NULL}, CONDITION_RECONCILING},
		{{VERDICT_FALSE, "InvalidSpec", NULL}, CONDITION_STALLED},
		{{VERDICT_FALSE, "OwnedByAnotherHPA", NULL}, CONDITION_STALLED},
		{{VERDICT_FALSE, "PrometheusUnauthorized", NULL}, CONDITION_STALLED},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *beside = kstatus_condition(&cases[i].ready);

		assert_true(text_equal(beside, cases[i].beside));
	}
}

static void test_a_version_is_as_long_as_the_crd_lets_it_be(void **state)
{
	auto_free char *much = much_of("0.32.");
	auto_json *evidence = json_pack("{s:{s:{s:s}}}", "vllm-example/gemma", "page", "version", much);
	auto_json *crd = yaml_file("../crds/inferenceautoscalers.yaml");
	auto_json *status = status_with(evidence, NULL);
	const char *version = json_path_string(status, "engine.version", "");

	(void)state;
	assert_fits(status, status_schema(crd), "status");
	assert_int_equal(strncmp(version, "0.32.0.32.", 10), 0);
	assert_string_equal(json_path_string(ready_of(status), "status", ""), "True");
}

/* Every string of the schema that has no format and no enum has its length in our table, and the table has no more. */
static size_t compare_bounds(const json_t *schema, const char *path)
{
	const char *key;
	json_t *inner;
	size_t found = 0;

	if (json_object_get(schema, "items") != NULL) {
		return compare_bounds(json_object_get(schema, "items"), path);
	}
	json_object_foreach(json_object_get(schema, "properties"), key, inner) {
		auto_free char *inner_path = xasprintf("%s%s%s", path, *path != '\0' ? "." : "", key);

		found += compare_bounds(inner, inner_path);
	}
	if (strcmp(json_path_string(schema, "type", ""), "string") != 0 || json_object_get(schema, "format") != NULL ||
		json_object_get(schema, "enum") != NULL) {
		return found;
	}
	for (size_t i = 0; i < status_bounds_count; i++) {
		if (strcmp(status_bounds[i].path, path) == 0) {
			if (json_path_int(schema, "maxLength", -1) != (json_int_t)status_bounds[i].max) {
				fail_msg("status.%s: the CRD has maxLength %lld, the table of status_bound.c %zu", path,
					(long long)json_path_int(schema, "maxLength", -1), status_bounds[i].max);
			}
			return 1;
		}
	}
	fail_msg("status.%s: the CRD has a string that the table of status_bound.c has not", path);
	return 0;
}

static void test_the_bounds_are_the_crd_s(void **state)
{
	auto_json *crd = yaml_file("../crds/inferenceautoscalers.yaml");

	(void)state;
	assert_int_equal(compare_bounds(status_schema(crd), ""), status_bounds_count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_others_are_cut_and_the_status_is_reported),
		cmocka_unit_test(test_words_that_are_not_utf8_do_not_take_ready_away),
		cmocka_unit_test(test_only_what_needs_somebody_is_stalled),
		cmocka_unit_test(test_a_version_is_as_long_as_the_crd_lets_it_be),
		cmocka_unit_test(test_the_bounds_are_the_crd_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
