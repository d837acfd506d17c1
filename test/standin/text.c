/* Numbers and labels. */
#include "text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void text_add_float(struct strbuf *page, double value)
{
	if (value == floor(value) && fabs(value) < 1e15) {
		strbuf_addf(page, "%.1f", value);
	} else {
		text_add_number(page, value);
	}
}

void text_add_number(struct strbuf *page, double value)
{
	if (isnan(value)) {
		strbuf_addstr(page, "NaN");
	} else if (isinf(value)) {
		strbuf_addstr(page, value > 0 ? "+Inf" : "-Inf");
	} else {
		strbuf_addf(page, "%.16g", value);
	}
}

void text_add_label(struct strbuf *page, const char *name, const char *value)
{
	if (page->buf[page->len - 1] != '{') {
		strbuf_addch(page, ',');
	}
	strbuf_addf(page, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\n') {
			strbuf_addstr(page, "\\n");
		} else if (*value == '"' || *value == '\\') {
			strbuf_addf(page, "\\%c", *value);
		} else {
			strbuf_addch(page, *value);
		}
	}
	strbuf_addch(page, '"');
}

void text_add_stamped(struct strbuf *to, const char *page, int64_t at_ms)
{
	while (*page) {
		size_t len = strcspn(page, "\n");

		strbuf_add(to, page, len);
		if (len > 0 && *page != '#') {
			strbuf_addf(to, " %" PRId64, at_ms);
		}
		strbuf_addch(to, '\n');
		page += len + (page[len] == '\n');
	}
}
