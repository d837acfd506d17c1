/*
 * What programs that wait for a resource read beside Ready: kstatus' conditions, each there only while it is true.
 */
#ifndef REPORT_KSTATUS_H
#define REPORT_KSTATUS_H

#include "chain/links.h"

/* Nobody has to do anything for the resource to become Ready. */
#define CONDITION_RECONCILING "Reconciling"
/* Somebody has to: whoever waits may give up. */
#define CONDITION_STALLED "Stalled"

/* The condition that goes with this Ready; NULL when Ready is True. Static. */
const char *kstatus_condition(const struct verdict *ready);

#endif
