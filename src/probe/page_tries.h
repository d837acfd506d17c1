/*
 * The tries to read a pod's metrics page that were in vain: what was seen there, and what helps.
 *
 * Private to src/probe.
 */
#ifndef PROBE_PAGE_TRIES_H
#define PROBE_PAGE_TRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "net/http_client.h"

struct page_try;

/* All zero is none. */
struct page_tries {
	struct page_try *items;
	size_t count, cap;
};

/* Whether the answer is no metrics page: it failed, has another status than 200, or is JSON or HTML. */
bool page_try_is_in_vain(const struct http_response *response);
/* Adds such an answer of the pod at the URL. */
void page_tries_add(struct page_tries *tries, const char *pod, const char *url, const struct http_response *response);
/* The most telling three, how many there are besides, and what helps in view of the first; `unread` places were not tried.
 * Heap, caller owns. */
char *page_tries_text(const struct page_tries *tries, size_t unread);
void page_tries_release(struct page_tries *tries);

#endif
