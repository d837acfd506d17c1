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

/* What live autoscalers need of it. */
struct adapter_needs {
	json_t *metrics;   /* metric → since when somebody needs it, in ms of the wall */
	int64_t newest_ms; /* when the newest autoscaler came */
};

/* Plans for its ConfigMap and Deployment. Sets the state, its reason and message, and what is held. */
void adapter_reconcile(const struct world *world, const struct adapter_needs *needs, struct plan *plan,
	struct shared_state *state);

/* What its Deployment says; the caller frees it. */
struct adapter_survey *adapter_survey_make(const struct world *world);

#endif
