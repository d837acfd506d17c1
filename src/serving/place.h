/*
 * Where an autoscaler's pods serve their page, and what is asked of it. Private to src/serving.
 */
#ifndef SERVING_PLACE_H
#define SERVING_PLACE_H

#include <stdbool.h>

#include "questions.h"
#include "view/autoscaler.h"
#include "view/pod.h"

/* Borrowed from the autoscaler, but for the questions. */
struct place {
	const char *scheme;
	const char *path;
	const char *port_name; /* NULL = it is given as a number */
	int64_t port;
	struct questions *questions;
};

/* Whether the metric is one of the autoscaler's: any of its engine's, since an HPA asks for the one of before until an edit of
 * the spec has come to it; or the GPUs'. */
bool place_has_metric(const struct view_autoscaler *autoscaler, const char *metric);
/* As the spec has it, or else as it was found. Always to be released; -1 while it is not known. */
int place_of(const struct view_autoscaler *autoscaler, struct place *place, struct error *err);
void place_release(struct place *place);
#define auto_place ATTR_CLEANUP(place_release) struct place
/* Of this pod; 0 when it has no port of that name. */
int64_t place_port(const struct place *place, const struct view_pod *pod);
/* That of the pod's ports which has this name, 0 when none has. */
int64_t place_port_by_name(const struct view_pod *pod, const char *name);

#endif
