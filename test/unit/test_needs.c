/* What autoscalers need in totals: as they come, change and go, and what it costs with many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "reconcile/needs.h"

#define MANY 10000
#define READS 1000
#define RUNNING "vllm_num_requests_running"

static const struct settings settings = SETTINGS_DEFAULT;

/* `spec` in YAML, beside what every autoscaler has; made at this minute of an hour. */
static const struct view *autoscaler(const char *name, const char *spec, int minute)
{
	auto_free char *text = xasprintf(
		"{metadata: {namespace: shop, name: %s, creationTimestamp: '2026-01-02T03:%02d:00Z'}, "
		"spec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}%s%s}}",
		name, minute, spec[0] != '\0' ? ", " : "", spec);
	auto_json *object = yaml_parse(text, strlen(text), NULL);

	assert_non_null(object);
	return view_decode(KIND_AUTOSCALER, object);
}

static int64_t at_minute(int minute)
{
	auto_free char *text = xasprintf("2026-01-02T03:%02d:00Z", minute);

	return clock_parse_rfc3339(text);
}

static bool put(struct needs *needs, const char *name, const char *spec, int minute, const struct evidence *evidence)
{
	auto_view *view = autoscaler(name, spec, minute);

	return needs_put(needs, &settings, view_autoscaler(view), evidence);
}

static bool is_needed(const struct needs *needs, const char *metric)
{
	auto_json *metrics = needs_metrics(needs, false);

	return json_object_get(metrics, metric) != NULL;
}

static void test_a_metric_is_needed_until_the_last_goes(void **state)
{
	auto_needs needs;

	(void)state;
	needs_init(&needs);
	assert_false(is_needed(&needs, RUNNING));
	assert_true(put(&needs, "b", "engine: {type: VLLM}", 5, NULL));
	/* One more that needs the same is no news. */
	assert_false(put(&needs, "a", "engine: {type: VLLM}", 3, NULL));
	assert_false(put(&needs, "a", "engine: {type: VLLM}", 3, NULL));
	assert_false(put(&needs, "c", "engine: {type: VLLM}", 3, NULL));
	assert_false(needs_remove(&needs, "shop/c"));
	/* It needs another one now. */
	assert_true(put(&needs, "a", "engine: {type: SGLang}", 3, NULL));
	assert_true(is_needed(&needs, RUNNING));
	assert_true(needs_remove(&needs, "shop/b"));
	assert_false(needs_remove(&needs, "shop/b"));
	assert_false(is_needed(&needs, RUNNING));
}

static void test_a_refused_spec_needs_nothing(void **state)
{
	auto_needs needs;

	(void)state;
	needs_init(&needs);
	assert_true(put(&needs, "a", "engine: {type: VLLM}", 3, NULL));
	assert_true(put(&needs, "a", "engine: {type: VLLM}, requests: {signal: Unheard}", 3, NULL));
	assert_false(is_needed(&needs, RUNNING));
}

static void test_an_engine_that_is_found_is_needed_from_then_on(void **state)
{
	auto_needs needs;
	struct evidence *evidence = evidence_new(NULL);

	(void)state;
	needs_init(&needs);
	put(&needs, "b", "", 5, NULL);
	assert_false(put(&needs, "b", "", 5, evidence));
	assert_false(is_needed(&needs, RUNNING));
	evidence->page.engine = xstrdup("VLLM");
	evidence->page.seen_ms = at_minute(6);
	assert_true(put(&needs, "b", "", 5, evidence));
	assert_true(is_needed(&needs, RUNNING));
	evidence_free(evidence);
}

static void test_an_exporter_is_asked_for_by_the_first(void **state)
{
	auto_needs needs;
	size_t count;
	struct gpu_need *found;

	(void)state;
	needs_init(&needs);
	assert_true(put(&needs, "c", "mode: GPU", 3, NULL));
	assert_true(put(&needs, "b", "mode: GPU, gpu: {exporter: {type: GPUOperator}}", 3, NULL));
	/* The first may be another one now. */
	assert_true(put(&needs, "a", "mode: GPU", 3, NULL));
	assert_false(put(&needs, "a", "mode: GPU", 3, NULL));
	found = needs_exporters(&needs, false, &count);
	assert_int_equal(count, 2);
	assert_string_equal(found[0].id, "Auto");
	assert_string_equal(found[0].autoscaler->view.meta.name, "a");
	assert_string_equal(found[1].id, "GPUOperator");
	free(found);
	/* Neither uses GPUs any more. */
	assert_true(needs_remove(&needs, "shop/a"));
	assert_true(put(&needs, "b", "engine: {type: VLLM}", 3, NULL));
	found = needs_exporters(&needs, false, &count);
	assert_int_equal(count, 1);
	assert_string_equal(found[0].autoscaler->view.meta.name, "c");
	free(found);
}

