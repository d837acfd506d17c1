/*
 * Whether the API server took a write and kept something else.
 */
#ifndef RUNTIME_NOT_KEPT_H
#define RUNTIME_NOT_KEPT_H

#include <stdbool.h>

#include "base/error.h"
#include "reconcile/plan.h"

/* True, with `error` filled, when what was answered to an apply or a patch has not all that was written: left unreported,
 * the object would be written again in every pass. */
bool not_kept(const struct plan_write *write, const json_t *result, struct error *error);

#endif
