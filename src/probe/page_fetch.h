/*
 * Fetching pods' pages, of all autoscalers together no more at once than there is memory for.
 *
 * What is beyond that waits in line, first come first served. A pod that drips its page keeps its place no longer
 * than its fetch's time, which runs from the moment when the fetch begins.
 */
#ifndef PROBE_PAGE_FETCH_H
#define PROBE_PAGE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/http_client.h"
#include "view/pod.h"

/* Each may still bring PAGE_MAX_BYTES: 16 MiB in all, an eighth of the memory that the chart allows. */
#define PAGE_FETCHES_MAX 16

/* Said of a pod that is not read, whose status is not written by its node as it is. */
#define PAGE_FETCH_NO_ADDRESS "its status.podIP is no address that a pod can have"

struct page_fetches;
struct page_fetch;

struct page_fetch_order {
	const char *url;     /* read during the call */
	const char *refused; /* of page_fetches_refuse() */
	int64_t timeout_ms;
	int64_t connect_timeout_ms;
	size_t max_body;
	int64_t *spent_ms; /* the time that the fetch took is added, without that in line; NULL = nobody asks */
	/* As http_client's. From the loop, once. */
	http_done_fn *done;
	void *ctx;
};

/* The client is borrowed; `loopback`: see pods/pod_address.h. */
struct page_fetches *page_fetches_new(struct http_client *http, bool loopback);
/* None is left. */
void page_fetches_free(struct page_fetches *fetches);
/* Why nothing is read of this pod, a text that lasts; NULL = it may be read. */
const char *page_fetches_refuse(const struct page_fetches *fetches, const struct view_pod *pod);
/* Valid until its done is called. */
struct page_fetch *page_fetch_start(struct page_fetches *fetches, const struct page_fetch_order *order);
/* `done` comes all the same, soon. */
void page_fetch_cancel(struct page_fetch *fetch);

#endif
