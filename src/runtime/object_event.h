/*
 * Events about objects that are watched.
 */
#ifndef RUNTIME_OBJECT_EVENT_H
#define RUNTIME_OBJECT_EVENT_H

#include "api/kinds.h"
#include "kube/event.h"
#include "report/transitions.h"
#include "view/meta.h"

void object_event(struct kube_recorder *recorder, enum kind kind, const struct object_meta *meta,
	const struct transition *told);

#endif
