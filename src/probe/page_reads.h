/*
 * The pages of some more pods, at the place where the first one's was found: only for their values.
 * They are read at the same time; one that does not answer soon has no value in this probe.
 */
#ifndef PROBE_PAGE_READS_H
#define PROBE_PAGE_READS_H

#include <jansson.h>

#include "page_fetch.h"

struct page_reads;

struct page_reads_order {
	struct page_fetches *fetches; /* borrowed */
	json_t *request;              /* of probe/probe.h; the reference is kept */
	const json_t *pods;           /* a PodList; read during the call */
	const json_t *counted;        /* of reading.h, likewise: which of them */
	json_t *page;                 /* the first one's document, with a page; the reference is kept */
	/* The values are in the document then. From the loop, once. */
	void (*done)(void *ctx);
	void *ctx;
};

/* NULL when there is nothing to read: `done` does not come. Otherwise valid until then. */
struct page_reads *page_reads_start(const struct page_reads_order *order);
/* `done` comes all the same. */
void page_reads_cancel(struct page_reads *reads);

#endif
