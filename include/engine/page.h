/*
 * A /metrics page in the Prometheus text format, asked only which series it has.
 */
#ifndef ENGINE_PAGE_H
#define ENGINE_PAGE_H

#include <stdbool.h>

#include "engine/presets.h"

/* Whether a sample line of this name is on the page; HELP and TYPE lines do not count. */
bool page_has_series(const char *page, const char *name);
/* The engine whose marker is on the page; NULL when none. */
const struct engine *page_engine(const char *page);

#endif
