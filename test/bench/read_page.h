/* Reading a metrics page as the operator does, for all signals of all engines. */
#ifndef BENCH_READ_PAGE_H
#define BENCH_READ_PAGE_H

#include <jansson.h>

#include "base/error.h"
#include "base/strbuf.h"

/* What a page is read for: made once, freed by read_page_for_free(). */
struct read_page_for {
	json_t *signals; /* owned: of all engines */
	json_t *series;  /* owned: their names */
};

void read_page_for_init(struct read_page_for *all);
void read_page_for_free(struct read_page_for *all);
/* What was read, and under `values` each signal's value in thousandths; NULL when the page is refused. New
 * reference. */
json_t *read_page(const char *text, const struct read_page_for *all, struct error *err);
/* The whole file; ends the program when it cannot be read. */
struct strbuf read_file(const char *path);

#endif
