/*
 * Gathering the facts about one autoscaler from the world.
 */
#ifndef RECONCILE_OBSERVE_H
#define RECONCILE_OBSERVE_H

#include "api/autoscaler.h"
#include "chain/facts.h"
#include "chain/monitoring.h"
#include "engine/custom.h"
#include "reconcile/world.h"

/* The facts with all they borrow from. */
struct observation {
	struct facts facts;
	struct autoscaler spec;
	struct error invalid;
	struct monitoring monitoring;
	const struct view_autoscaler *object; /* borrowed */
	const struct view *target;            /* one reference */
	struct custom_engine *custom;         /* owned; NULL = the spec has none */
	json_t *match_labels;                 /* of the target's selector; NULL = it says more, or is not known */
	struct page_places pages;             /* candidates, see reconcile/pages.h */
	const struct view *observed[8];       /* by index of children[]; borrowed */
	bool owned[8];                        /* the observed one is ours */
	bool served;                          /* every link up to Ready works; set when they were checked */
	char *foreign_child;
	char *select_unread; /* owned */
	char *reverted;      /* owned */
	char *monitor;       /* "ns/name" of our ServiceMonitor */
	char *exporter_id;
	char *asked; /* "ns/name" of the Prometheus whose answers count; NULL = not known */
};

/* Borrows the object, which the world gave. */
void observation_init(struct observation *observation, const struct world *world, const struct view_autoscaler *object);
void observation_release(struct observation *observation);
#define auto_observation ATTR_CLEANUP(observation_release) struct observation

/* The engine of an autoscaler: what the spec says, else what its pods' page showed last, else what
 * the status remembers. Of type Custom it has all signals, described or not. NULL when none is known. */
const struct engine *observe_engine(const struct autoscaler *spec, const struct view_status *status,
	const struct evidence *evidence);
/* Sets the workload's signals from the spec and the engine (may be NULL); -1 and ERROR_INVALID when
 * the engine does not have the signal. */
int observe_signals(struct workload *workload, const struct autoscaler *spec, const struct engine *engine,
	struct error *err);

#endif
