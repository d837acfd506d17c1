/*
 * From which value to which: thousandths, of one side of a hop or of many pods.
 */
#ifndef EVIDENCE_RANGE_H
#define EVIDENCE_RANGE_H

#include <stdbool.h>
#include <stdint.h>

struct range {
	int64_t low, high;
};

/* Holds nothing; it is to be widened. */
#define RANGE_EMPTY ((struct range){INT64_MAX, INT64_MIN})

bool range_is_empty(const struct range *range);
void range_widen(struct range *range, const struct range *by);
/* By one value; MILLI_NONE (evidence/evidence.h) is none. */
void range_add(struct range *range, int64_t value);
/* Whether all of the one is less than all of the other, by more than rounding does. */
bool ranges_mismatch(const struct range *one, const struct range *other);
/* Whether a value lies within the range, but for what rounding does; nothing lies within an empty one. */
bool range_holds(const struct range *range, int64_t value);

#endif
