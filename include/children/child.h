/*
 * An object managed for one autoscaler, and what all such objects share: one vtable per kind.
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
#include "view/view.h"

/* The name of our metrics Service's port, and so the label `endpoint` of what Prometheus scrapes there. */
#define METRICS_PORT "ias-metrics"

/* The most signals that one autoscaler scales on: of mode Combined, all of the pages and the GPUs'. */
#define WORKLOAD_SIGNALS_MAX (AUTOSCALER_SIGNALS_MAX + 1)

/* One figure that the HPA keeps to. */
struct workload_signal {
	const struct engine_signal *signal;
	int64_t target_milli; /* the average per replica, in thousandths */
	bool gpu;             /* the GPUs report it, not the pods' own page */
	bool by_default;      /* the spec has no target: this one is ours to choose */
};

/* What the children are made from; all borrowed. */
struct workload {
	const struct autoscaler *spec;
	bool direct;                 /* the figures come from our own metrics API, not from Prometheus */
	const struct engine *engine; /* NULL = not known (yet) */
	struct workload_signal signals[WORKLOAD_SIGNALS_MAX]; /* those of the pages first, in the order of the spec */
	size_t signals_count;       /* those that can be named: a page's signals only once the engine is known */
	const json_t *match_labels; /* the target's selector; NULL = not known */
	int64_t port;               /* of the pods' /metrics; 0 = not known */
	const char *path;
	const char *scheme;
	const json_t *monitor_labels; /* what a Prometheus selects; NULL = none */
	int64_t replicas;             /* the target's now; -1 = not known */
	int64_t min_replicas;         /* of the HPA: spec.minReplicas, or more while spec.fallback is in force */
};

/* Whether all that the mode asks for can be named. */
bool workload_complete(const struct workload *workload);
/* The field of the spec that has a member, "signal" or "target", of this one of the workload's signals; heap, caller owns. */
char *workload_signal_field(const struct workload *workload, const struct workload_signal *signal, const char *member);

/* How an observed object of ours is compared and mended. */
struct child_form {
	enum kind kind;
	/* A map in which a foreign key changes the meaning (a selector): it must be ours exactly. Dotted path. */
	const char *exact;
	/* Lists of this kind are merged by key in a server-side apply, so that an edited item would stay
	 * beside ours: an existing object is mended by a merge patch, which replaces lists whole. */
	bool mend_by_patch;
};

struct child {
	struct child_form form;
	/* The suffix of the child's name after the autoscaler's. */
	const char *suffix;
	/* Made only where Prometheus is to read the pods' pages. */
	bool for_pages;
	/* New reference. */
	json_t *(*make)(const struct workload *workload);
};

/* Whether the autoscaler's mode and source have this child. */
bool child_wanted(const struct child *child, const struct workload *workload);
/* The namespace: the autoscaler's, but for a ServiceMonitor that spec.monitor.namespace moves. Borrowed. */
const char *child_namespace(const struct child *child, const struct autoscaler *spec);
/* "name-suffix", or "namespace.name-suffix" in a foreign namespace; heap, caller owns. */
char *child_name(const struct child *child, const struct autoscaler *spec);
/* apiVersion, kind and metadata with our labels and the owner; make() adds the spec. New reference.
 * In a foreign namespace there is no owner, since owners do not reach across: labels tell it. */
json_t *child_base(const struct child *child, const struct autoscaler *spec);
/* Whether this object, observed in the child's place, is this autoscaler's. */
bool child_owned(const struct view *observed, const struct autoscaler *spec);

/* Leaves the hash of the object on it: see ANNOTATION_APPLIED. */
void child_stamp(json_t *wanted);
/* Whether the observed object is what is wanted: every field of ours is there, the exact map has
 * nothing more. Owners and labels that others added do not count. One that nothing marks as ours is not. */
bool child_matches(const struct child_form *form, const struct view *observed, const json_t *wanted);
/* The merge patch that mends an observed object of a kind with mend_by_patch. New reference. */
json_t *child_patch(const struct child_form *form, const struct view *observed, const json_t *wanted);

#endif
