/*
 * What is read of a Pod. Its uid is not kept, and of its owners only the names: of Pods there are many.
 */
#ifndef VIEW_POD_H
#define VIEW_POD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "view/view.h"
#include "view/workload.h"

enum view_readiness {
	POD_READINESS_UNKNOWN, /* not reported, or reported as unknown */
	POD_READY,
	POD_NOT_READY
};

struct view_pod {
	struct view view;
	const char *ip;            /* NULL = none yet */
	const char *template_hash; /* of a ReplicaSet's pod; NULL = none */
	const char *node;          /* where it runs; NULL = nowhere yet */
	/* Of what it runs: the images' ids or, before it runs, names, and the revision of its template. */
	struct digest image;
	int64_t readiness_ms; /* since when the readiness is what it is, wall; -1 = not given */
	int64_t started_ms;   /* when the last of its containers started, wall; -1 = one of them does not run */
	const struct view_port *ports; /* of all containers in order, as they are listed */
	uint32_t ports_count;
	enum view_readiness readiness; /* the condition Ready */
	bool ended;                    /* its phase is Succeeded or Failed */
	bool restarted;                /* one of its containers was */
};

extern const struct view_type view_pod_type;

static inline const struct view_pod *view_pod(const struct view *view)
{
	assert(view == NULL || view->type == &view_pod_type);
	return (const struct view_pod *)view;
}

/* Whether a probe would see the same of both: address, readiness, labels, owners, what runs and since when, and whether
 * it is on its way out. */
bool view_pod_alike(const struct view_pod *a, const struct view_pod *b);

#endif
