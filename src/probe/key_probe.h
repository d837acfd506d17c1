/*
 * One probe along a chain: from its request to its evidence.
 *
 * There are two kinds, an autoscaler's and that of what autoscalers share.
 */
#ifndef PROBE_KEY_PROBE_H
#define PROBE_KEY_PROBE_H

#include <stdbool.h>

#include "evidence/evidence.h"
#include "api_read.h"
#include "page_fetch.h"
#include "counted_pods.h"
#include "hpa_silence.h"
#include "pods/pods.h"
#include "probe/probe.h"
#include "prometheus.h"
#include "samples_question.h"
#include "timing.h"

/* Whom a probe may ask; all borrowed. */
struct probe_context {
	struct page_fetches *fetches;
	struct api_reads *reads;
	struct prometheus *prometheus;
	struct samples_questions *questions; /* made so far */
	probe_hpa_fn *hpa;
	void *hpa_ctx;
};

/* An autoscaler's, of pods that are not awaited. Everything is borrowed until it is done. */
struct probe_task {
	const struct probe_context *context;
	struct probe_request *request;     /* the evidence takes a reference */
	const struct evidence *last;       /* the evidence before; NULL = none */
	struct pod_reader *pods;           /* given its selector by the probe */
	const struct hpa_silence *silence; /* of its HPA, now */
	bool healthy;                      /* answers that others got lately will do */
	enum timing_calm calm;
	void (*done)(void *ctx, struct evidence *evidence_take);
	void *ctx;
};

struct key_probe;

/* `done` comes once, perhaps before this returns; the probe is *started, and valid, until then. */
void key_probe_start(const struct probe_task *task, struct key_probe **started);
/* `done` comes all the same, soon unless an answer of Prometheus is awaited. */
void key_probe_cancel(struct key_probe *probe);

/* Of what autoscalers share, likewise. */
struct shared_task {
	const struct probe_context *context;
	struct shared_request *request;
	bool healthy;
	void (*done)(void *ctx, struct shared_evidence *evidence_take);
	void *ctx;
};

/* `done` comes once, and at once when no Prometheus is known. */
void shared_probe_start(const struct shared_task *task);

/* Says that Prometheus gave no answer, and why; nothing when it did. */
void probe_fail(struct failure *failure, const struct prometheus_answer *answer);
/* Why the scrapes of a pool fail, of an answer to question_pool(): the error of the first pod by name that is among
 * `blamed` (NULL = of any), or of a target that is no pod's. Not every Prometheus-like server tells. Heap, caller owns;
 * NULL = it tells of none. */
char *probe_blame(const char *pool, const struct counted_pods *blamed, const struct prometheus_answer *answer);

#endif
