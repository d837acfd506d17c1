/*
 * The decisions: world → plan, pure. Two of the same shape: one per autoscaler, one for what
 * autoscalers share (the adapter's rules and its roll-out).
 */
#ifndef RECONCILE_RECONCILE_H
#define RECONCILE_RECONCILE_H

#include "base/error.h"
#include "chain/facts.h"
#include "evidence/survey.h"
#include "reconcile/gpu.h"
#include "reconcile/plan.h"
#include "reconcile/world.h"

/* The shared key among those of autoscalers ("ns/name"): of its evidence, and in the queue. */
#define SHARED_KEY "stack"

/* What is remembered of a fight over the adapter's ConfigMap (src/reconcile/adapter_fight.h). */
struct adapter_fight {
	char *revision;      /* owned: of our rules, as written last; NULL = not by this operator */
	char *metrics;       /* owned, with revision: whose rules these are */
	char *about;         /* owned, with revision: the ConfigMap, "ns/name" */
	int64_t answered_ms; /* when rules that were taken out were written again; 0 = never */
	int64_t wait_ms;     /* how long the last wait is, or was; 0 = none */
	int64_t until_ms;    /* nothing is written before; 0 = no fight */
};

#define ADAPTER_FIGHT_INIT                                                                                             \
	(struct adapter_fight)                                                                                         \
	{                                                                                                              \
		.revision = NULL                                                                                       \
	}

/* What is remembered of a metrics API that was taken over (reconcile/takeover.h), by version. */
struct takeover_memory {
	bool noted; /* there was a pass */
	bool taken[APISERVICES];
	bool wanted;   /* in the pass before */
	bool reverted; /* somebody gave one back, and nothing is taken over any more */
};

/* What is remembered of a metrics API that another server had (src/reconcile/vacancy.h). */
struct vacancy_memory {
	bool noted;       /* the APIServices were read by this process */
	bool others;      /* another server had them last */
	int64_t since_ms; /* wall: since when, then, one is absent; 0 = none is */
};

/* What there is to say of the metrics API that we serve ourselves (reconcile/registration.h). */
struct own_api {
	const char *
		reason; /* static: why it cannot serve, REASON_WAITING while it is about to; NULL = nothing against it */
	char *message;  /* owned, with reason */
	int64_t since_ms; /* wall: since when the API server finds it available, or not; -1 = not known */
	bool away;        /* of reason: only that the API server does not reach it now */
	bool ours;        /* registration_is_ours() */
};

/* What the shared pass found; autoscalers' links are checked from it. */
struct shared_state {
	enum adapter_state state;
	const char *reason; /* static */
	char *message;      /* owned */
	json_t *conflicts;  /* owned: metric whose rule is needed, but left out for a foreign one → why, and what is
	                           to be done; NULL = none */
	struct gpu_survey *gpu;         /* owned; NULL = no autoscaler uses GPUs */
	struct adapter_survey *adapter; /* owned; NULL = not made yet */
	const char *api_reason;         /* static: why the metrics API cannot serve; NULL = nothing against it */
	char *api_message;              /* owned, with api_reason */
	struct own_api own;
	struct adapter_fight fight;
	struct takeover_memory takeover;
	struct vacancy_memory vacancy;
	struct gpu_memory gpu_memory;
	bool awaited;         /* our rules are not there, and another operator is to write them */
	bool api_away;        /* of api_reason: only that nothing answers behind the registration now */
	int64_t api_since_ms; /* wall: since when the API server finds it available, or not; -1 = not known */
};

#define SHARED_STATE_INIT                                                                                              \
	(struct shared_state)                                                                                          \
	{                                                                                                              \
		.state = ADAPTER_UNKNOWN, .api_since_ms = -1, .own = {.since_ms = -1 }                                 \
	}
void shared_state_release(struct shared_state *state);
/* For the next pass: has of the state before what is remembered, which is taken from it, and nothing that is checked anew. */
struct shared_state shared_state_next(struct shared_state *before);
/* Takes the message; leaves the rest as it is. */
void shared_state_set(struct shared_state *state, enum adapter_state value, const char *reason, char *message);

/* Plans for the autoscaler "ns/name"; an absent one gives an empty plan (its children go with it,
 * by ownerReference, but for those in other namespaces, which are deleted). Never fails: what is wrong becomes a condition. */
void autoscaler_reconcile(const struct world *world, const char *ns, const char *name, struct plan *plan);

struct needs;

/* Plans for our own metrics API: that it is registered; for the adapter: its ConfigMap holds the union of the rules that are needed, and its Deployment restarts once per
 * change of ours; for the GPUs: what reconcile/gpu.h says. `state` is overwritten, but for what it remembers. */
void shared_reconcile(const struct world *world, const struct needs *needs, struct plan *plan,
	struct shared_state *state);

#endif
