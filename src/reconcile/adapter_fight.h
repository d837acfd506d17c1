/*
 * A fight over the adapter's ConfigMap: somebody, mostly a tool that delivers it, takes our rules out each time they
 * were written. An answer to each would restart the adapter each time, and every HPA of the cluster is blind meanwhile.
 *
 *   the first time                 it may be a hand's edit: mended at once
 *   again within ten minutes       nothing is written for ten minutes, then once more; if that is taken out too, for
 *                                  twice as long, and for an hour at most
 *   our rules are in it again,     the fight is over
 *   but not by us
 *
 * It is about one ConfigMap: another that the adapter reads from now on, as a hashed name makes one of each version, had
 * no rules of ours yet. The memory is the operator's. One that starts finds by the annotations that the rules were there once, and takes what
 * it finds for the first time: a restart of the operator costs one of the adapter, not more.
 */
#ifndef RECONCILE_ADAPTER_FIGHT_H
#define RECONCILE_ADAPTER_FIGHT_H

#include "base/attr.h"
#include "reconcile/adapter.h"
#include "view/core.h"
#include "view/workload.h"

/* What a pass sees. All borrowed. */
struct adapter_fight_look {
	int64_t now_ms;
	const struct view_configmap *configmap;
	const struct view_workload *deployment;
	const char *metrics; /* of the rules that are to be in the text, "a,b"; NULL = none are */
	bool there;          /* they are */
};

enum adapter_fight_move {
	FIGHT_NONE,
	FIGHT_REST, /* nothing is to be written now */
	FIGHT_OVER  /* the rules are back; who started in between does not have them */
};

/* What is to be done about what is seen; notes it. */
enum adapter_fight_move adapter_fight_check(struct adapter_fight *fight, const struct adapter_fight_look *look);
/* Notes that these rules are written to it now. */
void adapter_fight_wrote(struct adapter_fight *fight, const struct view_configmap *configmap, const char *revision,
	const char *metrics);
/* Who wrote the ConfigMap last, beside us; borrowed, NULL when it does not tell. */
const char *adapter_fight_by(const struct view_configmap *configmap);
void adapter_fight_release(struct adapter_fight *fight);

#endif
