/*
 * One probe along a chain: from its probe request to its evidence (both as in probe/probe.h).
 *
 * There are two kinds, an autoscaler's and that of what autoscalers share, started with the same order.
 */
#ifndef PROBE_KEY_PROBE_H
#define PROBE_KEY_PROBE_H

#include <jansson.h>
#include <stdbool.h>

#include "kube/client.h"
#include "page_fetch.h"
#include "probe/probe.h"
#include "prometheus.h"

/* Whom a probe may ask; all borrowed. */
struct probe_context {
	struct kube_client *client;
	struct page_fetches *fetches;
	struct prometheus *prometheus;
	probe_hpa_average_fn *hpa_average;
	void *hpa_ctx;
};

struct probe_task {
	const struct probe_context *context;
	json_t *request;           /* the reference is kept */
	const json_t *last;        /* the evidence before; NULL = none */
	bool healthy;              /* answers that others got lately will do */
	void (*listed)(void *ctx); /* the pods are known; not called when the probe ends before */
	void (*done)(void *ctx, json_t *evidence_take);
	void *ctx;
};

struct key_probe;

/* An autoscaler's. `done` comes once, from the loop; the probe is valid until then. */
struct key_probe *key_probe_start(const struct probe_task *task);
/* `done` comes all the same, soon unless an answer of Prometheus is awaited. */
void key_probe_cancel(struct key_probe *probe);

/* Of what autoscalers share; `done` comes once, and at once when no Prometheus is known. */
void shared_probe_start(const struct probe_task *task);

/* Says in a document that Prometheus gave no answer, and why; nothing when it did. */
void probe_fail(json_t *document, const struct prometheus_answer *answer);
/* Says in a document why the scrapes of a pool fail, of an answer to question_pool(), but for those of pods that are
 * not among `blamed` (an object by name; NULL = of all). Not every Prometheus-like server tells. */
void probe_blame(json_t *document, const char *pool, const json_t *blamed, const struct prometheus_answer *answer);
/* What is unconfirmed when `document` tells a failure and `before` a good answer: a copy of that, without the values,
 * which are not of this probe. New reference; NULL = there is nothing to confirm. */
json_t *probe_unconfirmed(const json_t *before, const json_t *document);
/* Adds a document to evidence, with the time of the probe; takes it. */
void probe_record(json_t *evidence, const char *name, json_t *document, int64_t at_ms);

#endif
