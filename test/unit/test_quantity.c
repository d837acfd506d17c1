/* Quantities, by the table of what the API server accepts and rejects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/quantity.h"

static const struct {
	const char *text;
	int64_t milli;
} parsed[] = {
	{"0", 0},
	{"4", 4000},
	{"+4", 4000},
	{"0.5", 500},
	{".5", 500},
	{"5.", 5000},
	{"007", 7000},
	{"2500m", 2500},
	{"1.5m", 2},
	{"1k", 1000000},
	{"1M", 1000000000},
	{"1G", 1000000000000},
	{"1T", 1000000000000000},
	{"1P", 1000000000000000000},
	{"1E", -1}, /* in thousandths, 63 bits end at 9.2P */
	{"9.2P", 9200000000000000000},
	{"9.3P", -1},
	{"0.001E", 1000000000000000000},
	{"1Ki", 1024000},
	{"1Mi", 1048576000},
	{"1Gi", 1073741824000},
	{"1Ti", 1099511627776000},
	{"1Pi", 1125899906842624000},
	{"1Ei", -1},
	{"0.5Ki", 512000},
	{"0.0001Ki", 103}, /* 102.4 rounds up */
	{"0.000000000000000001Ei", 1153},
	{"1u", 1},
	{"1000u", 1},
	{"1001u", 2},
	{"1n", 1},
	{"1000000n", 1},
	{"1000001n", 2},
	{"0n", 0},
	{"1e3", 1000000},
	{"1E3", 1000000},
	{"1e+3", 1000000},
	{"15e-1", 1500},
	{"1e-3", 1},
	{"1e-4", 1},
	{"1e-99999999999", 1},
	{"0e99999999999", 0},
	{"1e99999999999", -1},
	{"0.0000000000000000000000000000001", 1},
	{"0.0000000000000000000000000000000", 0},
	{"9223372036854775.807", INT64_MAX},
	{"9223372036854775.8070", INT64_MAX},
	{"9223372036854775.8071", -1}, /* rounds up past 63 bits */
	{"9223372036854775.808", -1},
	{"99999999999999999999999999", -1},
	{"-0", 0},
	{"-0.0", 0},
	{"-1", -1},
	{"-1m", -1},
	{"", -1},
	{"+", -1},
	{"-", -1},
	{".", -1},
	{"m", -1},
	{"Ki", -1},
	{"e3", -1},
	{"1e", -1},
	{"1e+", -1},
	{"1e-", -1},
	{"1e3k", -1},
	{"1.1.1", -1},
	{"1+1", -1},
	{"++1", -1},
	{"1 ", -1},
	{" 1", -1},
	{"1 k", -1},
	{"1K", -1}, /* k is lower, Ki is not */
	{"1ki", -1},
	{"1mi", -1},
	{"1i", -1},
	{"1kk", -1},
	{"0x10", -1},
	{"1,5", -1},
	{"abc", -1},
};

static void parse_by_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(parsed); i++) {
		int64_t milli = quantity_parse_milli(parsed[i].text);

		if (milli != parsed[i].milli) {
			fail_msg("'%s' gave %lld instead of %lld", parsed[i].text, (long long)milli,
				(long long)parsed[i].milli);
		}
	}
}

static void format_is_canonical(void **state)
{
	static const struct {
		int64_t milli;
		const char *text;
	} cases[] = {
		{0, "0"},
		{1, "1m"},
		{999, "999m"},
		{1000, "1"},
		{2500, "2500m"},
		{4000, "4"},
		{999000, "999"},
		{1000000, "1k"}, /* as the API server writes it back */
		{1500000, "1500"},
		{1500001, "1500001m"},
		{1000000000, "1M"},
		{INT64_C(1000000000000000000), "1P"},
		{INT64_C(9000000000000000000), "9P"},
		{INT64_MAX, "9223372036854775807m"},
		{-2500, "-2500m"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *text = quantity_format_milli(cases[i].milli);

		assert_string_equal(text, cases[i].text);
	}
}

static void people_read_decimals(void **state)
{
	static const struct {
		int64_t milli;
		const char *text;
	} cases[] = {{0, "0"}, {1, "0.001"}, {850, "0.85"}, {1000, "1"}, {10500, "10.5"}, {100000, "100"},
		{-2500, "-2.5"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		auto_free char *text = quantity_plain_milli(cases[i].milli);

		assert_string_equal(text, cases[i].text);
	}
}

static void what_is_formatted_reads_back(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		seed = seed * 6364136223846793005U + 1442695040888963407U;

		int64_t milli = (int64_t)(seed >> (1 + (seed >> 8) % 62));
		auto_free char *text = quantity_format_milli(milli);

		assert_true(quantity_parse_milli(text) == milli);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_by_the_table),
		cmocka_unit_test(format_is_canonical),
		cmocka_unit_test(people_read_decimals),
		cmocka_unit_test(what_is_formatted_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
