/*
 * Events (events.k8s.io/v1) about objects, for `kubectl describe` and `kubectl events`.
 *
 * Best effort: an Event that cannot be written is reported in the log, once until one can be written
 * again, and fails nothing. The API server must not drown in them (limits as client-go's,
 * tools/events and tools/record): a Warning that repeats within 6 minutes is one Event whose series counts, and so is
 * what is no Warning within one minute (each healthy object has one of those, to be remembered so long); an object has
 * 25 writes at once and then one in 5 minutes, those beyond are dropped, though a series goes on counting. At most 8 are
 * under way at once, the others wait in line: Warnings first, and what is none only while nobody is busy with what matters
 * more, but for 30 s at most. Of 4096 in line the oldest that is no Warning is dropped for the next. What can no longer
 * repeat is forgotten within a minute, also when nothing is reported any more.
 *
 * An Event lives in its object's namespace, or in "default" when the object has none.
 */
#ifndef KUBE_EVENT_H
#define KUBE_EVENT_H

#include <stdbool.h>

#include "kube/client.h"

struct kube_event {
	bool warning;       /* else Normal */
	const char *reason; /* CamelCase, at most 128 characters */
	const char *action; /* what the reporter did; at most 128 characters */
	const char *note;   /* for people; cut at 1 KiB */
};

struct kube_recorder;

/* `controller` says which program reports, `instance` which of its replicas; both are copied. */
struct kube_recorder *kube_recorder_new(struct kube_client *client, const char *controller, const char *instance);
/* What is under way is cancelled; closed(ctx) from the loop, freed after it. */
void kube_recorder_close(struct kube_recorder *recorder, void (*closed)(void *ctx), void *ctx);

/* `regarding` is a whole object: apiVersion, kind and metadata are read. */
void kube_recorder_report(struct kube_recorder *recorder, const json_t *regarding, const struct kube_event *event);

/* Others have much to write now, and for a second from now on. */
void kube_recorder_busy(struct kube_recorder *recorder);
/* Events that were not written since too many waited. */
uint64_t kube_recorder_dropped(const struct kube_recorder *recorder);

#endif
