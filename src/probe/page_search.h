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

#include <jansson.h>

#include "page_fetch.h"

struct page_search;

struct page_search_order {
	struct page_fetches *fetches; /* borrowed */
	json_t *request;              /* of probe/probe.h; the reference is kept */
	const json_t *pod;            /* a Pod with an address; read during the call */
	const json_t *last;           /* the page document of the probe before; NULL = none */
	/* `document_take`: the page document of probe/probe.h. From the loop, once. */
	void (*done)(void *ctx, json_t *document_take);
	void *ctx;
};

/* The probe request has pages. Valid until its done was called. */
struct page_search *page_search_start(const struct page_search_order *order);
/* `done` comes all the same. */
void page_search_cancel(struct page_search *search);

#endif
