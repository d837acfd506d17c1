/*
 * One look along a chain: from its wish to its evidence (both as in probe/probe.h).
 *
 * There are two kinds, an autoscaler's and the stack's, started with the same order.
 */
#ifndef PROBE_ROUND_H
#define PROBE_ROUND_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/client.h"
#include "page_fetch.h"
#include "probe/probe.h"
#include "prometheus.h"

/* Whom a round may ask; all borrowed. */
struct round_peers {
	struct kube_client *client;
	struct page_fetches *fetches;
	struct prometheus *prometheus;
	probe_hpa_average_fn *hpa_average;
	void *hpa_ctx;
};

struct round_order {
	const struct round_peers *peers;
	json_t *wish;              /* the reference is kept */
	const json_t *last;        /* the evidence before; NULL = none */
	bool healthy;              /* answers that others got lately will do */
	void (*listed)(void *ctx); /* the pods are known; not called when the round ends before */
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

struct round;

/* An autoscaler's. `done` comes once, from the loop; the round is valid until then. */
struct round *round_start(const struct round_order *order);
/* `done` comes all the same, soon unless an answer of Prometheus is awaited. */
void round_cancel(struct round *round);

/* The stack's; `done` comes once, and at once when no Prometheus is known. */
void stack_round_start(const struct round_order *order);

/* Says in a document that Prometheus gave no answer, and why; nothing when it did. */
void round_fail(json_t *document, const struct prometheus_answer *answer);
/* Says in a document why the scrapes of a pool fail, of an answer to question_pool(), but for those of pods that are
 * not among `blamed` (an object by name; NULL = of all). Not every Prometheus-like server tells. */
void round_blame(json_t *document, const char *pool, const json_t *blamed, const struct prometheus_answer *answer);
/* What is doubted when `document` tells a failure and `before` a good answer: a copy of that, without the values, which
 * are not of this look. New reference; NULL = there is nothing to doubt. */
json_t *round_of_before(const json_t *before, const json_t *document);
/* Adds a document to evidence, with the time of the look; takes it. */
void round_record(json_t *evidence, const char *name, json_t *document, int64_t at_ms);

#endif
