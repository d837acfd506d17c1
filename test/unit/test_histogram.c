/* Where a quantile lies, and pages on which it lies nowhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "page_text.h"

#define B(labels, count) "took_bucket{" labels "} " count "\n"

static void a_quantile_lies_between_two_bounds(void **state)
{
	static const struct {
		const char *page;
		double over, upto, count;
	} rows[] = {
		{B("le=\"1.0\"", "98") B("le=\"2.5\"", "99") B("le=\"+Inf\"", "100"), 1, 2.5, 100},
		{B("le=\"1.0\"", "99") B("le=\"2.5\"", "99") B("le=\"+Inf\"", "100"), 0, 1, 100},
		{B("le=\"1.0\"", "0") B("le=\"2.5\"", "90") B("le=\"+Inf\"", "100"), 2.5, INFINITY, 100},
		/* Two ranks of one pod, in any order, among others. */
		{"# TYPE took histogram\n" B("engine=\"1\",le=\"+Inf\"", "50")
				B("le=\"5\",engine=\"0\"", "1e2") "took_sum 7\n" B("engine=\"0\",le=\"+Inf\"", "100")
					B("engine=\"1\",le=\"5\"", "0") "tooks_bucket{le=\"1\"} 3\n",
			5, INFINITY, 150},
	};

	(void)state;
	for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
		struct quantile q;

		assert_true(text_quantile(rows[r].page, "took", 0.99, &q));
		assert_true(q.over == rows[r].over && q.upto == rows[r].upto && q.count == rows[r].count);
	}
}

static void a_page_may_not_have_it(void **state)
{
	static const char *const pages[] = {
		"",
		"took_sum 7\ntook_count 3\n",
		B("le=\"1\"", "0") B("le=\"+Inf\"", "0"),
		B("le=\"1\"", "100"),
		B("engine=\"0\"", "100") B("le=\"+Inf\"", "100"),
		B("le=\"many\"", "100") B("le=\"+Inf\"", "100"),
		B("le=\"1\"", "NaN") B("le=\"+Inf\"", "100"),
		B("le=\"1\"", "-1") B("le=\"+Inf\"", "100"),
		B("le=\"1\"", "100") B("le=\"+Inf\"", "99"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
		struct quantile q;

		assert_false(text_quantile(pages[i], "took", 0.99, &q));
	}
}

static void a_page_without_end_of_buckets_is_refused(void **state)
{
	auto_strbuf page = STRBUF_INIT;
	struct quantile q;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		strbuf_addf(&page, "took_bucket{le=\"%d\"} %d\n", i, i);
	}
	strbuf_addstr(&page, "took_bucket{le=\"+Inf\"} 1000\n");
	assert_false(text_quantile(page.buf, "took", 0.99, &q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quantile_lies_between_two_bounds),
		cmocka_unit_test(a_page_may_not_have_it),
		cmocka_unit_test(a_page_without_end_of_buckets_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
