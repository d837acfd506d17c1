/*
 * What the API server refused of a key's writes, until when none of it is sent again.
 *
 * Whatever wakes the key meanwhile, the same object is not sent before its time; one that differs is. Versions that a
 * write only repeats (metadata.resourceVersion, lastTransitionTime) make no difference. NULL is allowed: it has none.
 */
#ifndef RUNTIME_REFUSALS_H
#define RUNTIME_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "reconcile/plan.h"

struct refusal {
	struct digest write; /* its verb, kind and object */
	struct error error;  /* owned: what the server answered */
};

struct refusals {
	struct refusal *items; /* owned */
	size_t count;
	size_t cap;
	int64_t until_ms; /* monotonic */
};

#define REFUSALS_INIT                                                                                                  \
	(struct refusals)                                                                                              \
	{                                                                                                              \
		.items = NULL                                                                                          \
	}

/* Forgets all. */
void refusals_clear(struct refusals *refusals);
/* How this write was answered, when it is not to be sent yet; borrowed, NULL when it may be sent. */
const struct error *refusals_find(const struct refusals *refusals, const struct plan_write *write);
void refusals_add(struct refusals *refusals, const struct plan_write *write, const struct error *error);
void refusals_remove(struct refusals *refusals, const struct plan_write *write);

#endif
