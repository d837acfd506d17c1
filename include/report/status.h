/*
 * The status document of an autoscaler, from what the links said and what it said before.
 */
#ifndef REPORT_STATUS_H
#define REPORT_STATUS_H

#include <jansson.h>
#include <stdbool.h>

#include "chain/links.h"

/* The condition that is there while spec.fallback is in force. */
#define CONDITION_FALLBACK "FallbackActive"

/*
 * New reference. Conditions keep their lastTransitionTime unless their status flips
 * (Kubernetes API conventions); nothing that moves between transitions is in it, so an unchanged
 * world gives an equal document. `advice` and the condition that sums it up (chain/lints.h) are there only
 * while there is any, and count for nothing else; kstatus' conditions (kstatus.h) only while Ready is not True. `first` is links_check()'s answer.
 */
json_t *status_make(const struct facts *facts, const struct verdict *verdicts, size_t first, int64_t now_ms);
/* Whether a condition of this type is no link's nor Ready, but one that is there only while it is True. */
bool status_only_while_true(const char *type);

#endif
