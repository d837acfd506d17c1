/*
 * prometheus-adapter: what it must be told, and what it tells about itself.
 */
#ifndef RECONCILE_ADAPTER_H
#define RECONCILE_ADAPTER_H

#include <jansson.h>

#include "evidence/survey.h"
#include "reconcile/plan.h"
#include "reconcile/reconcile.h"
#include "reconcile/world.h"

/* Plans for its ConfigMap and Deployment. `needed` is the set of metrics that live autoscalers need: nothing is written
 * while it is empty; NULL = our rules are to go. Sets the state, its reason and message, and the conflicts. */
void adapter_reconcile(const struct world *world, const json_t *needed, struct plan *plan, struct shared_state *state);

/* What its Deployment says; the caller frees it. */
struct adapter_survey *adapter_survey_make(const struct world *world);

#endif
