/* Times and durations as text, and that the clocks run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

static void parse_times_by_the_table(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-01-31T08:00:00Z", INT64_C(1769846400000)},
		{"2026-01-31T08:00:00.123456Z", INT64_C(1769846400123)},
		{"2026-01-31T08:00:00.5Z", INT64_C(1769846400500)},
		{"2026-01-31T08:00:00.999999999Z", INT64_C(1769846400999)},
		{"2026-01-31T09:30:00+01:30", INT64_C(1769846400000)},
		{"2026-01-31T00:00:00-08:00", INT64_C(1769846400000)},
		{"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
		{"2000-02-29T23:59:59Z", INT64_C(951868799000)},
		{"2000-03-01T00:00:00Z", INT64_C(951868800000)},
		{"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
		{"0001-01-01T00:00:00Z", -1}, /* the unset time of Go */
		{"1969-12-31T23:59:59Z", -1},
		{"2023-02-29T00:00:00Z", -1},
		{"2100-02-29T00:00:00Z", -1},
		{"2026-04-31T00:00:00Z", -1},
		{"2026-00-01T00:00:00Z", -1},
		{"2026-13-01T00:00:00Z", -1},
		{"2026-01-00T00:00:00Z", -1},
		{"2026-01-31T24:00:00Z", -1},
		{"2026-01-31T08:60:00Z", -1},
		{"2026-01-31T08:00:60Z", -1},
		{"2026-01-31T08:00:00", -1},
		{"2026-01-31T08:00:00.Z", -1},
		{"2026-01-31T08:00:00z", -1},
		{"2026-01-31 08:00:00Z", -1},
		{"2026-1-31T08:00:00Z", -1},
		{"2026-01-31T08:00Z", -1},
		{"2026-01-31", -1},
		{"2026-01-31T08:00:00Zx", -1},
		{"2026-01-31T08:00:00+24:00", -1},
		{"2026-01-31T08:00:00+01:60", -1},
		{"2026-01-31T08:00:00+0100", -1},
		{"+026-01-31T08:00:00Z", -1},
		{"", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = clock_parse_rfc3339(cases[i].text);

		if (ms != cases[i].ms) {
			fail_msg("'%s' gave %lld instead of %lld", cases[i].text, (long long)ms,
				(long long)cases[i].ms);
		}
	}
}

static void times_are_written_as_kubernetes_does(void **state)
{
	auto_free char *seconds = clock_rfc3339(INT64_C(1769846400987));
	auto_free char *micro = clock_rfc3339_micro(INT64_C(1769846400007));
	auto_free char *before = clock_rfc3339_micro(-1);

	(void)state;
	assert_string_equal(seconds, "2026-01-31T08:00:00Z");
	assert_string_equal(micro, "2026-01-31T08:00:00.007000Z");
	assert_string_equal(before, "1969-12-31T23:59:59.999000Z");
}

static void times_read_back(void **state)
{
	(void)state;
	/* a step that visits every month, hour and millisecond phase up to the year 2400 */
	for (int64_t ms = 0; ms < INT64_C(13569465600000); ms += INT64_C(1234567891)) {
		auto_free char *micro = clock_rfc3339_micro(ms);
		auto_free char *seconds = clock_rfc3339(ms);

		assert_true(clock_parse_rfc3339(micro) == ms);
		assert_true(clock_parse_rfc3339(seconds) == ms / 1000 * 1000);
	}
}

static void parse_durations_by_the_table(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{"0", 0},
		{"0s", 0},
		{"15s", 15000},
		{"1m30s", 90000},
		{"500ms", 500},
		{"1h", 3600000},
		{"1h15m30.918s", 4530918},
		{"1.5h", 5400000},
		{".5s", 500},
		{"1.s", 1000},
		{"1d", 86400000},
		{"1w2d", 777600000},
		{"1y", INT64_C(31536000000)},
		{"1ns", 1}, /* rounds up */
		{"999us", 1},
		{"1001us", 2},
		{"2000\xc2\xb5s", 2},
		{"2000\xce\xbcs", 2},
		{"0.000000000000001s", 0}, /* under a nanosecond there is nothing */
		{"292y", INT64_C(9208512000000)},
		{"293y", -1},
		{"9223372036854775807ns", INT64_C(9223372036855)},
		{"9223372036854775808ns", -1},
		{"99999999999999999999s", -1},
		{"", -1},
		{"15", -1},
		{"00", -1},
		{"s", -1},
		{".s", -1},
		{"-15s", -1},
		{"+15s", -1},
		{"15 s", -1},
		{"15s ", -1},
		{"15x", -1},
		{"1.5.5s", -1},
		{"15S", -1},
		{"1m30", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int64_t ms = clock_parse_duration(cases[i].text);

		if (ms != cases[i].ms) {
			fail_msg("'%s' gave %lld instead of %lld", cases[i].text, (long long)ms,
				(long long)cases[i].ms);
		}
	}
}

static void the_clocks_run(void **state)
{
	int64_t before = (int64_t)time(NULL) * 1000;
	int64_t wall = clock_wall_ms();
	int64_t after = ((int64_t)time(NULL) + 1) * 1000;
	int64_t start = clock_monotonic_ms();

	(void)state;
	/* time() may run a tick of the kernel behind */
	assert_true(wall >= before - 100 && wall <= after + 100);
	assert_true(clock_monotonic_ms() >= start);
	while (clock_monotonic_ms() == start) {
		continue;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_times_by_the_table),
		cmocka_unit_test(times_are_written_as_kubernetes_does),
		cmocka_unit_test(times_read_back),
		cmocka_unit_test(parse_durations_by_the_table),
		cmocka_unit_test(the_clocks_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
