/*
 * A /metrics page in the Prometheus text format: which series it has, and whose page it is.
 *
 * The page is text from a pod, so anything: nothing is assumed of it but the NUL at its end.
 */
#ifndef ENGINE_PAGE_H
#define ENGINE_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "engine/presets.h"

/* Whether a sample line of this series is on the page; HELP and TYPE lines do not count. The series
 * is a name, or a selector name{label="value",…} whose labels the line must have among its own;
 * values are compared as they are written, escapes and all. */
bool page_has_series(const char *page, const char *series);
/* A sample line; the labels are the text behind the brace that opens them, not ended, "" for none. */
struct page_sample {
	const char *labels;
	double value;
};

/* The next sample of the series of this name (not ended, `len` long) at or behind `from`, a line's
 * begin; returns what follows its line, where to go on from. NULL when there is none. */
const char *page_next_sample(const char *from, const char *name, size_t len, struct page_sample *sample);
/* Whether it has the labels name="value",… of a selector; a value "" asks for the absence of the
 * label. What is no such pair, the adapter's <<.LabelMatchers>>, is passed over. */
bool page_sample_matches(const struct page_sample *sample, const char *matchers);
/* The value of the label of this name, up to its closing quote and as it is written; NULL when the
 * sample has none. */
const char *page_sample_label(const struct page_sample *sample, const char *name);
/* Whether both have the same values of these labels, "a,b"; "" are none. */
bool page_samples_agree(const struct page_sample *a, const struct page_sample *b, const char *labels);

/* The engine whose mark is on the page, as a sample or as a TYPE line: an engine that has had no
 * request yet may only announce its series. With marks of two, that of the first row. NULL when
 * none. */
const struct engine *page_engine(const char *page);

#endif
