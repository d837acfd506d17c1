/*
 * Somebody who sets spec.replicas of a target back each time after the HPA has changed it.
 */
#ifndef CHAIN_REPLICAS_FIGHT_H
#define CHAIN_REPLICAS_FIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "view/workload.h"

struct replicas_fight {
	char *manager;     /* who, by metadata.managedFields; owned */
	int64_t last_ms;   /* wall: when it did so last */
	int64_t before_ms; /* the time before that; 0 = it did so once only, as a person may */
};

/* Whether the HPA controller set spec.replicas last, by managedFields. */
bool replicas_set_by_hpa(const struct view_workload *target);

/* Whether this change sets spec.replicas to something else than the HPA controller had. */
bool replicas_are_set_back(const struct view_workload *before, const struct view_workload *now);

/* Takes note of such a change, by this manager. `*fight` is made at the first; NULL until then. */
void replicas_fight_note(struct replicas_fight **fight, const char *manager, int64_t now_ms);
/* Whether it goes on: twice is a fight, and it is over when it was left at peace for longer than between the two. NULL is
 * allowed. */
bool replicas_fight_goes_on(const struct replicas_fight *fight, int64_t now_ms);
/* {manager, last, before}, the times in RFC 3339: what a golden world says of it. Owned by the caller; NULL for NULL. */
struct replicas_fight *replicas_fight_decode(const json_t *json);
void replicas_fight_free(struct replicas_fight *fight);

#endif
