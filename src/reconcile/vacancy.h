/*
 * A metrics API that another server had, and that nobody has now. Private to src/reconcile.
 *
 * Who uninstalls an adapter mostly installs another version of it: for so long its place is kept free, since Helm refuses to
 * install what somebody else has made meanwhile. Where nobody had it, as on a new cluster, there is nothing to wait for.
 */
#ifndef RECONCILE_VACANCY_H
#define RECONCILE_VACANCY_H

#include <stdbool.h>

#include "reconcile/reconcile.h"
#include "reconcile/world.h"

/* Notes in the memory what the APIServices show now. Of the time before this process a Deployment of the adapter tells. */
void vacancy_note(const struct world *world, struct vacancy_memory *memory);
/* For how many ms more the place is kept free; 0 = it is not. */
int64_t vacancy_wait_ms(const struct world *world);
/* What is awaited, for a message: "APIService 'x' …"; heap. Only while it is kept free. */
char *vacancy_text(const struct world *world);

#endif
