/*
 * The targets that the spec leaves to us.
 */
#ifndef RECONCILE_DEFAULT_TARGET_H
#define RECONCILE_DEFAULT_TARGET_H

#include "chain/facts.h"

/* Lowers those that one pod could never exceed. What a page told of the limit outlives it in the status, so that a target
 * does not change while the page is not read. */
void default_targets(struct facts *facts);

#endif
