/*
 * A /metrics page in the Prometheus text format: the samples of some series on it, and whose page it is.
 *
 * The page is text from a pod, so anything: nothing is assumed of it but the NUL at its end. It is gone through
 * once, and a sample's labels are read once; what is asked afterwards costs by the samples that were kept. Their
 * number has a bound, since all of it is done on the loop that also renews the Lease.
 */
#ifndef ENGINE_PAGE_H
#define ENGINE_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/error.h"
#include "engine/presets.h"

/* A larger page is not fetched: it is held in memory, and gone through on the loop. vLLM's page has 50 KiB for each
 * data-parallel rank, the most of all engines. */
#define PAGE_MAX_BYTES (1024u * 1024)
/* Of one series. An engine has one sample for each rank, model and priority: some dozens. */
#define PAGE_SAMPLES_MAX 1024
/* Of one series of buckets: those of 64 ranks with 128 buckets each. */
#define PAGE_BUCKETS_MAX 8192
/* Of one sample. Engines write up to ten. */
#define PAGE_LABELS_MAX 64

/* name="value"; neither is ended, and the value is as it is written, escapes and all. */
struct page_label {
	const char *name, *value;
	size_t name_len, value_len;
};

struct page_sample {
	const struct page_label *labels;
	size_t labels_count;
	size_t series; /* the same for those of one name, however it is spelled */
	double value;
};

struct page;

/* Looks for no series yet. Never NULL. */
struct page *page_new(void);
/* Looks for what that one looks for, which was not read and outlives this one. Never NULL. */
struct page *page_like(const struct page *other);
/* Before it is read: looks for the series of a name, of a selector name{…}, or for all of a metrics query. */
void page_want(struct page *page, const char *expression);
/* Likewise, for the buckets of the histogram of this name. Of these a page may have more, and too many are no
 * refusal. */
void page_want_histogram(struct page *page, const char *name);
/* Whether a line, which ends with '\n' or '\0', is a sample or the type of a series that it looks for. Before it is read. */
bool page_wants_line(struct page *page, const char *line);
/* Once; the text is borrowed for as long as the page is there. -1 when it is refused: then `err` names the limit that
 * it exceeds, as the end of a sentence that begins with the page. */
int page_read(struct page *page, const char *text, struct error *err);
/* A page that was read for all that the table of engines names; NULL when it is refused. */
struct page *page_of_engines(const char *text, struct error *err);
/* Before it is read: looks for what page_engine() and page_router() need. */
void page_want_owners(struct page *page);
/* NULL is allowed. */
void page_free(struct page *page);
void page_free_indirect(struct page **page);
#define auto_page ATTR_CLEANUP(page_free_indirect) struct page

/* Of a series that is looked for. Whether a sample of it is on the page; HELP and TYPE lines do not count. The series
 * is a name, or a selector name{label="value",…} as of page_sample_matches(). */
bool page_has_series(const struct page *page, const char *series);
/* The next sample behind `after` (NULL: the first) of the series of this name (not ended, `len` long) that is looked
 * for; NULL when there is none. */
const struct page_sample *page_next_sample(const struct page *page, const char *name, size_t len,
	const struct page_sample *after);
/* Whether there are more samples of it than are kept: then those that are tell only a part. */
bool page_has_too_many(const struct page *page, const char *name, size_t len);
/* Whether it has the labels name="value",… of a selector; a value "" asks for the absence of the
 * label. What is no such pair, the adapter's <<.LabelMatchers>>, is passed over. */
bool page_sample_matches(const struct page_sample *sample, const char *matchers);
/* The label of this name (not ended); NULL when the sample has none. */
const struct page_label *page_sample_label(const struct page_sample *sample, const char *name, size_t len);

/* A number as a page has it, a value or a bucket's bound; not ended. False when it is none. */
bool page_number(const char *text, size_t len, double *value);

/* Whether a series that is looked for is there as a sample or as a TYPE line: an engine that has had no request yet may
 * only announce its series. */
bool page_announces(const struct page *page, const char *name);

/* The engine whose mark the page announces. With marks of two, that of the first row. NULL when none. */
const struct engine *page_engine(const struct page *page);
/* The router whose page it is, of whatever engine's marks; NULL when it is none's. */
const struct router *page_router(const struct page *page);

#endif
