/*
 * Carrying out a plan: its writes in order, then the status.
 *
 * The first write that fails ends the writes; the status is written all the same, so that the
 * failure can be told. done() is called once, from the loop.
 */
#ifndef RUNTIME_RUNNER_H
#define RUNTIME_RUNNER_H

#include "kube/client.h"
#include "reconcile/plan.h"

struct runner;

/* What was written; each kind and resourceVersion, to wait for in the caches. */
struct run_result {
	const struct error *error; /* the first failure; NULL when all went well */
	json_t *written;           /* [{kind: index, resourceVersion}], borrowed */
	size_t writes;             /* requests that succeeded */
	const json_t *owner;       /* the autoscaler as it was before, borrowed; NULL = none was given */
	const json_t *status;      /* its new status, borrowed; NULL = none was written */
};

typedef void runner_done_fn(void *ctx, const struct run_result *result);

/* Takes the plan's contents. `owner` is the autoscaler whose status it is; NULL = no status. */
void runner_start(struct kube_client *client, struct plan *plan_take, const json_t *owner, runner_done_fn *done,
	void *ctx);

#endif
