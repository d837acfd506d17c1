/* The stand-in's page of the GPUs' exporter: what dcgm-exporter writes, for whom, and what it leaves out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "engine/gpu.h"
#include "page_text.h"
#include "standin/dcgm.h"

#define TWO_PODS                                                                                                       \
	"[{\"namespace\":\"shop\",\"pod\":\"a\",\"container\":\"llm\",\"gpus\":[{\"util\":87},{\"util\":3}]},"         \
	"{\"namespace\":\"shop\",\"pod\":\"b\",\"gpus\":[{\"util\":null},{\"util\":50,\"uuid\":\"GPU-x\"}]}]"

#define SAMPLE(gpu, bus, rest)                                                                                         \
	"{gpu=\"" gpu "\",UUID=\"GPU-b1c14e0d-0000-4000-8000-00000000000" gpu "\",pci_bus_id=\"00000000:" bus          \
	":00.0\",device=\"nvidia" gpu "\",modelName=\"NVIDIA H100 80GB HBM3\"" rest
#define HOST ",Hostname=\"node\",DCGM_FI_DRIVER_VERSION=\"580.82.07\""
#define POD_A ",container=\"llm\",namespace=\"shop\",pod=\"a\"} "

static json_t *parse(const char *text)
{
	auto_error err = ERROR_INIT;
	json_t *value = json_parse(text, strlen(text), &err);

	assert_non_null(value);
	return value;
}

static char *page_of(struct dcgm_options options, const char *assignment)
{
	struct strbuf page = STRBUF_INIT;
	auto_json *pods = parse(assignment);

	options.hostname = "node";
	dcgm_page(&page, &options, pods);
	return strbuf_take(&page);
}

static int count(const char *page, const char *text)
{
	int found = 0;

	for (; (page = strstr(page, text)) != NULL; page++) {
		found++;
	}
	return found;
}

static void want(const char *page, const char *text)
{
	if (strstr(page, text) == NULL) {
		fail_msg("not on the page: %s\n%s", text, page);
	}
}

static void whole_gpus_are_shown_with_their_pods(void **state)
{
	auto_free char *page = page_of((struct dcgm_options){.gpus = 1}, TWO_PODS);

	(void)state;
	want(page, "\n# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).\n# TYPE DCGM_FI_DEV_GPU_UTIL gauge\n"
		   "DCGM_FI_DEV_GPU_UTIL" SAMPLE("0", "1B", HOST POD_A) "87\n"
									"DCGM_FI_DEV_GPU_UTIL" SAMPLE("1", "2C",
										HOST POD_A) "3\n");
	want(page, "DCGM_FI_PROF_GR_ENGINE_ACTIVE" SAMPLE("0", "1B", HOST POD_A) "0.870000\n");
	want(page, "UUID=\"GPU-x\"");
	/* of the GPU without a value, all but what comes from it */
	assert_int_equal(count(page, "\nDCGM_FI_DEV_GPU_UTIL{"), 3);
	assert_int_equal(count(page, "\nDCGM_FI_DEV_FB_USED{"), 4);
	for (size_t i = 0; gpu_dcgm_series[i] != NULL; i++) {
		assert_true(text_has_series(page, gpu_dcgm_series[i]));
	}
	assert_null(text_engine(page));
}

static void a_gpu_that_nobody_holds_has_no_pod(void **state)
{
	auto_free char *page = page_of((struct dcgm_options){.gpus = 2}, "[]");

	(void)state;
	want(page, "DCGM_FI_DEV_GPU_UTIL" SAMPLE("1", "2C", HOST "} 0\n"));
	assert_null(strstr(page, "pod="));
}

static void an_instance_has_no_utilisation_but_a_ratio(void **state)
{
	auto_free char *page = page_of((struct dcgm_options){.gpus = 9, .mig = "1g.10gb"}, TWO_PODS);

	(void)state;
	want(page, "DCGM_FI_PROF_GR_ENGINE_ACTIVE" SAMPLE("0", "1B",
			   ",GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\"7\"" HOST POD_A) "0.870000\n");
	want(page, "DCGM_FI_PROF_GR_ENGINE_ACTIVE" SAMPLE("0", "1B",
			   ",GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\"8\"" HOST POD_A) "0.030000\n");
	/* the eighth is on the next GPU */
	want(page, "DCGM_FI_DEV_FB_USED" SAMPLE("1", "2C", ",GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\"7\"" HOST "} "));
	assert_null(strstr(page, "DCGM_FI_DEV_GPU_UTIL"));
}

static void pods_can_be_left_out(void **state)
{
	auto_free char *page = page_of((struct dcgm_options){.gpus = 1, .no_pods = true}, TWO_PODS);

	(void)state;
	want(page, "DCGM_FI_DEV_GPU_UTIL" SAMPLE("0", "1B", HOST "} 87\n"));
	assert_null(strstr(page, "pod="));
}

static void an_assignment_is_checked(void **state)
{
	static const struct {
		const char *text, *complaint;
	} bad[] = {
		{"{}", "give a list"},
		{"[{\"pod\":\"a\",\"gpus\":[{\"util\":1}]}]", "[0]: 'namespace' and 'pod'"},
		{"[{\"namespace\":\"n\",\"pod\":\"a\"}]", "[0]: 'gpus' must be a list"},
		{"[{\"namespace\":\"n\",\"pod\":\"a\",\"gpus\":[{\"util\":1},{}]}]", "[0].gpus[1]: 'util'"},
		{"[{\"namespace\":\"n\",\"pod\":\"a\",\"gpus\":[{\"util\":-1}]}]", "[0].gpus[0]: 'util'"},
		{"[{\"namespace\":\"n\",\"pod\":\"a\",\"gpus\":[{\"util\":\"1\"}]}]", "[0].gpus[0]: 'util'"},
	};
	auto_json *good = parse(TWO_PODS);
	auto_error none = ERROR_INIT;

	(void)state;
	assert_int_equal(dcgm_check(good, &none), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		auto_json *value = parse(bad[i].text);
		auto_error err = ERROR_INIT;

		assert_int_equal(dcgm_check(value, &err), -1);
		want(err.message, bad[i].complaint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_gpus_are_shown_with_their_pods),
		cmocka_unit_test(a_gpu_that_nobody_holds_has_no_pod),
		cmocka_unit_test(an_instance_has_no_utilisation_but_a_ratio),
		cmocka_unit_test(pods_can_be_left_out),
		cmocka_unit_test(an_assignment_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
