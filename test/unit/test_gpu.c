/* The GPU signal's rows agree with each other; what the rule computes is test_gpu_rule.py's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "adapter/adapter_rule.h"
#include "base/error.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/gpu.h"

static void the_adapter_would_take_its_rule(void **state)
{
	struct adapter_rule rule = adapter_rule_of(&gpu_utilization);
	auto_error err = ERROR_INIT;

	(void)state;
	assert_int_equal(adapter_rule_check(&rule, &err), 0);
	assert_non_null(strstr(rule.series_query, "^" GPU_RECORD "$"));
	assert_non_null(strstr(rule.series_query, "namespace!=\"\",pod!=\"\""));
	assert_non_null(strstr(rule.metrics_query, GPU_RECORD "{<<.LabelMatchers>>}"));
}

static void it_is_found_by_its_metric(void **state)
{
	(void)state;
	assert_ptr_equal(engine_signal_by_metric("gpu_utilization_percent"), &gpu_utilization);
	assert_string_equal(gpu_utilization.series[0], GPU_RECORD);
}

/* The series that prove the exporter are those that the rule reads. */
static void the_rule_reads_every_series(void **state)
{
	auto_free char *expr = gpu_record_expr("up");
	size_t count = 0;

	(void)state;
	for (; gpu_dcgm_series[count] != NULL; count++) {
		assert_non_null(strstr(expr, gpu_dcgm_series[count]));
	}
	assert_int_equal(count, 2);
}

/* Also those without a namespace, which a scrape configuration names; a name that is none is left out. */
static void targets_are_reported_by_their_namespace(void **state)
{
	auto_json *names = json_pack("[s, s, s, s]", "gpu-operator", "a\"b", "", "n1");
	auto_free char *targets = gpu_targets(names);
	auto_free char *none = gpu_targets(NULL);

	(void)state;
	assert_string_equal(targets, "up{namespace=~\"|gpu-operator|n1\"}");
	assert_string_equal(none, "up{namespace=~\"\"}");
}

/* Two rows of one label would make Auto find one exporter twice. */
static void every_exporter_is_reported_by_its_label(void **state)
{
	static const char *const types[] = {"GKE", "GPUOperator", "Standalone"};
	size_t seen = 0;

	(void)state;
	for (size_t i = 0; i < gpu_exporters_count; i++) {
		for (size_t j = 0; j < i; j++) {
			assert_string_not_equal(gpu_exporters[i].value, gpu_exporters[j].value);
		}
		assert_true(*gpu_exporters[i].label && *gpu_exporters[i].port_name);
		seen += seen < 3 && !strcmp(gpu_exporters[i].type, types[seen]);
	}
	assert_int_equal(seen, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_adapter_would_take_its_rule),
		cmocka_unit_test(it_is_found_by_its_metric),
		cmocka_unit_test(the_rule_reads_every_series),
		cmocka_unit_test(targets_are_reported_by_their_namespace),
		cmocka_unit_test(every_exporter_is_reported_by_its_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
