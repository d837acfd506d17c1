/*
 * What a signal's metrics query (presets.h) comes to, elsewhere than in the adapter: in Prometheus
 * for all pods at once, and on one pod's own page. One text says the sum that all three work out,
 * so that their results may be compared.
 */
#ifndef ENGINE_QUERY_H
#define ENGINE_QUERY_H

#include <stdbool.h>
#include <stdint.h>

struct page;

/* The query as PromQL, one value for each pod of the cluster by the labels namespace and pod; of the samples that this
 * matcher selects, NULL = of all. Heap, caller owns. */
char *query_for_all(const char *metrics_query, const char *matcher);

/*
 * Its value on a pod's page that was read for its series (page.h); false when the page has none, or
 * when the query uses more of PromQL than the presets do: numbers, selectors, sum and max by (…), clamp_min, + - *, >=, > and `or`.
 */
bool query_on_page(const char *metrics_query, const struct page *page, double *value);
/* A value in thousandths, rounded; false when it is none that a load can have. */
bool query_milli(double value, int64_t *milli);

#endif
