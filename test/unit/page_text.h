/*
 * What a page's text says, asked at once: for tests, each of which asks one text one thing.
 */
#ifndef TEST_PAGE_TEXT_H
#define TEST_PAGE_TEXT_H

#include <stdlib.h>

#include "engine/histogram.h"
#include "engine/page.h"
#include "engine/query.h"

/* Read for what the expression names; the caller frees it. */
static inline struct page *text_page(const char *text, const char *expression)
{
	struct page *page = page_new();

	page_want(page, expression);
	if (page_read(page, text, NULL) < 0) {
		abort(); /* a test of limits reads the page itself */
	}
	return page;
}

static inline bool text_has_series(const char *text, const char *series)
{
	auto_page *page = text_page(text, series);

	return page_has_series(page, series);
}

static inline const struct engine *text_engine(const char *text)
{
	auto_page *page = page_of_engines(text, NULL);

	return page_engine(page);
}

static inline bool text_query(const char *metrics_query, const char *text, double *value)
{
	auto_page *page = text_page(text, metrics_query);

	return query_on_page(metrics_query, page, value);
}

static inline bool text_quantile(const char *text, const char *series, double share, struct quantile *quantile)
{
	auto_page *page = page_new();

	page_want_histogram(page, series);
	return page_read(page, text, NULL) == 0 && histogram_quantile(page, series, share, quantile);
}

#endif