/* What Auto needs is decided when the totals are read. */
static void test_a_source_of_its_own_needs_nothing_of_the_adapter(void **state)
{
	auto_needs needs;
	size_t count;
	auto_json *some = NULL;

	(void)state;
	needs_init(&needs);
	assert_false(needs_prometheus_alone(&needs));
	put(&needs, "a", "engine: {type: VLLM}, source: Prometheus", 0, NULL);
	assert_true(needs_prometheus_alone(&needs));
	put(&needs, "b", "engine: {type: SGLang}, mode: Combined", 1, NULL);
	assert_false(needs_prometheus_alone(&needs));
	some = needs_metrics(&needs, true);
	assert_int_equal(json_object_size(some), 1);
	assert_non_null(json_object_get(some, RUNNING));
	assert_true(is_needed(&needs, "sglang_num_requests_running"));
	/* The exporter is needed whoever serves, and has to be scraped for Prometheus alone. */
	for (int direct = 0; direct < 2; direct++) {
		auto_free struct gpu_need *exporters = needs_exporters(&needs, direct, &count);

		assert_int_equal(count, 1);
		assert_int_equal(exporters[0].scraped, !direct);
	}
	put(&needs, "c", "mode: GPU, source: Prometheus", 2, NULL);
	for (int direct = 0; direct < 2; direct++) {
		auto_free struct gpu_need *exporters = needs_exporters(&needs, direct, &count);

		assert_int_equal(count, 1);
		assert_true(exporters[0].scraped);
		assert_string_equal(exporters[0].autoscaler->view.meta.name, "b");
	}
	/* Who needs the same by another source is a change, and so is an edit of the source. */
	assert_true(put(&needs, "d", "engine: {type: SGLang}, source: Direct", 3, NULL));
	assert_false(put(&needs, "e", "engine: {type: SGLang}, source: Direct", 3, NULL));
	assert_false(needs_remove(&needs, "shop/d"));
	assert_true(needs_remove(&needs, "shop/e"));
	assert_true(put(&needs, "b", "engine: {type: SGLang}, mode: Combined, source: Direct", 1, NULL));
	assert_false(is_needed(&needs, "sglang_num_requests_running"));
	needs_remove(&needs, "shop/b");
	assert_true(needs_prometheus_alone(&needs));
}

static double cpu_ms(void)
{
	return (double)clock() * 1000 / CLOCKS_PER_SEC;
}

static void read_all(const struct needs *needs)
{
	auto_json *metrics = needs_metrics(needs, false);
	size_t count;

	free(needs_exporters(needs, false, &count));
	assert_true(json_object_size(metrics) == 2 && count == 1);
}

static void test_many_cost_as_much_as_few(void **state)
{
	auto_needs needs;
	double start;
	double put_ms = 0;
	double read_ms;

	(void)state;
	needs_init(&needs);
	for (int i = 0; i < MANY; i++) {
		auto_free char *name = xasprintf("model-%05d", i);
		auto_view *view = autoscaler(name, "mode: Combined, engine: {type: VLLM}", i % 60);

		start = cpu_ms();
		needs_put(&needs, &settings, view_autoscaler(view), NULL);
		put_ms += cpu_ms() - start;
	}
	start = cpu_ms();
	for (int i = 0; i < READS; i++) {
		read_all(&needs);
	}
	read_ms = (cpu_ms() - start) / READS;
	print_message("of %d: to keep one %.4f ms, to read the totals %.4f ms\n", MANY, put_ms / MANY, read_ms);
	/* To walk them all took more than a millisecond. */
	assert_in_range((uintmax_t)(read_ms * 1000), 0, 500);
	start = cpu_ms();
	for (int i = 0; i < MANY; i++) {
		auto_free char *key = xasprintf("shop/model-%05d", i);

		assert_true(needs_remove(&needs, key));
	}
	assert_in_range((uintmax_t)(cpu_ms() - start), 0, 1000);
	assert_false(is_needed(&needs, RUNNING));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_metric_is_needed_until_the_last_goes),
		cmocka_unit_test(test_a_refused_spec_needs_nothing),
		cmocka_unit_test(test_an_engine_that_is_found_is_needed_from_then_on),
		cmocka_unit_test(test_an_exporter_is_asked_for_by_the_first),
		cmocka_unit_test(test_a_source_of_its_own_needs_nothing_of_the_adapter),
		cmocka_unit_test(test_many_cost_as_much_as_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
