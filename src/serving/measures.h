/*
 * What the API tells of itself, in the format of Prometheus. Private to src/serving.
 */
#ifndef SERVING_MEASURES_H
#define SERVING_MEASURES_H

#include <stdint.h>

#include "base/strbuf.h"
#include "reader.h"

#define MEASURE_BOUNDS 10
#define MEASURE_CODES 5

/* All zeros is empty. */
struct measure_histogram {
	uint64_t counts[MEASURE_BOUNDS + 1]; /* up to each bound, and beyond the last */
	uint64_t sum_ms;
};

struct measures {
	uint64_t requests[MEASURE_CODES + 1]; /* by the codes of the table, and others */
	uint64_t forwarded;                   /* that a former owner of the API answered */
	uint64_t forward_failures;
	struct measure_histogram took; /* requests for metrics */
	struct measure_histogram age;  /* values that were answered */
};

void measure_add(struct measure_histogram *histogram, int64_t ms);
void measure_request(struct measures *measures, int status);
void measures_report(const struct measures *measures, const struct reader *reader, struct strbuf *page);

#endif
