/* The links as metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/yaml.h"
#include "runtime/link_metrics.h"

static void what_the_status_says_is_sampled(void **state)
{
	static const char text[] =
		"- metadata: {namespace: shop, name: gemma}\n"
		"  status: {advice: [{reason: RelistLong, message: m}],\n"
		"    conditions: [{type: Accepted, status: 'True'}, {type: ScrapeSelected, status: 'False'},"
		" {type: MetricServed, status: Unknown}, {type: Ready, status: 'False'},"
		" {type: Stalled, status: 'True'}, {type: Reconciling, status: 'True'}, {type: Advice, status: 'True'}]}\n"
		"- metadata: {namespace: shop, name: new}\n";
	static const char samples[] =
		"inference_autoscaler_link_healthy{autoscaler_namespace=\"shop\",autoscaler=\"gemma\",link=\"Accepted\"} 1\n"
		"inference_autoscaler_link_healthy{autoscaler_namespace=\"shop\",autoscaler=\"gemma\",link=\"ScrapeSelected\"} 0\n"
		"inference_autoscaler_link_healthy{autoscaler_namespace=\"shop\",autoscaler=\"gemma\",link=\"Ready\"} 0\n"
		"# HELP";
	static const char advice[] =
		"# TYPE inference_autoscaler_advice gauge\n"
		"inference_autoscaler_advice{autoscaler_namespace=\"shop\",autoscaler=\"gemma\",reason=\"RelistLong\"} 1\n";
	auto_json *autoscalers = yaml_parse(text, strlen(text), NULL);
	auto_strbuf page = STRBUF_INIT;
	size_t i;
	json_t *autoscaler;

	(void)state;
	link_health_begin(&page);
	json_array_foreach(autoscalers, i, autoscaler) {
		auto_view *view = view_decode(KIND_AUTOSCALER, autoscaler);

		link_health_add(view_autoscaler(view), &page);
	}
	advice_begin(&page);
	json_array_foreach(autoscalers, i, autoscaler) {
		auto_view *view = view_decode(KIND_AUTOSCALER, autoscaler);

		advice_add(view_autoscaler(view), &page);
	}
	assert_non_null(strstr(page.buf, "# TYPE inference_autoscaler_link_healthy gauge\n"));
	assert_memory_equal(strstr(page.buf, "gauge\n") + strlen("gauge\n"), samples, strlen(samples));
	assert_string_equal(strstr(page.buf, "# TYPE inference_autoscaler_advice"), advice);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_status_says_is_sampled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
