/*
 * What a person wants to know of a change of status: the events of one write, pure.
 *
 * The status tells what is; an event tells what happened, once, when it happened. A pass that
 * changes nothing of these gives none:
 *
 *   Ready becomes True          Normal   Ready            every link works
 *   Ready becomes False         Warning  <link's reason>  the broken link's message
 *   other replicas are wanted   Normal   Scaled           from how many to how many
 *   FallbackActive comes        Warning  FallbackActive   how many replicas are kept now
 *   FallbackActive goes         Normal   FallbackEnded
 *   advice is given             Warning  <lint's reason>  its sentence; one for each lint that did not speak before,
 *                                                     but for those of the way up
 *
 * Ready becoming Unknown is no event: what is not known yet is no news. Nor are the links': the one
 * that broke lends Ready its reason, and those behind it only follow.
 */
#ifndef REPORT_TRANSITIONS_H
#define REPORT_TRANSITIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "chain/lints.h"
#include "view/autoscaler.h"

struct transition {
	bool warning;
	const char *reason; /* CamelCase; borrowed from the new status, or static */
	const char *action; /* static: what the operator was doing */
	char *note;         /* heap, owned */
};

#define TRANSITIONS_MAX (3 + LINTS_MAX)

/* From the status as it stands to the one that was written. Fills `found` and returns how many. */
size_t transitions_find(const struct view_status *before, const json_t *after,
	struct transition found[TRANSITIONS_MAX]);
void transitions_release(struct transition *found, size_t count);

#endif
