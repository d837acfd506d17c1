/*
 * An Event as the API server takes it. Private to src/kube.
 */
#ifndef KUBE_EVENT_OBJECT_H
#define KUBE_EVENT_OBJECT_H

#include "kube/event.h"

extern const struct kube_resource event_resource;

/* What is told of it by whom, when and under which name; all borrowed. */
struct event_origin {
	const char *controller;
	const char *instance;
	const char *ns;
	const char *name;
	int64_t wall_ms;
};

/* Where an Event about this object lives; borrowed. */
const char *event_namespace(const json_t *regarding);
/* The whole Event as text; heap, caller owns. */
char *event_text(const struct event_origin *origin, const json_t *regarding, const struct kube_event *event);
/* The merge patch by which it was told so often, the last time then. New reference. */
json_t *event_count_patch(int64_t count, int64_t wall_ms);

#endif
