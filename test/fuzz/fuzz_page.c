/* Any text as a metrics page and as a selector: nothing is read beyond its end, and what has a selector's series has
 * the series without its labels too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "engine/histogram.h"
#include "engine/page.h"
#include "engine/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	auto_free char *text = len ? xstrndup((const char *)data, len) : xstrdup("");
	auto_free char *selector = xstrndup(text, strcspn(text, "\n"));
	auto_free char *name = xstrndup(selector, strcspn(selector, "{"));
	auto_error err = ERROR_INIT;
	auto_page *engines_page = page_of_engines(text, &err);
	auto_page *page = page_new();
	struct quantile quantile;
	double value;

	if ((engines_page == NULL) != (err.kind != ERROR_NONE)) {
		abort();
	}
	if (engines_page != NULL) {
		page_engine(engines_page);
		for (size_t e = 0; e < engines_count; e++) {
			for (size_t i = 0; i < ENGINE_SIGNALS_MAX && engines[e].signals[i].name != NULL; i++) {
				query_on_page(engines[e].signals[i].metrics_query, engines_page, &value);
			}
		}
	}
	page_want(page, "x");
	page_want(page, name);
	page_want_histogram(page, "y");
	if (page_read(page, text, NULL) < 0) {
		return 0;
	}
	if (page_has_series(page, "x{a=\"1\",b=\"2\"}") && !page_has_series(page, "x")) {
		abort();
	}
	if (page_has_series(page, selector) && !page_has_series(page, name)) {
		abort();
	}
	query_on_page(selector, page, &value);
	histogram_quantile(page, "y", 0.99, &quantile);
	return 0;
}
