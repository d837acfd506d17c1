/*
 * The search for one pod's metrics page among the ports and paths that may serve it.
 *
 * One after the other is read until one is it: that of the engine that is known, or with a series
 * that is wanted; of any engine while none is known. When none is it, the first that was a page at
 * all; but one that exceeds a limit is reported instead, since it may be the engine's. The engine's version
 * is asked where the engine tells it beside its page, once for what the pod runs.
 */
#ifndef PROBE_PAGE_SEARCH_H
#define PROBE_PAGE_SEARCH_H

#include "evidence/evidence.h"
#include "page_fetch.h"
#include "view/pod.h"

struct page_search;

/* Everything is borrowed until it is done, but what is read during the call. */
struct page_search_order {
	struct page_fetches *fetches;
	const struct probe_request *request;
	const struct view_pod *pod;   /* with an address; read during the call */
	const struct page_seen *last; /* of the probe before; NULL = none */
	/* `seen` is the receiver's then, but for the time when. From the loop, once. */
	void (*done)(void *ctx, struct page_seen *seen_take);
	void *ctx;
};

/* The probe request has pages. Valid until its done was called. */
struct page_search *page_search_start(const struct page_search_order *order);
/* `done` comes all the same. */
void page_search_cancel(struct page_search *search);

#endif
