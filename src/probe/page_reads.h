/*
 * The pages of some more pods, at the place where the first one's was found: only for their values.
 * They are read at the same time; one that does not answer soon has no value in this probe.
 */
#ifndef PROBE_PAGE_READS_H
#define PROBE_PAGE_READS_H

#include "evidence/evidence.h"
#include "pods/pods.h"
#include "page_fetch.h"
#include "counted_pods.h"

struct page_reads;

/* Everything is borrowed until it is done, but what is read during the call. */
struct page_reads_order {
	struct page_fetches *fetches;
	const struct probe_request *request;
	const struct pod_list *pods;        /* read during the call */
	const struct counted_pods *counted; /* likewise: which of them */
	struct page_seen *page;             /* the first one's, with a page; gets the values, sorted by pod */
	/* From the loop, once. */
	void (*done)(void *ctx);
	void *ctx;
};

/* NULL when there is nothing to read: `done` does not come. Otherwise valid until then. */
struct page_reads *page_reads_start(const struct page_reads_order *order);
/* `done` comes all the same. */
void page_reads_cancel(struct page_reads *reads);

#endif
