/*
 * Taking over the metrics API of another server: its APIServices lead to us, and what is not ours is passed on to it.
 *
 *   taken       spec.service, caBundle and insecureSkipTLSVerify are ours; an annotation has labels, annotations and spec as
 *               they were. A version that was absent is made, below the one that was there: the HPA controller asks the same
 *               version before, meanwhile and afterwards.
 *   given back  these three are as they were, and our annotations are gone; what others changed meanwhile stays. When the
 *               option is gone, at the uninstall, and when passing on fails.
 *   reverted    somebody put it back, mostly a tool that delivers it: nothing is written again. The note of what it was is
 *               left on it by most, and is the memory of that; who replaces the whole object is remembered by this process.
 *
 * Each write has the resourceVersion of what it was made from as its condition.
 */
#ifndef RECONCILE_TAKEOVER_H
#define RECONCILE_TAKEOVER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "reconcile/reconcile.h"
#include "reconcile/world.h"
#include "view/core.h"

/* Whether other servers' APIServices are to lead to us. */
bool takeover_wanted(const struct world *world);
/* Notes in the memory what the APIServices show of our writes. */
void takeover_note(const struct world *world, struct takeover_memory *memory);
/* For how many ms more our certificates have to stand before it is done: all replicas are to be in their list. */
int64_t takeover_wait_ms(const struct world *world);
/* A merge patch, new reference. The APIService is another server's. `ca_bundle` is base64. */
json_t *takeover_patch(const struct world *world, const struct view_apiservice *api, const char *ca_bundle);
/* A merge patch that undoes it, new reference; of one that somebody has put back it takes our notes away. */
json_t *takeover_undo(const struct view_apiservice *api);
/* The priority of a version that is made beside this one of another server's. */
int takeover_priority_beside(const struct view_apiservice *api);
/* Why nothing is taken over although the option is given; heap, NULL = there is nothing to say. */
char *takeover_resting(const struct world *world, const struct view_apiservice *api);

#endif
