/* Ranges of values, and what rounding does to them. */
#include "evidence/range.h"

#include <stdlib.h>

#include "evidence/evidence.h"

bool range_is_empty(const struct range *range)
{
	return range->low > range->high;
}

void range_widen(struct range *range, const struct range *by)
{
	range->low = by->low < range->low ? by->low : range->low;
	range->high = by->high > range->high ? by->high : range->high;
}

void range_add(struct range *range, int64_t value)
{
	if (value != MILLI_NONE) {
		range_widen(range, &(struct range){value, value});
	}
}

/* What the adapter cuts off and we round, and what is lost of a large sum's last digits. */
static int64_t rounding(int64_t value)
{
	return 2 + llabs(value) / 1000000;
}

bool ranges_mismatch(const struct range *one, const struct range *other)
{
	return one->low > other->high + rounding(other->high) || other->low > one->high + rounding(one->high);
}

bool range_holds(const struct range *range, int64_t value)
{
	return !range_is_empty(range) && !ranges_mismatch(&(struct range){value, value}, range);
}
