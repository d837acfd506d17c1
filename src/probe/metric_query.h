/*
 * One question to the metrics API, put as the HPA controller puts it: the value of a metric for the
 * pods of a selector. A refusal is distinguished by what has to be mended.
 */
#ifndef PROBE_METRIC_QUERY_H
#define PROBE_METRIC_QUERY_H

#include <jansson.h>

#include "kube/client.h"

struct metric_query;

struct metric_order {
	struct kube_client *client; /* borrowed */
	/* Copied. */
	const char *ns;
	const char *selector;
	const char *metric;
	/* The pods that count, of reading.h, and how long one may be ready without a value; the reference is kept. */
	json_t *counted;
	int64_t grace_ms;
	/* `document_take`: {error?, cause?, http, pods?, missing?, values?} of probe/probe.h. From the loop, once. */
	void (*done)(void *ctx, json_t *document_take);
	void *ctx;
};

/* Valid until its done was called. */
struct metric_query *metric_query_start(const struct metric_order *order);
/* `done` comes all the same. */
void metric_query_cancel(struct metric_query *query);

#endif
