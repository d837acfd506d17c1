/* Pods' GPUs on an exporter's page, and addresses that are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "pods/pod_address.h"
#include "serving/gpu_page.h"

#define UTIL "DCGM_FI_DEV_GPU_UTIL"
#define RATIO "DCGM_FI_PROF_GR_ENGINE_ACTIVE"
#define HELD(gpu) "UUID=\"" gpu "\",GPU_I_ID=\"\",namespace=\"team\",pod=\"p\""
#define INSTANCE(id) "UUID=\"g\",GPU_I_ID=\"" id "\",namespace=\"team\",pod=\"p\""

/* In thousandths of a percent; -1 = none. */
static int64_t read_milli(const char *text, const char *pod)
{
	auto_page *page = page_new();
	struct figures figures = {.items = NULL};
	int64_t milli;

	gpu_page_want(page);
	assert_int_equal(page_read(page, text, NULL), 0);
	gpu_page_answer(page, &figures);
	if (!figures_find(&figures, pod, &milli)) {
		milli = -1;
	}
	figures_release(&figures);
	return milli;
}

static const struct {
	const char *text;
	int64_t milli;
} rows[] = {
	{UTIL "{" HELD("a") "} 40\n", 40000},
	/* the average over its GPUs */
	{UTIL "{" HELD("a") "} 40\n" UTIL "{" HELD("b") "} 61\n", 50500},
	/* a GPU that is told twice counts once, with the larger value */
	{UTIL "{" HELD("a") ",container=\"x\"} 40\n" UTIL "{" HELD("a") ",container=\"y\"} 60\n" UTIL
									"{" HELD("b") "} 20\n",
		40000},
	/* the ratio stands in where there is no utilisation, and only there */
	{RATIO "{" HELD("a") "} 0.25\n", 25000},
	{UTIL "{" HELD("a") "} 40\n" RATIO "{" HELD("a") "} 0.25\n", 40000},
	{UTIL "{" HELD("a") "} NaN\n" RATIO "{" HELD("a") "} 0.25\n", 25000},
	{UTIL "{" HELD("a") "} 2147483648\n" RATIO "{" HELD("a") "} 1.01\n", 100000},
	{RATIO "{" HELD("a") "} 2.5\n", -1},
	/* an instance has no utilisation of its own */
	{UTIL "{" INSTANCE("1") "} 0\n" RATIO "{" INSTANCE("1") "} 0.5\n" RATIO "{" INSTANCE("2") "} 0.7\n", 60000},
	/* whose GPU it is has to be told */
	{UTIL "{UUID=\"a\",namespace=\"\",pod=\"\"} 40\n", -1},
	{UTIL "{UUID=\"a\"} 40\n", -1},
	{UTIL "{UUID=\"a\",namespace=\"other\",pod=\"p\"} 40\n", -1},
};

static void a_pod_has_the_average_of_its_gpus(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t milli = read_milli(rows[i].text, "team/p");

		if (milli != rows[i].milli) {
			fail_msg("%s comes to %lld and not to %lld", rows[i].text, (long long)milli,
				(long long)rows[i].milli);
		}
	}
}

static void only_addresses_of_pods_are_read(void **state)
{
	static const char *const pods[] = {"10.1.0.7", "192.168.0.1", "100.64.0.1", "fd00::1", "2001:db8::7"};
	static const char *const none[] = {"", "x", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255",
		"::", "fe80::1", "ff02::1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::10.0.0.1", "10.1.0.7:80",
		"10.1", "0x7f.1", "10.0.0.1/x", "10.0.0.1@evil"};
	static const char *const loopback[] = {"127.0.0.1", "127.9.9.9", "::1"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pods); i++) {
		assert_true(pod_address_is_read(pods[i], false));
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		assert_false(pod_address_is_read(none[i], false));
		assert_false(pod_address_is_read(none[i], true));
	}
	for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
		assert_false(pod_address_is_read(loopback[i], false));
		assert_true(pod_address_is_read(loopback[i], true));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_has_the_average_of_its_gpus),
		cmocka_unit_test(only_addresses_of_pods_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
