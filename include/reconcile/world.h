/*
 * A snapshot of everything a reconcile may know: objects by kind, evidence by autoscaler, the time.
 *
 * The running operator answers from its caches, `render` and the golden tests from a list of
 * objects: the decisions cannot tell the difference.
 */
#ifndef RECONCILE_WORLD_H
#define RECONCILE_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "chain/child_fight.h"
#include "api/kinds.h"
#include "api/settings.h"
#include "base/error.h"
#include "chain/replicas_fight.h"
#include "evidence/evidence.h"
#include "view/view.h"

struct world {
	int64_t now_ms; /* wall */
	const struct settings *settings;
	void *ctx;
	/* See world_view() and the like, below. All that is returned is borrowed, and so is what is in a list: nothing
	 * outlives the pass, since the caches let go of an object's view when the loop goes on and another takes its place. */
	const struct view *(*view)(void *ctx, enum kind kind, const char *ns, const char *name);
	struct view_list (*views)(void *ctx, enum kind kind, const char *ns);
	struct view_list (*views_by)(void *ctx, enum kind kind, const char *value);
	/* The resource type is not installed. */
	bool (*missing)(void *ctx, enum kind kind);
	/* The API server does not let the operator watch it: nothing is known of it. */
	bool (*refused)(void *ctx, enum kind kind);
	/* What was seen of the autoscaler "ns/name"; borrowed, NULL when nothing was probed yet. */
	const struct evidence *(*evidence)(void *ctx, const char *key);
	/* The same of what autoscalers share. */
	const struct shared_evidence *(*shared_evidence)(void *ctx);
	/* Why the last write for this autoscaler failed; borrowed, NULL when it did not. */
	const char *(*failure)(void *ctx, const char *key);
	/* Who was seen to set the target's replicas of the autoscaler "ns/name" back; borrowed, NULL when nobody was. */
	const struct replicas_fight *(*fight)(void *ctx, const char *key);
	/* Who changes children back (chain/child_fight.h): by index of children[], borrowed; NULL = nobody did. NULL itself =
	 * nothing is remembered. */
	const struct child_fight *(*child_fights)(void *ctx, const char *key);
	/* What the plan before said of the children of the autoscaler "ns/name" (plan.h): from the same they need not be made
	 * again. NULL = nothing is remembered. */
	struct digest (*settled)(void *ctx, const char *key);
	/* Whether a status of the autoscaler "ns/name" that is mere progress would be held back now: it need not be made. NULL =
	 * none is. */
	bool (*holds_progress)(void *ctx, const char *key);
	/* The certificates of our own metrics API that are to be trusted, as PEM text; borrowed. NULL = there is none yet. */
	const char *ca_bundle;
	int64_t ca_bundle_since_ms; /* wall: since when they are these; 0 = long ago */
	/* Why what others ask of a metrics API that was taken over cannot be passed on; borrowed. NULL = it can. */
	const char *forward_failure;
	/* How often the HPA's controller reads a metric of ours: once in so many seconds, or more seldom; 0 = not known. */
	int64_t hpa_period_s;
	/* What the last shared pass said of the adapter; filled by shared_reconcile(). Borrowed; never NULL. */
	const struct shared_state *shared;
};

/* The object's view, borrowed; NULL when absent. `ns` is NULL for cluster-scoped kinds. */
const struct view *world_view(const struct world *world, enum kind kind, const char *ns, const char *name);
/* All views of a namespace (NULL = all), ordered by key; the caller releases the list, not the views. */
struct view_list world_views(const struct world *world, enum kind kind, const char *ns);
/* Of all, those whose index (view/index.h) is `value`, "ns/name" or "name": what a pass of one autoscaler asks for must not
 * grow with the number of all. */
struct view_list world_views_by(const struct world *world, enum kind kind, const char *value);
/* When the object was made, in ms of the wall; 0 when it is not there. */
int64_t world_made_ms(const struct world *world, enum kind kind, const char *ns, const char *name);

/* A world made of a JSON document (golden tests and `render`):
 * {now: RFC 3339, objects: […], evidence: {"ns/name": {…}},
 * failures: {"ns/name": "…"}, fights: {"ns/name": {…}}, missing: ["ServiceMonitor"], refused: ["ConfigMap"], caBundle: "PEM", caBundleSince: RFC 3339, forwardFailure: "…",
 * hpaPeriodSeconds: …}; the evidence of SHARED_KEY is that of what is shared.
 * Borrows the document, which must not change meanwhile; to be released. */
void world_from_document(struct world *world, const json_t *document, const struct settings *settings);
void world_release_document(struct world *world);

#endif
