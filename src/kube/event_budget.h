/*
 * How many Events each object may still have written: 25 at once, then one in `refill_ms`.
 */
#ifndef KUBE_EVENT_BUDGET_H
#define KUBE_EVENT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"

void budgets_init(struct map *budgets);
/* Whether this object, by a key of it, may have one more written now (monotonic ms); it has one less then. */
bool budgets_spend(struct map *budgets, const char *object, int64_t now, int64_t refill_ms);
/* Forgets those that are whole again. */
void budgets_sweep(struct map *budgets, int64_t now, int64_t refill_ms);

#endif
