/*
 * A page that tells of the autoscalers, one after the other: their links as metrics, or their diagnoses.
 *
 * It goes through them in the order of their keys, and keeps no more than where it is: what is said of each is of the
 * moment when its turn comes, and one that is gone by then is left out.
 */
#ifndef RUNTIME_LISTING_H
#define RUNTIME_LISTING_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "runtime/controller.h"

enum listing_kind {
	LISTING_METRICS, /* the Prometheus text format, the operator's own metrics first */
	LISTING_JSON,    /* {items: [diagnosis, with what the probes saw]} */
	LISTING_TEXT     /* the diagnoses for people */
};

struct listing;

/* `key` NULL = of all autoscalers; else of this one: its diagnosis alone. `namespaces` narrows the list to these: names
 * separated by commas; NULL = all. `standing_by`: this replica waits for the Lease, and knows of none. */
struct listing *listing_new(const struct controller *controller, enum listing_kind kind, const char *key,
	const char *namespaces, bool standing_by);
/* Appends the next piece, of one autoscaler; true when it was the last. */
bool listing_step(struct listing *listing, struct strbuf *text);
void listing_free(struct listing *listing);

#endif
