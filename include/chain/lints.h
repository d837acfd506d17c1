/*
 * Lints: what will hurt although no link is broken, one row each.
 *
 * A lint speaks of something that is so already and that a user can change; it never touches Ready.
 * Advice is given and taken back by evidence alone. While there is none (the pods' page cannot be
 * read, the operator has just started) what was said stays said and nothing new is: a gap must not
 * make advice come and go, and what was never seen is not reported. The memory of it is the status.
 */
#ifndef CHAIN_LINTS_H
#define CHAIN_LINTS_H

#include <jansson.h>

#include "chain/facts.h"

/* The most advice that one autoscaler is given. */
#define LINTS_MAX 10

/* A metric that the HPA's controller reads once in so many seconds, or more seldom, is worth advice; down to the second one
 * what was said stays said. */
#define HPA_PERIOD_LONG_S 30
#define HPA_PERIOD_NEAR_S 25

/* The condition that sums it up; there is none while there is nothing to say. */
#define CONDITION_ADVICE "Advice"

/* [{reason, message}] in the table's order, as in status.advice; new reference, empty when there is
 * nothing to say. The spec was decoded. */
json_t *lints_check(const struct facts *facts);

#endif
