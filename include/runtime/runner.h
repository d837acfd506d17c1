/*
 * Carrying out a plan: the writes of a step side by side, one step after the other, then the status.
 *
 * A write that fails ends the plan after its step; the status is written all the same, so that the failure can be
 * reported. A write that was refused and may not be sent yet (src/runtime/refusals.h) fails as it did, without being
 * sent. done() is called once.
 */
#ifndef RUNTIME_RUNNER_H
#define RUNTIME_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/client.h"
#include "reconcile/plan.h"
#include "view/autoscaler.h"

struct refusals;
struct runner;

/* What the caches must show before the next pass. */
struct own_write {
	enum kind kind;
	uint32_t mark;    /* kube_namespace_mark() of where it is */
	uint64_t version; /* resourceVersion; those of one server are comparable as integers (KEP-5504) */
};

/* All borrowed but what says otherwise. */
struct run_result {
	const struct error *error; /* the first failure, by the plan's order; NULL when all went well */
	bool sent_in_vain;         /* something failed that was sent, not only what is held back */
	struct own_write *written; /* NULL when nothing was */
	size_t written_count;
	size_t writes;                       /* requests that succeeded */
	const struct view_autoscaler *owner; /* as it was before; NULL = none was given */
	const json_t *status;                /* its new status; NULL = none was written */
};

typedef void runner_done_fn(void *ctx, struct run_result *result);

/* Takes the plan's contents. `owner` is the autoscaler whose status it is; NULL = no status. `refusals` is borrowed until
 * done: what is refused is added, what is taken is removed; who runs it says until when (until_ms). NULL is allowed:
 * then nothing is held back. */
void runner_start(struct kube_client *client, struct plan *plan_take, const struct view *owner,
	struct refusals *refusals, runner_done_fn *done, void *ctx);

#endif
