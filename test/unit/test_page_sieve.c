/* A page that is read while it arrives says what the whole page says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/strbuf.h"
#include "engine/page_sieve.h"
#include "engine/query.h"

#define RUNNING "vllm:num_requests_running"
#define QUERY "sum(" RUNNING "{<<.LabelMatchers>>} >= 0) by (<<.GroupBy>>)"

/* The value and what was kept, when the text comes in pieces of `piece` bytes; -1 when it has none. */
static double value_in_pieces(const char *text, size_t len, size_t piece, size_t *kept)
{
	auto_page *wanted = page_new();
	struct page_sieve *sieve;
	double value = -1;

	page_want(wanted, QUERY);
	sieve = page_sieve_new(wanted);
	for (size_t at = 0; at < len; at += piece) {
		assert_true(page_sieve_add(sieve, text + at, len - at < piece ? len - at : piece));
	}
	*kept = page_sieve_kept(sieve);
	{
		auto_page *page = page_sieve_read(sieve, NULL);

		if (page != NULL && !query_on_page(QUERY, page, &value)) {
			value = -1;
		}
	}
	page_sieve_free(sieve);
	return value;
}

static const char page_text[] =
	"# HELP " RUNNING " Number of requests.\n"
	"# TYPE " RUNNING " gauge\n"
	"\n"
	"python_info{version=\"3\"} 1\n" RUNNING "{engine=\"0\",model=\"a\"} 3\n"
	"vllm:num_requests_running_total 8\n" RUNNING "{engine=\"1\",model=\"a\"} 4.5\r\n"
	"ray_" RUNNING "{engine=\"2\"} 2\n" RUNNING "{engine=\"3\"} NaN\n" RUNNING "{engine=\"4\"} 1";

static void each_cut_gives_the_same(void **state)
{
	size_t kept;

	(void)state;
	for (size_t piece = 1; piece < sizeof(page_text); piece++) {
		assert_true(value_in_pieces(page_text, sizeof(page_text) - 1, piece, &kept) == 10.5);
		assert_true(kept < 300);
	}
}

static void what_stands_behind_a_nul_is_not_read(void **state)
{
	static const char text[] = RUNNING " 1\n" RUNNING "{a=\"b\"} 2\0\n" RUNNING "{a=\"c\"} 4\n";
	size_t kept;

	(void)state;
	for (size_t piece = 1; piece < sizeof(text); piece++) {
		assert_true(value_in_pieces(text, sizeof(text) - 1, piece, &kept) == 3);
	}
}

/* Of a line that nobody wants no more is kept than it takes to know that. */
static void a_line_of_a_mebibyte_is_not_kept(void **state)
{
	auto_page *wanted = page_new();
	struct page_sieve *sieve;
	auto_free char *line = xcalloc(1, PAGE_MAX_BYTES);
	size_t most = 0;

	(void)state;
	memset(line, 'x', PAGE_MAX_BYTES);
	page_want(wanted, QUERY);
	sieve = page_sieve_new(wanted);
	for (size_t at = 0; at < PAGE_MAX_BYTES; at += 1000) {
		size_t left = PAGE_MAX_BYTES - at;

		assert_true(page_sieve_add(sieve, line + at, left < 1000 ? left : 1000));
		most = page_sieve_kept(sieve) > most ? page_sieve_kept(sieve) : most;
	}
	assert_int_equal(most, 0);
	assert_false(page_sieve_add(sieve, "x", 1));
	assert_null(page_sieve_read(sieve, NULL));
	page_sieve_free(sieve);
}

/* What a page of the most bytes takes, in the pieces in which it comes. */
static void a_mebibyte_costs_little(void **state)
{
	auto_strbuf text = STRBUF_INIT;
	size_t kept;
	int64_t start_ns;
	int64_t ns;

	(void)state;
	strbuf_addstr(&text, RUNNING " 7\n");
	for (int i = 0; text.len < PAGE_MAX_BYTES - 100; i++) {
		strbuf_addf(&text, "vllm:request_latency_seconds_bucket{engine=\"0\",le=\"%d\"} %d.0\n", i, i);
	}
	start_ns = clock_worked_ns();
	assert_true(value_in_pieces(text.buf, text.len, 16384, &kept) == 7);
	ns = clock_worked_ns() - start_ns;
	print_message("a page of 1 MiB: %lld us\n", (long long)(ns / 1000));
	assert_true(kept < 1024);
	assert_true(ns < 50 * 1000 * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_cut_gives_the_same),
		cmocka_unit_test(what_stands_behind_a_nul_is_not_read),
		cmocka_unit_test(a_line_of_a_mebibyte_is_not_kept),
		cmocka_unit_test(a_mebibyte_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
