/*
 * What a reconcile decided: writes in order, the status, when to come again, and what to probe.
 */
#ifndef RECONCILE_PLAN_H
#define RECONCILE_PLAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kinds.h"
#include "base/attr.h"
#include "base/digest.h"
#include "evidence/request.h"
#include "view/view.h"

enum plan_verb {
	PLAN_CREATE, /* `object` is new: one that is there already is left as it is */
	PLAN_APPLY,  /* server-side apply of `object` */
	/* The fields that our create made become those that an apply may take away again: number `entry` of the
	 * managedFields of the object named by `object`'s metadata, whose resourceVersion is a precondition. */
	PLAN_CLAIM,
	PLAN_PATCH, /* merge patch `object`; its metadata.resourceVersion is a precondition */
	PLAN_DELETE /* the object named by `object`'s metadata, with its uid as precondition */
};

struct plan_write {
	enum plan_verb verb;
	enum kind kind;
	unsigned step;  /* those of one step do not depend on each other */
	json_t *object; /* owned */
};

struct plan {
	struct plan_write *writes;
	size_t count;
	size_t cap;
	unsigned step;               /* of what is added next */
	json_t *status;              /* owned: the autoscaler's whole status; NULL = already what it should be */
	bool progress;               /* that status tells only how far it is on its way up: it may wait for the next */
	bool held;                   /* such a one was not made, since it would wait (world.h) */
	struct probe_request *probe; /* owned: what to probe for the autoscaler; NULL = nothing */
	struct shared_request *shared_probe; /* owned: the same of what autoscalers share */
	bool healthy;                        /* Ready: probes may be rare */
	bool whole;            /* nothing failed and its links_settled(): a probe that sees the same changes nothing */
	int64_t again_ms;      /* in so many ms the same world would give another plan; 0 = it would not */
	struct digest settled; /* world.h; DIGEST_NONE while something of the children is to be written */
	bool waiting;          /* something young is about to work: probes stay frequent */
};

#define PLAN_INIT                                                                                                      \
	(struct plan)                                                                                                  \
	{                                                                                                              \
		.writes = NULL                                                                                         \
	}

/* What is added from here on waits until what was added before is written. */
void plan_then(struct plan *plan);
/* In so many ms there is another plan, unless there is one before; 0 = there is not by this. */
void plan_again(struct plan *plan, int64_t again_ms);
/* Takes the object. */
void plan_add_take(struct plan *plan, enum plan_verb verb, enum kind kind, json_t *object);
/* For an apply of the object as observed, which comes in a later step. Nothing to be claimed adds nothing. */
void plan_add_claim(struct plan *plan, enum kind kind, const struct view *observed);
/* Of the object as observed: only this very one is meant. */
void plan_add_delete(struct plan *plan, enum kind kind, const struct view *observed);
/* Only what is to be said and probed stays. */
void plan_drop_writes(struct plan *plan);
void plan_release(struct plan *plan);
#define auto_plan ATTR_CLEANUP(plan_release) struct plan
/* For golden tests and `render`; new reference. */
json_t *plan_document(const struct plan *plan);
const char *plan_verb_name(enum plan_verb verb);

#endif
