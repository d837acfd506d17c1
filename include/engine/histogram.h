/*
 * A histogram on a /metrics page: where a share of all that was observed lies.
 */
#ifndef ENGINE_HISTOGRAM_H
#define ENGINE_HISTOGRAM_H

#include <stdbool.h>

struct page;

/* The quantile is more than `over` and at most `upto`, INFINITY when it lies beyond the last bound. */
struct quantile {
	double over, upto;
	double count; /* of observations since the process began */
};

/* Of all series of the histogram together, `share` from 0 to 1; false when the page does not have it,
 * was not read for it (page.h) or has too many buckets, nothing was observed, or its series do not have the
 * same buckets. */
bool histogram_quantile(const struct page *page, const char *name, double share, struct quantile *quantile);

#endif
