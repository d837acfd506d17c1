/*
 * Whether the pods' page need not be read again, because all that is known besides says what it said.
 *
 * Prometheus reads the same page at each scrape: as long as it can, its samples are fresh and of the same pods, and the
 * values were those of the page when that was read last, the page stands for some two minutes. While something else of a
 * new chain is awaited it stands for some seconds. Private to src/probe.
 */
#ifndef PROBE_PAGE_TRUST_H
#define PROBE_PAGE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "counted_pods.h"
#include "evidence/evidence.h"
#include "timing.h"

/* Each key has its own jitter. */
#define PAGE_TRUSTED_MS (2 * 60 * 1000)
#define PAGE_OF_WAITING_MS 20000

/* All is borrowed. */
struct page_trust {
	const struct probe_request *request;
	enum timing_calm calm;       /* of the probe */
	const struct evidence *last; /* of the probe before; NULL = none */
	const char *pod;             /* whose page would be read */
	const struct counted_pods *counted;
	int64_t now_ms;
};

/* Whether the page of the probe before stands. */
bool page_is_trusted(const struct page_trust *trust);
/* Whether what a probe saw besides casts doubt on a page that stood. */
bool page_is_doubted(const struct evidence *seen, const struct counted_pods *counted);

#endif
