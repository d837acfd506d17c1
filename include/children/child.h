/*
 * The objects managed for one autoscaler: one vtable per kind, in the order they are written.
 *
 * make() is pure: the same workload always gives the same object. It holds only the fields we own,
 * so that server-side apply leaves the rest to others.
 */
#ifndef CHILDREN_CHILD_H
#define CHILDREN_CHILD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/autoscaler.h"
#include "api/kinds.h"
#include "engine/presets.h"

/* What the children are made from; all borrowed. */
struct workload {
	const struct autoscaler *spec;
	const struct engine *engine;
	const struct engine_signal *signal;
	const json_t *match_labels;   /* the target's selector; NULL = not known */
	int64_t port;                 /* of the pods' /metrics */
	const char *path;
	const char *scheme;
	const json_t *monitor_labels; /* what a Prometheus selects; NULL = none */
	int64_t replicas;             /* the target's now; -1 = not known */
};

/* The signal's target per replica as a quantity: the user's, else the signal's usual one; heap, caller owns. */
char *workload_target(const struct workload *workload);

struct child {
	enum kind kind;
	/* The suffix of the child's name after the autoscaler's. */
	const char *suffix;
	/* A map in which a foreign key changes the meaning (a selector): it must be ours exactly. Dotted path. */
	const char *exact;
	/* Lists of this kind are merged by key in a server-side apply, so that an edited item would stay
	 * beside ours: an existing object is mended by a merge patch, which replaces lists whole. */
	bool mend_by_patch;
	/* New reference. */
	json_t *(*make)(const struct workload *workload);
};

extern const struct child child_service;
extern const struct child child_servicemonitor;
extern const struct child child_hpa;

extern const struct child *const children[];
extern const size_t children_count;

/* "name-suffix"; heap, caller owns. */
char *child_name(const struct child *child, const struct autoscaler *spec);
/* apiVersion, kind and metadata with our labels and the owner; make() adds the spec. New reference. */
json_t *child_base(const struct child *child, const struct autoscaler *spec);

/* Whether the observed object is what is wanted: every field of ours is there, the exact map has
 * nothing more. Owners and labels that others added do not count. */
bool child_matches(const struct child *child, const json_t *observed, const json_t *wanted);
/* The merge patch that mends an observed object of a kind with mend_by_patch. New reference. */
json_t *child_patch(const struct child *child, const json_t *observed, const json_t *wanted);

#endif
