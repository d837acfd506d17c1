/*
 * One signal along the links that are its own: its samples in Prometheus, compared with the pods' pages, then its
 * metric, compared with the samples.
 */
#ifndef PROBE_SIGNAL_WALK_H
#define PROBE_SIGNAL_WALK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "metric_query.h"
#include "round.h"

/* Everything is borrowed and outlives the walk. */
struct signal_walk {
	const struct round_peers *peers;
	const json_t *wish;
	const json_t *last;   /* the round's evidence before; NULL = none */
	const json_t *round;  /* this round's evidence so far */
	json_t *counted;      /* the pods that do: reading.h */
	const char *selector; /* the pods' labels */
	const json_t *signal; /* of the wish */
	json_t *evidence;     /* the signal's, to be filled */
	bool healthy;         /* answers that others got lately will do */
	void (*done)(void *ctx);
	void *ctx;

	int64_t again_ms; /* how soon another look is wanted; 0 = at its time */

	/* The walk's own. */
	bool same_question;   /* as the look before */
	const json_t *before; /* the signal's evidence of that; NULL = none */
	const json_t *apart;  /* what was apart then; NULL = nothing, or it asked otherwise */
	struct metric_query *query;
	bool cancelled;
};

/* `done` comes once, from the loop. */
void signal_walk_start(struct signal_walk *walk);
/* `done` comes all the same, soon unless an answer of Prometheus is awaited. */
void signal_walk_cancel(struct signal_walk *walk);

#endif
