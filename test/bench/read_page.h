/* Reading a metrics page as the operator does, for all signals of all engines. */
#ifndef BENCH_READ_PAGE_H
#define BENCH_READ_PAGE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strbuf.h"
#include "evidence/evidence.h"

/* What a page is read for: made once, freed by read_page_for_free(). */
struct read_page_for {
	struct probe_request *request; /* counted: of the signals of all engines */
	struct texts series;           /* owned: their names */
};

void read_page_for_init(struct read_page_for *all);
void read_page_for_free(struct read_page_for *all);
/* What was read, with each signal's value; to be given to read_page_release(), also when the page is refused, which is
 * false. */
bool read_page(const char *text, const struct read_page_for *all, struct page_seen *seen, struct error *err);
void read_page_release(struct page_seen *seen);
/* The whole file; ends the program when it cannot be read. */
struct strbuf read_file(const char *path);

#endif
