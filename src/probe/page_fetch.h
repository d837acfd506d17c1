/*
 * Fetching pods' pages, of all autoscalers together no more at once than there is memory for.
 *
 * What is beyond that waits in line, first come first served. A pod that drips its page keeps its place no longer
 * than its fetch's time, which runs from the moment when the fetch begins.
 */
#ifndef PROBE_PAGE_FETCH_H
#define PROBE_PAGE_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "net/http_client.h"

/* Each may still bring PAGE_MAX_BYTES: 16 MiB in all, an eighth of the memory that the chart allows. */
#define PAGE_FETCHES_MAX 16

struct page_fetches;
struct page_fetch;

struct page_fetch_order {
	const char *url; /* read during the call */
	int64_t timeout_ms;
	int64_t connect_timeout_ms;
	size_t max_body;
	int64_t *spent_ms; /* the time that the fetch took is added, without that in line; NULL = nobody asks */
	/* As http_client's. From the loop, once. */
	http_done_fn *done;
	void *ctx;
};

/* The client is borrowed. */
struct page_fetches *page_fetches_new(struct http_client *http);
/* None is left. */
void page_fetches_free(struct page_fetches *fetches);
/* Valid until its done is called. */
struct page_fetch *page_fetch_start(struct page_fetches *fetches, const struct page_fetch_order *order);
/* `done` comes all the same, soon. */
void page_fetch_cancel(struct page_fetch *fetch);

#endif
