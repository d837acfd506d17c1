/*
 * What the pods' pages say of a metric, in the place of Prometheus' samples: for what our own metrics API serves, which
 * reads the pages too. Private to src/probe.
 */
#ifndef PROBE_PAGE_SAMPLES_H
#define PROBE_PAGE_SAMPLES_H

#include "evidence/evidence.h"
#include "counted_pods.h"

/* Of the pods that count and whose pages were read, which may be some of them only. `series` is empty before. */
void page_samples(const struct page_seen *page, const char *metric, const struct counted_pods *counted,
	struct series_seen *series);

#endif
