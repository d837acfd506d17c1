/*
 * One question to the metrics API, put as the HPA controller puts it: the value of a metric for the
 * pods of a selector. A refusal is distinguished by what has to be mended.
 */
#ifndef PROBE_METRIC_QUERY_H
#define PROBE_METRIC_QUERY_H

#include "evidence/evidence.h"
#include "api_read.h"
#include "counted_pods.h"

struct metric_query;

struct metric_order {
	struct api_reads *reads; /* borrowed */
	/* Copied. */
	const char *ns;
	const char *selector;
	const char *metric;
	const struct counted_pods *counted; /* borrowed until it is done */
	bool direct;                        /* it is our own API: what it says of a failure is its diagnosis */
	int64_t grace_ms;                   /* how long a pod may be ready without a value */
	/* `seen` is the receiver's then, but for the time when. From the loop, once. */
	void (*done)(void *ctx, struct metric_seen *seen_take);
	void *ctx;
};

/* Valid until its done was called. */
struct metric_query *metric_query_start(const struct metric_order *order);
/* `done` comes all the same. */
void metric_query_cancel(struct metric_query *query);

#endif
