/*
 * A /metrics page in the Prometheus text format: which series it has, and whose page it is.
 *
 * The page is text from a pod, so anything: nothing is assumed of it but the NUL at its end.
 */
#ifndef ENGINE_PAGE_H
#define ENGINE_PAGE_H

#include <stdbool.h>

#include "engine/presets.h"

/* Whether a sample line of this series is on the page; HELP and TYPE lines do not count. The series
 * is a name, or a selector name{label="value",…} whose labels the line must have among its own;
 * values are compared as they are written, escapes and all. */
bool page_has_series(const char *page, const char *series);
/* The engine whose mark is on the page, as a sample or as a TYPE line: an engine that has had no
 * request yet may only announce its series. With marks of two, that of the first row. NULL when
 * none. */
const struct engine *page_engine(const char *page);

#endif
