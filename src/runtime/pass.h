/*
 * What is remembered of a key between its passes.
 */
#ifndef RUNTIME_PASS_H
#define RUNTIME_PASS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "chain/child_fight.h"
#include "chain/replicas_fight.h"
#include "kube/informer.h"
#include "probe/probe.h"
#include "refusals.h"
#include "runtime/runner.h"

struct controller;

struct pass {
	struct controller *controller;
	const char *key;           /* the map's */
	struct own_write *written; /* owned: own writes that the caches may not show yet */
	size_t written_count;
	int64_t written_ms;
	int64_t held_since_ms; /* monotonic: since when a status that only tells of progress waits; 0 = none does */
	int64_t children_ms;   /* monotonic: when children were written last; 0 = never */
	char *failure;         /* owned: of the last write */
	struct replicas_fight *fight;     /* owned: over the target's replicas; NULL = none was seen */
	struct child_fight *child_fights; /* owned: by index of children[]; NULL = none was mended */
	struct refusals refusals;
	struct digest settled; /* as the plan says (plan.h) */
	bool ready;
	bool whole;  /* as the plan says */
	bool counts; /* an autoscaler's, not the shared one */
	bool gone;   /* the autoscaler is not there any more */
};

/* Of the map that pass_map_init() made: the key's, made when there is none. Borrowed. */
struct pass *pass_of(struct map *passes, struct controller *controller, const char *key);
void pass_map_init(struct map *passes);
/* Remembers what was written. */
void pass_wrote(struct pass *pass, const struct run_result *result);
/* Whether the caches show all that this key's last pass wrote: acting on an older world would write the same again, or
 * take an old status for the truth. What does not come within 10 s is not waited for: a watch that broke is back by then. */
bool pass_caught_up(struct pass *pass, struct kube_informer *const *informers);
/* How long that is waited for. */
#define PASS_OWN_WRITE_WAIT_MS 10000

/* Remembers when children were written, and which are mended by this plan. What is held waits anew for the first ones. */
void pass_note_children(struct pass *pass, const struct plan *plan);
/* Whether its children were written a short while ago, and it is not Ready. */
bool pass_is_rising(const struct pass *pass);

/* Whether a status of `owner` that is mere progress would be held now, as it was before: it need not be made. */
bool pass_holds_progress(const struct pass *pass, const struct view *owner, bool busy);
/* Takes a status of `owner` out of the plan that may wait for the one that follows; `busy`: much else is to be written. In
 * how many ms this is to be asked again, 0 when it is not held. */
int64_t pass_hold_progress(struct pass *pass, struct plan *plan, const struct view *owner, bool busy);

/* How often its chain is to be probed, after this plan. */
enum probe_interval pass_probe_interval(const struct pass *pass, const struct plan *plan);

#endif
