/*
 * What follows from a pass: Events, and when the key comes again.
 */
#ifndef RUNTIME_SETTLE_H
#define RUNTIME_SETTLE_H

#include "controller_parts.h"

/* Takes from the result what was written. */
void settle_run(struct controller *controller, struct pass *pass, struct run_result *result);

#endif
